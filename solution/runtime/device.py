"""Device, precision, threads, seeds and logging."""

import ctypes
import hashlib
import logging
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
"""malloc.h: bytes free at the heap's end before it shrinks, by which it grows, and from which on a block is apart."""

CGROUP = Path("/sys/fs/cgroup/cpu.max")
"""Where a container reads how much time it has, as "200000 100000" for two cores, or "max 100000"."""

AMPERE = (8, 0)
"""The compute capability from which a GPU has bf16 units."""

AHEAD = 2
"""Batches made ready for a GPU in advance: one to take next, one against a slow one."""


def seed_for(*parts: str | int) -> int:
    """A seed in 32 bits that depends on every part (recipe, fold, purpose, epoch, …) and on nothing else.

    Work seeded by what it is, not by what ran before it, can be resumed or run in any order with the same result.
    """
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def generator(*parts: str | int) -> np.random.Generator:
    """A numpy generator seeded by `seed_for`."""
    return np.random.default_rng(seed_for(*parts))


def pick_device(wish: str) -> torch.device:
    """The device for auto, cpu or cuda (with an index if wished). UserError where there is no such GPU."""
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


def cores() -> int:
    """Cores that this process may use: those it may run on, or fewer where a container has a share of their time."""
    return max(1, min(len(os.sched_getaffinity(0)), _quota(CGROUP)))


def _quota(path: Path) -> int:
    """Whole cores' worth of time that cgroup v2 grants, rounded up; no limit where it sets none."""
    try:
        granted, period = path.read_text().split()
        return -(-int(granted) // int(period))
    except (OSError, ValueError):  # another system, or "max": no quota
        return sys.maxsize


def set_threads(threads: int) -> None:
    """Threads of one process. Jobs get one each: two one-thread jobs beat one two-thread job by 1.6 on a U-Net."""
    torch.set_num_threads(threads)
    _keep_memory()


def _keep_memory() -> None:
    """Let glibc keep the memory of freed tensors for the next ones, where there is glibc.

    It gave every large tensor back to the system, which hands it out as new pages of zeros, tensor by tensor: with the
    memory kept a bare training step took 8 % (a U-Net) to 11 % (a timm network) less of a core. Whole trainings showed
    no such gain: about 28 s an epoch of `timm_all` before and after, on different hours of a shared machine.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for option, value in MALLOC.items():
            mallopt(option, value)


def take_device(name: str) -> torch.device:
    """The device of this name, made the process's own: pinned memory would else hold some of the first GPU as well."""
    device = torch.device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def to_device(array: np.ndarray, device: torch.device) -> Tensor:
    """The array as a tensor on the device. A GPU copies it from pinned memory while this process goes on."""
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def prepared(make: Callable[[T], R], parts: Iterable[T], device: torch.device) -> Iterator[R]:
    """`make(part)` of each part, in order. While a GPU computes, a thread of its own makes the next two.

    One thread, first come first served: what is made, and any randomness in it, is the same as without. On a CPU the
    thread would only take turns with the network.
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
    """bf16 on a GPU that has it (Ampere and newer), a CPU with AMX and an AMD with AVX-512's bf16, else fp32.

    What the device computes faster, measured with channels_last: a core with AMX ran a U-Net's training step in bf16
    1.9 to 2.2 times as fast as in fp32, an AMD core (213 GFLOP/s in bf16, 100 in fp32) 1.7 times. Another core with
    AVX-512's bf16 but no AMX (80 and 159) trained 1.1 to 1.5 times as fast in fp32. By what the device is, not by its
    speed just then: the same machine must give the same bytes.
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
    """A file of log lines. A full disk costs lines, and neither the run nor a traceback a line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        pass


def log_to(path: Path) -> None:
    """Let the package's log lines also go to a file, appended, with times. UserError where it cannot be opened."""
    with as_user_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)
