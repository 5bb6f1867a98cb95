"""The command line in separate processes, for killing and measuring."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.places import REPOSITORY

PATIENCE = 900  # most seconds for anything here
PAGE = os.sysconf("SC_PAGE_SIZE")


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **more}


class Command:
    """A command with the tiny recipes, in a process group of its own below `root`. `said`: its output."""

    def __init__(self, root: Path, *arguments: str, **more: str) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.output = root / "said.txt"
        with self.output.open("wb") as handle:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.cli", *arguments],
                cwd=root,
                env=environment(**more),
                stdout=handle,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    @property
    def last_words(self) -> str:
        return self.said.strip().rpartition("\n")[2]

    def says(self, lines: int) -> bool:
        """Wait for so many lines of output; whether they came."""
        until(lambda: self.said.count("\n") >= lines or self.process.poll() is not None)
        return self.said.count("\n") >= lines

    def ended(self) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(PATIENCE)

    def survives(self, seconds: float) -> bool:
        """Wait so long; whether it still runs then."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def kill(self, workers_too: bool) -> None:
        """SIGKILL to it, or to its whole group; wait until the group is gone."""
        if workers_too:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait()
        until(lambda: not members(self.process.pid), 60)

    def peak(self) -> int:
        """Wait for its end; the most bytes that its processes had in memory together, shared pages counted in each."""
        most = 0
        deadline = time.time() + 20 * PATIENCE
        while self.process.poll() is None and time.time() < deadline:
            most = max(most, sum(map(resident, members(self.process.pid))))
            time.sleep(0.1)
        return most


@contextmanager
def running(root: Path, *arguments: str, **more: str) -> Iterator[Command]:
    """A command that does not outlive the block."""
    command = Command(root, *arguments, **more)
    try:
        yield command
    finally:
        if members(command.process.pid):
            os.killpg(command.process.pid, signal.SIGKILL)
        command.process.wait()


def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until something holds."""
    deadline = time.time() + seconds
    while not holds():
        assert time.time() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.02)


def members(group: int) -> list[int]:
    """The living processes of a group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it has just ended
            continue
        if int(of) == group and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


def resident(pid: int) -> int:
    """Bytes of a process that are in memory."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0
