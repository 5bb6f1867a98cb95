"""Where things lie, atomic writes, and manifests: written last, so a manifest that matches means done."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solution.errors import UserError

MANIFEST = "manifest.json"


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
        """Make the folders; UserError where they cannot be written."""
        for folder in (self.folds, self.submissions):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                probe = folder / f".probe-{uuid.uuid4().hex}"
                probe.touch()
                probe.unlink()
            except OSError as error:
                raise UserError(
                    f"{folder}: expected a folder that can be written to, got: {error.strerror}. "
                    "Change its permissions or run from a copy elsewhere."
                ) from error
        return self


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; put it in place when the block ends well, remove it when not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex[:12]}-{path.name}")
    try:
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write a JSON file atomically, keys in the order given."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def digest_of(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Sixteen hex digits that change with any part of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def seal(folder: Path, inputs: dict[str, Any], files: Sequence[str], **facts: Any) -> None:  # noqa: ANN401
    """Write the folder's manifest: what it was made from, the digests of its files, and facts worth keeping."""
    digests = {name: file_digest(folder / name) for name in files}
    write_json(folder / MANIFEST, {"inputs": inputs, "files": digests, **facts})


def manifest(folder: Path) -> dict[str, Any] | None:
    """The folder's manifest, or None when there is none that can be read."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def complete(folder: Path, inputs: dict[str, Any]) -> bool:
    """Whether the folder's manifest names these inputs and its files are as the manifest says."""
    content = manifest(folder)
    if content is None or content.get("inputs") != json.loads(json.dumps(inputs)):
        return False
    return intact(folder, content)


def intact(folder: Path, content: dict[str, Any]) -> bool:
    """Whether each file that a manifest names is there with the digest it names."""
    files = content.get("files", {})
    return all((folder / name).is_file() and file_digest(folder / name) == want for name, want in files.items())
