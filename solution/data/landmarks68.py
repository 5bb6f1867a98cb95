"""Pictures labelled with 68 points: one *_frames_keypoints.csv and its pictures, in a folder or a zip, however nested.

The CSV's header has an empty cell and 0 to 135; a row has the picture's file name, then x0, y0 … x67, y67 in pixels of
that picture. Nothing is unpacked into a folder.
"""

import csv
import hashlib
import io
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np

from solution.data.images import LARGEST_FILE, decode
from solution.keypoints import FACE68
from solution.runtime.artifacts import digest_of
from solution.runtime.errors import UserError

TABLE = "_frames_keypoints.csv"
"""How the name of the table of labels ends."""

CELLS = 1 + 2 * FACE68.size


@dataclass(frozen=True, eq=False)
class Frames:
    """Grey pictures of any size with their 68 points.

    names: (N,) file names. images: N pictures (H, W) uint8. coords: (N, 68, 2) float32, pixels of each picture.
    digests: sixteen hex digits of each picture's file. flaws: one line for each row left out, with what is wrong.
    """

    names: tuple[str, ...]
    images: tuple[np.ndarray, ...]
    coords: np.ndarray
    digests: tuple[str, ...]
    flaws: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> "Frames":
        """The pictures at these rows (indices or a mask), in that order."""
        chosen = np.arange(len(self))[rows].tolist()
        names, images, digests = (tuple(a[i] for i in chosen) for a in (self.names, self.images, self.digests))
        return Frames(names, images, self.coords[rows], digests, self.flaws)

    @property
    def persons(self) -> tuple[str, ...]:
        """Who each picture shows: its file name before the last underscore and number."""
        return tuple(re.sub(r"_\d+$", "", PurePosixPath(name).stem) for name in self.names)

    def digest(self) -> str:
        """Sixteen hex digits that change with any name, picture or label."""
        return digest_of([self.names, self.digests, self.coords.tolist()])


def read_frames(path: Path) -> Frames:
    """Every labelled picture of a folder or zip. A row that is wrong is left out and named in `flaws`.

    UserError where there is no such table, or no row of it can be used.
    """
    shelf = _open(path)
    tables = _tables(shelf.names())
    if len(tables) != 1:
        raise UserError(f"{path}: expected one file …{TABLE} with labels, got {len(tables)}{_listed(tables)}")
    names, images, coords, digests, flaws = [], [], [], [], []
    pictures = _by_name(shelf.names())
    for where, cells in _rows(f"{path}: {tables[0]}", shelf.read(tables[0])):
        try:
            points = _points(where, cells)
            data = shelf.read(_entry(where, cells[0], pictures))
            image = decode(f"{where}: {cells[0]}", data).grey
            _check_range(where, cells[0], points, image)
        except UserError as error:
            flaws.append(str(error))
            continue
        names.append(cells[0])
        images.append(image)
        coords.append(points)
        digests.append(hashlib.sha256(data).hexdigest()[:16])
    if not names:
        raise UserError(f"{path}: expected labelled pictures, got none{'; ' + flaws[0] if flaws else ''}")
    return Frames(tuple(names), tuple(images), np.stack(coords), tuple(digests), tuple(flaws))


def without_flaws(frames: Frames) -> Frames:
    """The frames as given; UserError with the first flaw where there is any."""
    if frames.flaws:
        more = f" ({len(frames.flaws) - 1} more rows like that)" if len(frames.flaws) > 1 else ""
        raise UserError(frames.flaws[0] + more)
    return frames


class _Shelf(Protocol):
    def names(self) -> list[str]:
        """Every file's name, with its folders."""

    def read(self, name: str) -> bytes:
        """A file's bytes; UserError where it cannot be read."""


@dataclass(frozen=True)
class _Folder:
    path: Path

    def names(self) -> list[str]:
        return sorted(file.relative_to(self.path).as_posix() for file in self.path.rglob("*") if file.is_file())

    def read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise UserError(f"{self.path / name}: expected a file that can be read, got: {error.strerror}") from error


@dataclass(frozen=True)
class _Zip:
    path: Path
    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        return sorted(info.filename for info in self.archive.infolist() if not info.is_dir())

    def read(self, name: str) -> bytes:
        try:
            with self.archive.open(name) as stream:
                data = stream.read(LARGEST_FILE + 1)
        except Exception as error:  # a damaged zip raises many kinds; each means the same
            raise UserError(f"{self.path}: {name}: expected a whole entry, got: {error}. Is it cut off?") from error
        if len(data) > LARGEST_FILE:
            raise UserError(f"{self.path}: {name}: expected at most {LARGEST_FILE} bytes unpacked")
        return data


def _open(path: Path) -> _Shelf:
    if path.is_dir():
        folder = _Folder(path)
        zips = [name for name in folder.names() if name.endswith(".zip")]
        if len(zips) == 1 and not _tables(folder.names()):
            return _open(path / zips[0])
        return folder
    if not path.is_file():
        raise UserError(f"{path}: expected a zip or folder with …{TABLE} and its pictures, found none")
    try:
        return _Zip(path, zipfile.ZipFile(path))
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UserError(f"{path}: expected a whole zip, got: {error}. Is it cut off?") from error


def _rows(source: str, data: bytes) -> Iterator[tuple[str, list[str]]]:
    """Each data row's place, for messages, and its cells."""
    lines = csv.reader(io.StringIO(data.decode("utf-8-sig", "replace")))
    try:
        header = next(lines, [])
        if len(header) != CELLS or header[1:] != [str(i) for i in range(CELLS - 1)]:
            got = f"{len(header)} columns beginning with {header[:4]}"
            raise UserError(f"{source}: expected a header of an empty cell and 0 to {CELLS - 2}, got {got}")
        for number, cells in enumerate(lines, start=1):
            if cells:
                yield f"{source}, data row {number}", cells
    except csv.Error as error:
        raise UserError(f"{source}: expected a CSV text file, got: {error}") from error


def _points(where: str, cells: list[str]) -> np.ndarray:
    """A row's points, (68, 2) float32."""
    if len(cells) != CELLS:
        raise UserError(f"{where} ({cells[0][:60]}): expected {CELLS - 1} coordinates, got {len(cells) - 1}")
    try:
        values = [float(cell) for cell in cells[1:]]
    except ValueError as error:
        raise UserError(f"{where} ({cells[0][:60]}): expected numbers, got: {error}") from error
    if not all(map(math.isfinite, values)):
        raise UserError(f"{where} ({cells[0][:60]}): expected finite coordinates")
    return np.array(values, np.float32).reshape(-1, 2)


def _tables(entries: list[str]) -> list[str]:
    return [entry for bare, found in _by_name(entries).items() if bare.endswith(TABLE) for entry in found]


def _by_name(entries: list[str]) -> dict[str, list[str]]:
    """Where the files of each bare name lie; what macOS adds to zips is passed over."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        bare = PurePosixPath(entry).name
        if not bare.startswith("._"):
            found.setdefault(bare, []).append(entry)
    return found


def _entry(where: str, name: str, pictures: dict[str, list[str]]) -> str:
    """Where the row's picture lies."""
    entries = pictures.get(PurePosixPath(name).name, [])
    if len(entries) != 1:
        raise UserError(f"{where}: expected one picture {name[:60]!r} with the table, found {len(entries)}")
    return entries[0]


def _check_range(where: str, name: str, points: np.ndarray, image: np.ndarray) -> None:
    """UserError where a point lies more than the picture's size outside of it: a wrong row or a wrong picture."""
    size = np.array(image.shape[::-1])
    if (points < -size).any() or (points > 2 * size).any():
        raise UserError(f"{where} ({name[:60]}): expected points about the picture of {size[0]}×{size[1]} pixels")


def _listed(names: list[str]) -> str:
    return f": {', '.join(names[:3])}" if names else ""
