"""`python -m tests.faults.fuzzing --examples N` reads N made-up hostile data sets in a process of 2 GiB at most.

Each must be read, or refused with one line, in SECONDS of computing; nothing may be written outside the output folder.
"""

import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from solution.data.reader import read_competition
from solution.runtime.errors import UserError
from tests.faults.hostile import Case, cases, whole_files, write

MEMORY = 2 * 2**30
SECONDS = 10
CHANGES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """Notes what is written outside of `allowed` while it is on."""

    def __init__(self, allowed: Path) -> None:
        self.allowed, self.on = str(allowed), False
        self.outside: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or (event != "open" and event not in CHANGES):
            return
        path = arguments[0]
        writes = event != "open" or (arguments[2] or 0) & WRITES
        if writes and isinstance(path, str | bytes | os.PathLike) and not os.fsdecode(path).startswith(self.allowed):
            self.outside.append(f"{event} {os.fsdecode(path)}")


class Hang(BaseException):
    """An example took too long. No Exception, so that nothing swallows it."""


def too_long(number: int, frame: FrameType | None) -> None:
    raise Hang(f"longer than {SECONDS} s")


def attempt(case: Case, whole: dict[str, bytes], folder: Path, watch: Watch) -> str:
    """Read one data set: "read" or "refused"."""
    raw, out = folder / "raw", folder / "out"
    write(case, whole, raw)
    before = sorted(raw.rglob("*"))
    refusal = None
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    watch.on = True
    try:
        competition = read_competition(raw, out)
    except UserError as error:
        refusal = str(error)
    finally:
        watch.on = False
        signal.setitimer(signal.ITIMER_PROF, 0)
    assert sorted(raw.rglob("*")) == before
    if refusal is not None:
        assert refusal.isprintable(), repr(refusal)
        assert not out.exists(), "something was written of a data set that is refused"
        return "refused"
    labels = competition.train.coords
    assert ((labels >= -48) & (labels <= 144) | np.isnan(labels)).all()
    assert len(np.unique(competition.lookup.row_id)) == len(competition.lookup.row_id)
    assert np.isin(competition.lookup.image_id, competition.test.ids).all()
    return "read"


def main() -> None:
    """The command line: exit 0 and one line of counts, or the first example that went wrong, made small."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=300)
    options = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="fuzzing-")).resolve()
    tempfile.tempdir = str(base)
    whole = whole_files(base / "tiny")
    watch, counts, slowest = Watch(base), Counter(), [0.0]
    signal.signal(signal.SIGPROF, too_long)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    @settings(
        max_examples=options.examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases())
    def check(case: Case) -> None:
        folder = Path(tempfile.mkdtemp())
        began = time.process_time()
        try:
            counts[attempt(case, whole, folder, watch)] += 1
        finally:
            slowest[0] = max(slowest[0], time.process_time() - began)
            shutil.rmtree(folder)
        assert watch.outside == []

    try:
        check()
    finally:
        shutil.rmtree(base)
    print(f"read {counts['read']}, refused {counts['refused']}, slowest {slowest[0]:.2f} s, memory {most_memory()} MiB")


def most_memory() -> int:
    """MiB that this process had in memory at most; getrusage would count the process that started it, too."""
    [line] = [x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM")]
    return int(line.split()[1]) // 2**10


if __name__ == "__main__":
    main()
