"""One task on another machine. Its files come over the network and go back the same way.

The machine shares no folder with the driver. The task runs in a temporary folder. Its log lines go to the driver. Its
checkpoint also goes there, about once a minute. So a lost machine costs about one epoch and not a whole training.
"""

import logging
import logging.handlers
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from solution.runtime import checkpoint
from solution.runtime.device import LOG, set_threads, take_device
from solution.runtime.errors import UserError
from solution.runtime.workers.schedule import Runnable

BYTES_A_SECOND = 2e6
"""Checkpoints of a large network are sent less often: a hundred jobs must not choke the driver."""

CHECKPOINT, NODE = "checkpoint", "node"
"""The kinds of messages to the driver beside log records."""

Files = dict[str, bytes]
"""Content by path below a root, with forward slashes."""


def pack(root: Path, folder: Path) -> Files:
    """The files of one folder, named from root."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def unpack(root: Path, files: Files) -> None:
    """Write files below root. No other process may read the folder yet."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class DamagedError(Exception):
    """The files that came back from a machine differ from their manifest."""


class RemoteRunnable(Runnable, Protocol):
    """A task whose files can travel to another machine and back."""

    @property
    def folder(self) -> Path:
        """Where its files go."""

    def needed(self) -> Files:
        """The files that the machine needs before: of the task that this one starts from, and its own progress."""

    def receive(self, files: Files) -> None:
        """Write the finished task's files and seal their folder. DamagedError if they are not what they claim."""


class Payload(Protocol):
    """What every task of a run needs: sent once to each machine. Picklable."""

    @property
    def root(self) -> str:
        """The driver's folder from which files are named."""

    @property
    def pause(self) -> float:
        """The least seconds between two checkpoints of a task that go to the driver."""

    def place(self, task: Any, root: Path) -> RemoteRunnable:  # noqa: ANN401 - a task of the run
        """The task in a folder of another machine."""


class Lines(Protocol):
    """The queue to the driver. It takes log records, and tuples (CHECKPOINT or NODE, the task's name, a value)."""

    def put_nowait(self, item: Any) -> None: ...  # noqa: ANN401 - a log record or a tuple


def train_there(shared: Payload, task: RemoteRunnable, files: Files, device: str, lines: Lines) -> tuple[Files, float]:
    """Run one task; the sealed folder's files, and the seconds taken.

    files: what `RemoteRunnable.needed` gives. UserError as on the driver, with the driver's paths; OSError if this
    machine's disk is the cause.
    """
    import ray  # not at the top: it need not be installed where nothing runs on it

    with tempfile.TemporaryDirectory(prefix="solution-", ignore_cleanup_errors=True) as temporary, _heard(lines):
        lines.put_nowait((NODE, task.name, ray.get_runtime_context().get_node_id()))
        LOG.info("%s: on %s, process %d", task.name, socket.gethostname(), os.getpid())
        root = Path(temporary)
        unpack(root, files)
        here = shared.place(task, root)
        set_threads(1)
        try:
            with _checkpoints_sent(here, lines, shared.pause):
                seconds = here.run(take_device(device))
        except UserError as error:
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None  # the disk of this machine: another one may work
            raise UserError(str(error).replace(temporary, shared.root)) from None
        return pack(here.folder, here.folder), seconds


@contextmanager
def _heard(lines: Lines) -> Iterator[None]:
    """Send this process's log lines to the driver, and nowhere else."""
    handler = logging.handlers.QueueHandler(lines)  # type: ignore[arg-type]  # its type asks for get, too, of a listener
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)


@contextmanager
def _checkpoints_sent(task: RemoteRunnable, lines: Lines, pause: float) -> Iterator[None]:
    """Send the task's checkpoint now and then, and once more when it is stopped."""
    over = threading.Event()
    sender = threading.Thread(target=_send_until, args=(over, task.folder, task.name, lines, pause), daemon=True)
    sender.start()
    try:
        yield
    except BaseException:
        over.set()
        sender.join()
        _send(task.folder, task.name, lines)
        raise
    finally:
        over.set()
        sender.join()


def _send_until(over: threading.Event, folder: Path, name: str, lines: Lines, least: float) -> None:
    pause = least
    while not over.wait(pause):
        pause = max(least, _send(folder, name, lines) / BYTES_A_SECOND)


def _send(folder: Path, name: str, lines: Lines) -> int:
    """Send the checkpoint; its size in bytes, 0 if there is none yet."""
    try:
        content = (folder / checkpoint.FILE).read_bytes()
    except OSError:
        return 0
    lines.put_nowait((CHECKPOINT, name, content))
    return len(content)
