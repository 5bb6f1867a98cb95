"""One writer at a time in a folder: a lock that the kernel takes back when its holder dies, whatever it died of."""

import fcntl
import json
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
"""Somebody who only asks who works in a folder holds its lock for a moment: half a second is enough to tell."""

_OURS: set[Path] = set()


@contextmanager
def hold(folder: Path) -> Iterator[str | None]:
    """Keep other processes out of a folder that exists while the block runs. Blocks of one process may be nested.

    Gives a remark worth a warning, if there is one: a holder that died was found, or the file system has no locks.
    UserError that names the holder where it is alive, or where the lock cannot be written.
    """
    path = (folder / FILE).resolve()
    if path in _OURS:
        yield None
        return
    handle, remark = _taken(path)
    _OURS.add(path)
    try:
        yield remark
    finally:
        _OURS.discard(path)
        if _is_at(handle, path):
            path.unlink()  # before it is let go: who opened it meanwhile sees that it is not the one there any more
        os.close(handle)


def holder(folder: Path) -> str | None:
    """Who else works in the folder, in words; None for nobody or for this process itself."""
    path = (folder / FILE).resolve()
    if path in _OURS:  # where flock is emulated, closing any handle of the file would let the lock go
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


def _taken(path: Path) -> tuple[int, str | None]:
    """The open file with the lock on it and this process's name in it, and what is remarkable about that."""
    try:
        handle, locks = _open(path)
        dead = _describe(handle)
        _write(handle)
    except OSError as error:
        raise UserError(
            f"{path}: expected to write the lock of the folder, got: {error.strerror}. "
            "Free some space or change the folder's permissions."
        ) from error
    if not locks:
        return handle, f"{path.parent}: this file system knows no locks: see that no second run works there"
    return handle, f"{path.parent}: {dead} ended without a word; what it finished is kept" if dead else None


def _open(path: Path) -> tuple[int, bool]:
    """The lock file, open and locked, and whether there are locks at all. UserError where somebody else has it.

    A file that was taken away between opening and locking is opened anew.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)  # like all of Python's, not inherited by children
        locked = _locked(handle)
        if locked is False:
            by = _describe(handle) or "another process"
            os.close(handle)
            raise UserError(
                f"{path.parent}: expected to be alone there, but {by} is at work. "
                "Wait until it ends, or end it: what it finished is kept."
            )
        if _is_at(handle, path):
            return handle, bool(locked)
        os.close(handle)


def _locked(handle: int) -> bool | None:
    """Whether the lock could be had; None where the file system knows none."""
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
    """Put this process's name into its lock file."""
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    who = {"pid": os.getpid(), "host": socket.gethostname(), "since": now, "command": shlex.join(sys.argv[1:])}
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(who).encode(), 0)
    except OSError:
        os.close(handle)
        raise


def _describe(handle: int) -> str | None:
    """Who the lock file says its holder is; None where it says nothing that can be read."""
    try:
        who = json.loads(os.pread(handle, 2**14, 0))
        return f"process {who['pid']} on {who['host']} (since {who['since']}: {who['command']})"
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        return None


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file is the one that lies at the path now."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
