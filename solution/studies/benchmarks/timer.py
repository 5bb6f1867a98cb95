"""Measures a call: its time, the speed of the machine at that moment, its memory, and its multiply-adds."""

import ctypes
import gc
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
import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode

from solution.runtime.device import cores, quick_dtype
from solution.studies.benchmarks.results import MATMUL, PYTHON

MATRIX = {"cpu": 1024, "cuda": 8192}
"""Side of the matrices of the reference: large enough for the peak speed, small enough to measure it often."""

LOOPS = 50_000
"""Rounds of the reference in plain Python."""

REFERENCE_REPEATS = 5
MIB = 2**20


@dataclass(frozen=True)
class Meter:
    """Times calls on one device. Between the calls it measures the speed of the machine with a reference."""

    device: torch.device

    def time(self, call: Callable[[], object], repeats: int, reference: str, threads: int = 1) -> dict[str, Any]:
        """The fields seconds, speed, reference and busy of a `Row`. Nothing is warmed up.

        threads: number of threads that the call uses.
        """
        seconds, speeds, computed = [], [], 0.0
        for _ in range(repeats):
            speeds.append(self.speed(reference))
            began = core_seconds()
            seconds.append(self.seconds(call))
            computed += core_seconds() - began
        busy = 1.0 if self._on_gpu(reference) else computed / sum(seconds) / threads
        return {"seconds": tuple(seconds), "speed": float(np.median(speeds)), "reference": reference, "busy": busy}

    def seconds(self, call: Callable[[], object]) -> float:
        """The wall-clock time of a call, with the work of the GPU."""
        self._wait()
        began = time.perf_counter()
        call()
        self._wait()
        return time.perf_counter() - began

    def speed(self, reference: str) -> float:
        """The speed of a reference: multiply-adds a second of a matrix product, or rounds a second of a plain loop.

        On a core it counts the seconds of that core, so that other programs do not matter; on a GPU wall-clock time.
        """
        if reference == PYTHON:
            return LOOPS / self._median(_loop, time.thread_time)
        assert reference == MATMUL
        size = MATRIX[self.device.type]
        matrix = torch.ones(size, size, dtype=quick_dtype(self.device), device=self.device)
        clock = time.perf_counter if self._on_gpu(reference) else time.thread_time
        return size**3 / self._median(lambda: matrix @ matrix, clock)

    def _median(self, call: Callable[[], object], clock: Callable[[], float]) -> float:
        """The median time of a call, after one call that warms up."""
        seconds = []
        for _ in range(REFERENCE_REPEATS + 1):
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
    """Seconds of core time of this process, its threads, and its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _loop() -> int:
    return sum(i * i for i in range(LOOPS))


def multiply_adds(call: Callable[[], object]) -> int:
    """The number of multiply-adds of the convolutions and matrix products in a call, forward and backward."""
    counter: Any = FlopCounterMode(display=False)
    with counter:
        call()
    return int(counter.get_total_flops()) // 2


@dataclass
class Peak:
    """The memory that a block used at most, in addition to what was used before it."""

    mib: float = 0.0
    """MiB; set when the block has ended."""


@contextmanager
def peak_memory(device: torch.device) -> Iterator[Peak]:
    """Measure the memory of a block: that of the GPU, or that of this process without its children."""
    peak = Peak()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield peak
        peak.mib = (torch.cuda.max_memory_allocated(device) - before) / MIB
        return
    gc.collect()
    with suppress(OSError, AttributeError):  # not in every C library
        # Otherwise a block that reuses memory which the allocator keeps would seem to use none.
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the kernel forgets the earlier peak
    before = psutil.Process().memory_info().rss
    yield peak
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    highest = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert highest is not None
    peak.mib = max(0.0, (int(highest.group(1)) * 1024 - before) / MIB)


class TreeMemory:
    """The most memory that this process and its descendants used together, checked five times a second.

    Pages that several of them share count once (PSS).
    """

    def __init__(self) -> None:
        self.mib = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "TreeMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._ended.wait(0.2):
            self.mib = max(self.mib, sum(map(_pss, [process, *process.children(recursive=True)])))


def _pss(process: psutil.Process) -> float:
    """A process's memory in MiB, with its share of shared pages; 0 if it has just ended."""
    with suppress(psutil.Error):
        return process.memory_full_info().pss / MIB
    return 0.0


def machine(device: torch.device) -> dict[str, Any]:
    """The machine that the figures are measured on."""
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
