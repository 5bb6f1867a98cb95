"""One training on a machine of its own: its files come by the network, and go back the same way.

The machine shares no folder with the driver. A job is worked on in a temporary folder; its log lines and, about once a
minute, its checkpoint go to the driver, so that a lost machine costs a minute and not a training.
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
from solution.runtime.workers.ray_files import Files, Payload, pack, unpack

BYTES_A_SECOND = 2e6  # a large network's checkpoints come less often: a hundred jobs shall not choke the driver


class Lines(Protocol):
    """The queue to the driver. It takes log records, and tuples (CHECKPOINT or NODE, the job's name, a value)."""

    def put_nowait(self, item: Any) -> None: ...  # noqa: ANN401 - whatever the driver understands


CHECKPOINT, NODE = "checkpoint", "node"


def train_there(shared: Payload, name: str, fold: int, files: Files, device: str, lines: Lines) -> tuple[Files, float]:
    """Do one training; the sealed folder's files, and the seconds taken.

    files: what must lie below the root before (the training it starts from, an earlier attempt's checkpoint). UserError
    as a training here raises it, with the driver's paths; OSError where this machine's disk is what is wrong.
    """
    import ray  # not at the top: it need not be installed where nothing runs on it

    with tempfile.TemporaryDirectory(prefix="solution-", ignore_cleanup_errors=True) as temporary, _heard(lines):
        lines.put_nowait((NODE, f"{name}/{fold}", ray.get_runtime_context().get_node_id()))
        LOG.info("%s fold %d: on %s, process %d", name, fold, socket.gethostname(), os.getpid())
        root = Path(temporary)
        unpack(root, files)
        shared.unpack(root)
        folder = shared.folder(root, name, fold)
        set_threads(1)
        try:
            with _checkpoints_sent(folder, f"{name}/{fold}", lines, shared.pause):
                seconds = shared.train(root, name, fold, take_device(device))
        except UserError as error:
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None  # this machine's disk: another one's may do
            raise UserError(str(error).replace(temporary, shared.root)) from None
        return pack(folder, folder), seconds


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
def _checkpoints_sent(folder: Path, job: str, lines: Lines, pause: float) -> Iterator[None]:
    """Send the job's checkpoint now and then, and once more when it is stopped."""
    over = threading.Event()
    sender = threading.Thread(target=_send_until, args=(over, folder, job, lines, pause), daemon=True)
    sender.start()
    try:
        yield
    except BaseException:
        over.set()
        sender.join()
        _send(folder, job, lines)
        raise
    finally:
        over.set()
        sender.join()


def _send_until(over: threading.Event, folder: Path, job: str, lines: Lines, least: float) -> None:
    pause = least
    while not over.wait(pause):
        pause = max(least, _send(folder, job, lines) / BYTES_A_SECOND)


def _send(folder: Path, job: str, lines: Lines) -> int:
    """Send the checkpoint as it lies there now; its size in bytes, 0 where there is none yet."""
    try:
        content = (folder / checkpoint.FILE).read_bytes()
    except OSError:
        return 0
    lines.put_nowait((CHECKPOINT, job, content))
    return len(content)
