"""Where each of the competition's files lies, and its bytes: a plain file, inside a zip, or inside Kaggle's outer zip.

Nothing is ever unpacked into a folder: content is streamed, and counted while it streams.
"""

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from solution.runtime.artifacts import file_digest
from solution.runtime.errors import UserError

OUTER = "facial-keypoints-detection.zip"
"""What Kaggle's "download all" gives; it holds the other files, some of them zipped once more."""

PAGE = "https://www.kaggle.com/c/facial-keypoints-detection/data"

LIMIT = 4 * 2**30
"""Most bytes that one file may hold, unpacked. Kaggle's largest holds 0.24 GB: far more is a mistake or a zip bomb."""

SMALL, RATIO = 64 * 2**20, 100
"""A larger entry may unpack to so many times its packed size at most. Pixels as text unpack to 4 times."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How entries may be packed. What Kaggle uses; others let a few bytes ask for gigabytes of memory to unpack."""

CHUNK = 2**20

# What a damaged, encrypted or foreign zip makes zipfile raise, and what the disk may answer.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError, OSError,
)  # fmt: skip


class NoRoomError(UserError):
    """There is nothing wrong with the file: the disk has no space to unpack it."""


@dataclass(frozen=True)
class Source:
    """One file of the competition. path: the file on disk; entries: the way to it through zips, empty if plain. remedy:
    what helps where it is damaged, a sentence.
    """

    path: Path
    entries: tuple[str, ...] = ()
    remedy: str = f"Fetch it again from {PAGE}."

    def __str__(self) -> str:
        return ": ".join((str(self.path), *self.entries))

    def digest(self) -> str:
        """SHA-256 of the file on disk, zip and all."""
        try:
            return file_digest(self.path)
        except OSError as error:
            raise _unreadable(self, error) from error

    def chunks(self) -> Iterator[bytes]:
        """The unpacked content in pieces. UserError where it is damaged, unsafe or larger than LIMIT."""
        try:
            with ExitStack() as stack:
                stream: IO[bytes] = stack.enter_context(self.path.open("rb"))
                for depth, entry in enumerate(self.entries):
                    if depth > 0:
                        stream = stack.enter_context(_seekable(stream, self))
                    archive = stack.enter_context(zipfile.ZipFile(stream))
                    stream = stack.enter_context(archive.open(_entry(archive, entry, self)))
                yield from _counted(stream, self)
        except _DAMAGE as error:
            raise _unreadable(self, error) from error


def locate(folder: Path, name: str) -> Source | None:
    """Where the file of this name lies below folder: plain before zip before outer zip. None if nowhere."""
    zipped = Path(name).with_suffix(".zip").name
    if (folder / name).is_file():
        return Source(folder / name)
    if (folder / zipped).is_file():
        return Source(folder / zipped, (name,))
    outer = folder / OUTER
    held = _names(outer) if outer.is_file() else set()
    if name in held:
        return Source(outer, (name,))
    return Source(outer, (zipped, name)) if zipped in held else None


def _names(path: Path) -> set[str]:
    """The names of the files in a zip, without their folders."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {PurePosixPath(name).name for name in archive.namelist()}
    except _DAMAGE as error:
        raise _unreadable(Source(path), error) from error


def _entry(archive: zipfile.ZipFile, name: str, source: Source) -> zipfile.ZipInfo:
    """The one entry of this name, in whatever folder of the zip; UserError if unsafe, missing or ambiguous."""
    for info in archive.infolist():
        if _climbs(info.orig_filename):
            raise UserError(
                f"{source}: expected a zip with plain names, got the entry {info.orig_filename!r}, which leads out of "
                f"the folder. Do not use this file. {source.remedy}"
            )
    found = [info for info in archive.infolist() if PurePosixPath(info.filename).name == name and not info.is_dir()]
    if len(found) != 1:
        raise UserError(
            f"{source}: expected one entry named {name}, got {len(found)} among "
            f"{sorted(archive.namelist())[:5]}. {source.remedy}"
        )
    _check_size(found[0], source)
    if found[0].compress_type not in METHODS:
        raise UserError(
            f"{source}: expected an entry that is stored or deflated, got method {found[0].compress_type}. "
            f"{source.remedy}"
        )
    return found[0]


def _check_size(info: zipfile.ZipInfo, source: Source) -> None:
    """UserError where the entry says that it unpacks to more than any of the competition's files would."""
    if info.file_size > LIMIT:
        raise _too_large(source, f"{info.file_size} bytes declared")
    if info.file_size > max(SMALL, RATIO * info.compress_size):
        raise _too_large(source, f"{info.file_size} bytes declared of {info.compress_size} packed ones")


def _climbs(name: str) -> bool:
    """Whether a zip entry's name is absolute or leads upwards, on any operating system."""
    path = PureWindowsPath(name)  # understands both kinds of slashes
    return bool(path.anchor) or ".." in path.parts


def _counted(stream: IO[bytes], source: Source) -> Iterator[bytes]:
    """The stream in pieces; UserError once it has given more than LIMIT bytes."""
    total = 0
    while chunk := stream.read(CHUNK):
        total += len(chunk)
        if total > LIMIT:
            raise _too_large(source, f"at least {total} bytes")
        yield chunk


def _seekable(stream: IO[bytes], source: Source) -> IO[bytes]:
    """The stream's content in a nameless temporary file: a zip in a zip must be read from its end.

    NoRoomError where there is no space for it.
    """
    with _room(source):
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's stack closes it
    for chunk in _counted(stream, source):
        with _room(source):
            copy.write(chunk)
    with _room(source):
        copy.seek(0)  # writes what is still in its buffer
    return copy


@contextmanager
def _room(source: Source) -> Iterator[None]:
    """Let what the disk says of the temporary file in the block come out as NoRoomError."""
    try:
        yield
    except OSError as error:
        raise NoRoomError(
            f"{source}: expected room to unpack it in {tempfile.gettempdir()}, got: {error.strerror or error}. "
            "Free some space there, or name another folder as TMPDIR."
        ) from error


def _too_large(source: Source, got: str) -> UserError:
    return UserError(
        f"{source}: expected at most {LIMIT} bytes unpacked, got {got}. "
        f"This is not the competition's file. {source.remedy}"
    )


def _unreadable(source: Source, error: Exception) -> UserError:
    reason = str(error) or type(error).__name__
    return UserError(
        f"{source}: expected a whole file that can be read, got: {reason}. "
        f"Is it cut off? {source.remedy} See that you may read it."
    )
