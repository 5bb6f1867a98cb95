"""Find and read each of the competition's files: a plain file, inside a zip, or inside Kaggle's outer zip.

Nothing is unpacked into a folder. Content is streamed, and its size is checked while it streams.
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
"""The file of Kaggle's "download all"; it holds the other files, some of them zipped once more."""

PAGE = "https://www.kaggle.com/c/facial-keypoints-detection/data"

LIMIT = 4 * 2**30  # Most bytes of one unpacked file. Kaggle's largest has 0.24 GB; far more is a mistake or a zip bomb.
SMALL, RATIO = 64 * 2**20, 100
"""An entry of more than SMALL bytes may unpack to RATIO times its packed size at most. Pixels as text: 4 times."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How entries may be packed. Kaggle uses these; with others a few bytes can ask for gigabytes of memory."""

CHUNK = 2**20

# The errors of zipfile for a damaged, encrypted or foreign zip, and those of the disk.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError, OSError,
)  # fmt: skip


class NoRoomError(UserError):
    """The file is not at fault: the disk has no space to unpack it."""


@dataclass(frozen=True)
class Source:
    """One file of the competition."""

    path: Path  # the file on disk
    entries: tuple[str, ...] = ()  # the entry in the zip, or in each nested zip; empty for a plain file
    remedy: str = f"Fetch it again from {PAGE}."  # what helps where the file is damaged, a sentence

    def __str__(self) -> str:
        return ": ".join((str(self.path), *self.entries))

    def digest(self) -> str:
        """SHA-256 of the file on disk, packed as it is."""
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
    """The file of this name in a folder: plain, else zipped, else in the outer zip. None where it is nowhere."""
    zipped = Path(name).with_suffix(".zip").name
    if (folder / name).is_file():
        return Source(folder / name)
    if (folder / zipped).is_file():
        return Source(folder / zipped, (name,))
    outer = folder / OUTER
    inside = _names(outer) if outer.is_file() else set()
    if name in inside:
        return Source(outer, (name,))
    return Source(outer, (zipped, name)) if zipped in inside else None


def _names(path: Path) -> set[str]:
    """The names of the files in a zip, without their folders."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {PurePosixPath(name).name for name in archive.namelist()}
    except _DAMAGE as error:
        raise _unreadable(Source(path), error) from error


def _entry(archive: zipfile.ZipFile, name: str, source: Source) -> zipfile.ZipInfo:
    """The one entry of this name in any folder of the zip. UserError where it is unsafe, too large or not alone."""
    for info in archive.infolist():
        path = PureWindowsPath(info.orig_filename)  # understands both kinds of slashes
        if path.anchor or ".." in path.parts:
            raise UserError(
                f"{source}: expected a zip with plain names, got the entry {info.orig_filename!r}, which leads out of "
                f"the folder. Do not use this file. {source.remedy}"
            )
    same = [info for info in archive.infolist() if PurePosixPath(info.filename).name == name and not info.is_dir()]
    if len(same) != 1:
        raise UserError(
            f"{source}: expected one entry named {name}, got {len(same)} among {sorted(archive.namelist())[:5]}. "
            f"{source.remedy}"
        )
    (entry,) = same
    if entry.file_size > LIMIT:
        raise _too_large(source, f"{entry.file_size} bytes declared")
    if entry.file_size > max(SMALL, RATIO * entry.compress_size):
        raise _too_large(source, f"{entry.file_size} bytes declared of {entry.compress_size} packed ones")
    if entry.compress_type not in METHODS:
        raise UserError(
            f"{source}: expected an entry that is stored or deflated, got method {entry.compress_type}. {source.remedy}"
        )
    return entry


def _counted(stream: IO[bytes], source: Source) -> Iterator[bytes]:
    """The stream in pieces. UserError after more than LIMIT bytes: the declared size may be wrong."""
    total = 0
    while chunk := stream.read(CHUNK):
        total += len(chunk)
        if total > LIMIT:
            raise _too_large(source, f"at least {total} bytes")
        yield chunk


def _seekable(stream: IO[bytes], source: Source) -> IO[bytes]:
    """The stream's content in a nameless temporary file, since a zip in a zip must be read from its end.

    NoRoomError where there is no space for it.
    """
    with _room(source):
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's stack closes it
    for chunk in _counted(stream, source):
        with _room(source):
            copy.write(chunk)
    with _room(source):
        copy.seek(0)  # also writes what is still buffered
    return copy


@contextmanager
def _room(source: Source) -> Iterator[None]:
    """Turn an error of the disk in the block into NoRoomError."""
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
    return UserError(
        f"{source}: expected a whole file that can be read, got: {str(error) or type(error).__name__}. "
        f"Is it cut off? {source.remedy} Check that you have permission to read it."
    )
