"""What travels between the driver and the machines that train: the data, and finished folders as their files."""

from pathlib import Path
from typing import Protocol

import torch

Files = dict[str, bytes]
"""Content by path below a root, with forward slashes."""


def pack(root: Path, folder: Path) -> Files:
    """The files of one folder, named from root."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def unpack(root: Path, files: Files) -> None:
    """Write files below root. For a folder that nobody else reads yet."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class DamagedError(Exception):
    """What came back from a machine is not what its manifest says."""


class Payload(Protocol):
    """What every job of a run needs: sent once to each machine. Picklable."""

    @property
    def root(self) -> str:
        """The driver's, for messages."""

    @property
    def pause(self) -> float:
        """Seconds between two checkpoints of a job that go to the driver, at least."""

    def unpack(self, root: Path) -> None:
        """Write the files that every training needs below a root."""

    def folder(self, root: Path, name: str, fold: int) -> Path:
        """Where a training's files lie below a root."""

    def train(self, root: Path, name: str, fold: int, device: torch.device) -> float:
        """Do one training below a root; seconds taken."""


class Trainings(Protocol):
    """The trainings of a run, as a cluster must know them: each has a name, a fold and a folder of files."""

    def shared(self) -> Payload:
        """What every one of them needs."""

    def needed(self, name: str, fold: int) -> Files:
        """What must lie on the machine before: the training that one starts from, and how far it has come."""

    def receive(self, name: str, fold: int, files: Files) -> None:
        """Write a finished training's files and seal their folder. DamagedError where they are not what they claim."""

    def folder(self, name: str, fold: int) -> Path:
        """Where a training's files lie here."""
