"""Paths, atomic writes, and manifests. A manifest is written last, so a matching manifest means that all is done."""

import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

from solution.runtime.errors import UserError

MANIFEST = "manifest.json"

LEFT_OVER = re.compile(r"\.[0-9a-f]{12}-.+")
"""The names of files that `atomic` has not finished."""

OLD = 3600.0
"""Seconds after which such a file belongs to a process that died: no file takes so long to write."""


@dataclass(frozen=True)
class Workspace:
    """The folders of one data set: folds/DATASET and submissions/DATASET below root."""

    root: Path
    dataset: str

    @property
    def folds(self) -> Path:
        return self.root / "folds" / self.dataset

    @property
    def submissions(self) -> Path:
        return self.root / "submissions" / self.dataset

    @property
    def cache(self) -> Path:
        return self.folds / "cache"

    @property
    def fold_table(self) -> Path:
        return self.folds / "folds.csv"

    def fold(self, recipe: str, fold: int) -> Path:
        """The folder of one recipe on one fold."""
        return self.folds / recipe / f"fold{fold}"

    def ready(self) -> "Workspace":
        """Make the folders. UserError if they cannot be written."""
        for folder in (self.folds, self.submissions):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                probe = folder / f".{uuid.uuid4().hex[:12]}-probe"
                probe.touch()
                probe.unlink()
            except OSError as error:
                raise UserError(
                    f"{folder}: expected a folder that can be written to, got: {error.strerror}. "
                    "Change its permissions or run from a copy elsewhere."
                ) from error
        return self


@contextmanager
def as_user_error(path: Path) -> Iterator[None]:
    """Turn an OSError of the block, which writes `path`, into a UserError."""
    try:
        yield
    except BrokenPipeError:  # of the terminal that the block prints to
        raise
    except OSError as error:
        raise UserError(
            f"{path}: expected to write it, got: {error.strerror or error}. Free some space or change the folder's "
            "permissions; the same command then resumes."
        ) from error


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`. It replaces `path` if the block succeeds and is removed if not.

    UserError if it cannot be written: `path` is then unchanged.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex[:12]}-{path.name}")
    try:
        with as_user_error(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb+") as handle:
                os.fsync(handle.fileno())
            temporary.replace(path)
    finally:
        with suppress(OSError):  # there is none, or the disk is gone
            temporary.unlink()


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder beside `folder`. It becomes `folder` if the block succeeds and is removed if not.

    UserError if `folder` is not empty, or if it cannot be written.
    """
    folder = require_empty(folder)
    temporary = folder.with_name(f".{uuid.uuid4().hex[:12]}-{folder.name}")
    with as_user_error(folder):
        for path in folder.parent.glob(f".*-{escape(folder.name)}"):
            if _left_over(path):
                shutil.rmtree(path, ignore_errors=True)
        try:
            temporary.mkdir(parents=True)
            yield temporary
            temporary.replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def require_empty(folder: Path) -> Path:
    """The folder's whole path; UserError unless it is new or empty."""
    try:
        folder = folder.resolve()
        free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise UserError(f"--out {folder}: expected a folder that is new or empty, got: {error}.") from error
    if not free:
        raise UserError(f"--out {folder}: expected a folder that is new or empty. Name another one.")
    return folder


def remove_stale(folder: Path) -> None:
    """Remove the unfinished files of processes that were killed long ago, at any depth."""
    for path in folder.rglob(".*-*"):
        with suppress(OSError):  # another process may have removed it
            if _left_over(path):
                path.unlink()


def _left_over(path: Path) -> bool:
    """Whether this is the unfinished file of a process that died long ago."""
    return bool(LEFT_OVER.fullmatch(path.name)) and time.time() - path.stat().st_mtime > OLD


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write a JSON file atomically, keys in their order."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def digest_of(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Sixteen hex digits that change with any part of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def seal(folder: Path, inputs: dict[str, Any], files: Sequence[str], **facts: Any) -> None:  # noqa: ANN401
    """Write the folder's manifest: its inputs, the digests of its files, and other facts."""
    digests = {name: file_digest(folder / name) for name in files}
    write_json(folder / MANIFEST, {"inputs": inputs, "files": digests, **facts})


def manifest(folder: Path) -> dict[str, Any] | None:
    """The folder's manifest; None if none can be read."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def complete(folder: Path, inputs: dict[str, Any], files: Collection[str] = ()) -> bool:
    """Whether the manifest names these inputs and at least these files, and every file that it names is intact."""
    content = manifest(folder)
    if content is None or content.get("inputs") != json.loads(json.dumps(inputs)):
        return False
    return intact(folder, content, files)


def intact(folder: Path, content: dict[str, Any], files: Collection[str] = ()) -> bool:
    """Whether a manifest names at least these files, and each file that it names has its digest."""
    named = content.get("files")
    if not isinstance(named, dict) or not named or not set(files) <= set(named):
        return False
    try:
        return all(file_digest(folder / name) == want for name, want in named.items())
    except OSError:
        return False
