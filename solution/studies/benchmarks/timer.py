"""The clock, the references beside it, memory, and counted multiply-adds."""

import ctypes
import gc
import os
import platform
import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from solution.runtime.device import cores, quick_dtype
from solution.studies.benchmarks.results import MATMUL, PYTHON

MATRIX = {"cpu": 1024, "cuda": 8192}
"""Side of the matrices: large enough for the peak, small enough to measure it often."""

LOOPS = 50_000
GLANCES = 5
MIB = 2**20


@dataclass(frozen=True)
class Meter:
    """Times calls on one device; between the calls it looks how fast the machine is just then."""

    device: torch.device

    def time(self, call: Callable[[], object], repeats: int, reference: str, threads: int = 1) -> dict[str, Any]:
        """A row's fields: seconds of each repeat, how busy its threads were, and the reference's median speed between
        the repeats. Warm up before, if need be."""
        seconds, speeds, computed = [], [], 0.0
        for _ in range(repeats):
            speeds.append(self.speed(reference))
            began = core_seconds()
            seconds.append(self.seconds(call))
            computed += core_seconds() - began
        busy = 1.0 if self._on_gpu(reference) else computed / sum(seconds) / threads
        return {"seconds": tuple(seconds), "speed": float(np.median(speeds)), "reference": reference, "busy": busy}

    def seconds(self, call: Callable[[], object]) -> float:
        """How long a call takes, the GPU's work included."""
        self._wait()
        began = time.perf_counter()
        call()
        self._wait()
        return time.perf_counter() - began

    def speed(self, reference: str) -> float:
        """Of a reference: multiply-adds a second of a matrix product, or a plain loop's rounds a second.

        Seconds of the core that it runs on, which other programs do not take away; on a GPU those of the clock.
        """
        if reference == PYTHON:
            return LOOPS / self._usual(_loop, time.thread_time)
        assert reference == MATMUL
        size = MATRIX[self.device.type]
        one = torch.ones(size, size, dtype=quick_dtype(self.device), device=self.device)
        clock = time.perf_counter if self._on_gpu(reference) else time.thread_time
        return size**3 / self._usual(lambda: one @ one, clock)

    def _usual(self, call: Callable[[], object], clock: Callable[[], float]) -> float:
        seconds = []
        for _ in range(GLANCES + 1):
            self._wait()
            began = clock()
            call()
            self._wait()
            seconds.append(clock() - began)
        return float(np.median(seconds[1:]))

    def _on_gpu(self, reference: str) -> bool:
        return self.device.type == "cuda" and reference == MATMUL

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def core_seconds() -> float:
    """Seconds that cores have worked for this process, its threads and the children it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _loop() -> int:
    return sum(i * i for i in range(LOOPS))


def multiply_adds(call: Callable[[], object]) -> int:
    """Of the convolutions and matrix products in a call, backward included; what is neither counts nothing."""
    counter: Any = FlopCounterMode(display=False)
    with counter:
        call()
    return int(counter.get_total_flops()) // 2


@dataclass
class Peak:
    """The most memory that a block took beyond what was taken before, MiB, once the block is over."""

    mib: float = 0.0


@contextmanager
def peak_memory(device: torch.device) -> Iterator[Peak]:
    """Watch a block: the GPU's memory on a GPU, else this process's (its children's is not in it)."""
    peak = Peak()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield peak
        peak.mib = (torch.cuda.max_memory_allocated(device) - before) / MIB
        return
    gc.collect()
    _give_back()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    resident = _status("VmRSS")
    yield peak
    peak.mib = max(0.0, _status("VmHWM") - resident)


def _give_back() -> None:
    """Let the allocator return what it holds in reserve: a block that used that up would else seem to take nothing."""
    with suppress(OSError, AttributeError):  # another C library than GNU's
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _status(field: str) -> float:
    """A field of this process's status in MiB."""
    text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else 0.0


class FamilyMemory:
    """The most memory, MiB, that this process and its descendants held together, looked at five times a second.

    Pages that several of them share are counted once (PSS).
    """

    def __init__(self) -> None:
        self.mib = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "FamilyMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self.mib = max(self.mib, sum(_share_of(pid) for pid in _family(os.getpid())))


def _family(root: int) -> set[int]:
    """The process and all that descend from it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            parents[int(stat.parent.name)] = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _share_of(pid: int) -> float:
    """A process's memory in MiB, its share of shared pages; 0 where it has just ended."""
    with suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found.group(1)) / 1024 if found else 0.0
    return 0.0


def machine(device: torch.device) -> dict[str, Any]:
    """What the figures were measured on."""
    processors = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    meter = Meter(device)
    return {
        "processor": processors[0] if processors else platform.machine(),
        "cores": cores(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "precision": str(quick_dtype(device)).removeprefix("torch."),
        "multiply_adds_a_second": meter.speed(MATMUL),
        "loops_a_second": meter.speed(PYTHON),
    }
