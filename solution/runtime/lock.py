"""One writer at a time in a folder. The kernel frees the lock when its holder dies."""

import fcntl
import json
import logging
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from solution.runtime.errors import UserError

FILE = "run.lock"
TRIES, PAUSE = 10, 0.05
"""A process that only asks for the holder holds the lock for a moment: the half second of all tries is enough."""

_OURS: set[Path] = set()
"""The locks that this process holds."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keep other processes out of an existing folder while the block runs. Blocks of one process may be nested.

    Warns if the last holder died, or if the file system has no locks. UserError that names the holder if there is one,
    or if the lock cannot be written.
    """
    path = (folder / FILE).resolve()
    if path in _OURS:
        yield
        return
    handle = _take(path)
    _OURS.add(path)
    try:
        yield
    finally:
        _OURS.discard(path)
        if _is_at(handle, path):
            path.unlink()  # before it is freed: a process that opened it meanwhile sees that it is gone
        os.close(handle)


def holder(folder: Path) -> str | None:
    """The other process that holds the folder, in words; None if there is none."""
    path = (folder / FILE).resolve()
    if path in _OURS:  # where flock is emulated, closing any handle of the file would free the lock
        return None
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _describe(handle)
    except OSError:
        return None
    else:
        return None
    finally:
        os.close(handle)


def _take(path: Path) -> int:
    """The open lock file, locked and with this process's name in it."""
    try:
        handle, has_locks = _open(path)
        dead = _describe(handle)
        _write(handle)
    except OSError as error:
        raise UserError(
            f"{path}: expected to write the lock of the folder, got: {error.strerror}. "
            "Free some space or change the folder's permissions."
        ) from error
    log = logging.getLogger("solution")
    if not has_locks:
        log.warning("%s: this file system has no locks. Make sure that no second run works there.", path.parent)
    elif dead:
        log.warning("%s: %s ended without finishing. What it finished is kept.", path.parent, dead)
    return handle


def _open(path: Path) -> tuple[int, bool]:
    """The lock file, open and locked, and whether the file system has locks. UserError if another process holds it.

    A file that was removed between opening and locking is opened again.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)  # children do not inherit it
        locked = _lock(handle)
        if locked is False:
            by = _describe(handle) or "another process"
            os.close(handle)
            raise UserError(f"{path.parent}: another run holds this folder: {by}. Wait until it ends, or end it.")
        if _is_at(handle, path):
            return handle, bool(locked)
        os.close(handle)


def _lock(handle: int) -> bool | None:
    """Whether the file could be locked; None if the file system has no locks."""
    for _ in range(TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        except OSError:
            return None
        else:
            return True
    return False


def _write(handle: int) -> None:
    """Write this process's name into its lock file."""
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    process = {"pid": os.getpid(), "host": socket.gethostname(), "since": now, "command": shlex.join(sys.argv[1:])}
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(process).encode(), 0)
    except OSError:
        os.close(handle)
        raise


def _describe(handle: int) -> str | None:
    """The process that the lock file names; None if it names none."""
    try:
        process = json.loads(os.pread(handle, 2**14, 0))
        return f"process {process['pid']} on {process['host']} (since {process['since']}: {process['command']})"
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        return None


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file is the one at the path."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
