"""Device, precision, threads, seeds and logging."""

import ctypes
import hashlib
import logging
import math
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from solution.runtime.artifacts import as_user_error
from solution.runtime.errors import UserError

LOG = logging.getLogger("solution")

T = TypeVar("T")
R = TypeVar("R")

MALLOC = {-1: 2**30, -2: 2**26, -3: 2**25}
"""malloc.h: M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD, in bytes."""

CGROUP = Path("/sys/fs/cgroup/cpu.max")
"""A container's share of processor time: "200000 100000" is two cores, "max 100000" is no limit."""

AMPERE = (8, 0)
"""The compute capability from which a GPU has bf16 units."""

AHEAD = 2
"""Batches that are prepared for a GPU in advance."""


def seed_for(*parts: str | int) -> int:
    """A seed in 32 bits that depends on every part (recipe, fold, purpose, epoch, …) and on nothing else.

    So work can be resumed or run in any order with the same result.
    """
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def generator(*parts: str | int) -> np.random.Generator:
    """A numpy generator seeded by `seed_for`."""
    return np.random.default_rng(seed_for(*parts))


def pick_device(wish: str) -> torch.device:
    """The device for auto, cpu, cuda or cuda:N. UserError if there is no such GPU."""
    if wish == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", wish):
        raise UserError(f"--device {wish}: expected auto, cpu, cuda or one GPU such as cuda:1")
    device = torch.device(wish)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"--device {wish}: expected a GPU that torch can use, found {torch.cuda.device_count()}. "
            "Use --device auto or cpu."
        )
    return device


def cores(cgroup: Path = CGROUP) -> int:
    """Cores that this process may use. A container may have only a share of their time."""
    usable = len(os.sched_getaffinity(0))
    try:
        granted, period = cgroup.read_text().split()
        return max(1, min(usable, math.ceil(int(granted) / int(period))))
    except (OSError, ValueError):  # no cgroup v2, or "max": no limit
        return usable


def set_threads(threads: int) -> None:
    """Threads of one process. Each job gets one: two one-thread jobs are 1.6 times as fast as one with two threads.

    glibc then keeps the memory of freed tensors for the next ones: a training step takes 8 to 11 % less of a core.
    """
    torch.set_num_threads(threads)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for option, value in MALLOC.items():
            mallopt(option, value)


def take_device(name: str) -> torch.device:
    """The device of this name, as the process's current one: pinned memory would otherwise use the first GPU, too."""
    device = torch.device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def to_device(array: np.ndarray, device: torch.device) -> Tensor:
    """The array as a tensor on the device. A GPU copies it from pinned memory while this process continues."""
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def prepared(make: Callable[[T], R], parts: Iterable[T], device: torch.device) -> Iterator[R]:
    """`make(part)` of each part, in order. While a GPU computes, a thread makes the next ones.

    There is one thread, which takes the parts in order: the results, and any randomness in them, are the same as
    without it. On a CPU the thread would take time from the network.
    """
    if device.type != "cuda":
        yield from map(make, parts)
        return
    with ThreadPoolExecutor(1) as thread:
        coming: deque[Future[R]] = deque()
        for part in parts:
            coming.append(thread.submit(make, part))
            if len(coming) > AHEAD:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def quick_dtype(device: torch.device) -> torch.dtype:
    """The precision in which the device is faster; docs/experiments.md, "Machines and speed", has the measurements.

    bf16 on a GPU from Ampere on, on a CPU with AMX and on an AMD with AVX-512-BF16, else fp32. The kind of the device
    decides, not its speed at the moment: the same machine must give the same bytes.
    """
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= AMPERE
    else:
        has = torch.cpu.get_capabilities()
        amd = str(has.get("cpu_name", "")).startswith("AMD")
        native = bool(has.get("amx_bf16") or (amd and has.get("avx512_bf16")))
    return torch.bfloat16 if native else torch.float32


@contextmanager
def quick_precision(device: torch.device) -> Iterator[None]:
    """Autocast to `quick_dtype`."""
    with torch.autocast(device.type, torch.bfloat16, enabled=quick_dtype(device) == torch.bfloat16):
        yield


class _LogFile(logging.FileHandler):
    """A log file. If the disk is full, lines are lost, but the run goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        pass


def log_to(path: Path) -> None:
    """Append the package's log lines also to a file, with times. UserError if it cannot be opened."""
    with as_user_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)
