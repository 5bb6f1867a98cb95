"""Pictures labelled with 68 points: one *_frames_keypoints.csv and its pictures, in a folder or a zip.

The CSV's header has an empty cell and 0 to 135. A row has the picture's file name, then x0, y0 … x67, y67 in pixels of
that picture. Files may be in any folder, and nothing is unpacked.
"""

import csv
import hashlib
import io
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from solution.data.images import LARGEST_FILE, decode
from solution.keypoints import FACE68
from solution.runtime.artifacts import digest_of
from solution.runtime.errors import UserError

TABLE = "_frames_keypoints.csv"  # how the name of the table of labels ends
CELLS = 1 + 2 * FACE68.size


File = Path | zipfile.Path  # a file of a folder or an entry of a zip


@dataclass(frozen=True, eq=False)
class Frames:
    """N grey pictures of any size with their 68 points."""

    names: tuple[str, ...]  # file names, (N,)
    images: tuple[np.ndarray, ...]  # N pictures (H, W) uint8
    coords: np.ndarray  # (N, 68, 2) float32, pixels of each picture
    digests: tuple[str, ...]  # sixteen hex digits of each picture's file, (N,)
    flaws: tuple[str, ...] = ()  # what is wrong with each row that is left out, a line each

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> "Frames":
        """The pictures at these rows (indices or a mask), in that order."""
        chosen = np.arange(len(self))[rows].tolist()
        names, images, digests = (tuple(a[i] for i in chosen) for a in (self.names, self.images, self.digests))
        return Frames(names, images, self.coords[rows], digests, self.flaws)

    @property
    def persons(self) -> tuple[str, ...]:
        """The person of each picture: its file name before the last underscore and number."""
        return tuple(re.sub(r"_\d+$", "", PurePosixPath(name).stem) for name in self.names)

    def digest(self) -> str:
        """Sixteen hex digits that change with any name, picture or label."""
        return digest_of([self.names, self.digests, self.coords.tolist()])


def read_frames(path: Path) -> Frames:
    """Every labelled picture of a folder or zip. A row that is wrong is left out and named in `flaws`.

    UserError where there is not exactly one such table, or where no row of it can be used.
    """
    files = _files(path)
    tables = [file for name, same in files.items() if name.endswith(TABLE) for file in same]
    if len(tables) != 1:
        listed = f": {', '.join(map(str, tables[:3]))}" if tables else ""
        raise UserError(f"{path}: expected one file …{TABLE} with labels, got {len(tables)}{listed}")
    names, images, coords, digests, flaws = [], [], [], [], []
    for where, cells in _rows(str(tables[0]), _read(tables[0])):
        try:
            points = _points(where, cells)
            data = _read(_picture(where, cells[0], files))
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
    """The same frames; UserError with the first flaw where there is any."""
    if frames.flaws:
        more = f" ({len(frames.flaws) - 1} more rows like that)" if len(frames.flaws) > 1 else ""
        raise UserError(frames.flaws[0] + more)
    return frames


def _files(path: Path) -> dict[str, list[File]]:
    """The files of a folder or zip by their names without folders; a folder with a single zip is read as that zip."""
    if path.is_dir():
        paths = sorted(file for file in path.rglob("*") if file.is_file())
        zips = [file for file in paths if file.name.endswith(".zip")]
        files = _by_name(paths)
        return _files(zips[0]) if len(zips) == 1 and not any(name.endswith(TABLE) for name in files) else files
    if not path.is_file():
        raise UserError(f"{path}: expected a zip or folder with …{TABLE} and its pictures, got nothing there")
    try:
        archive = zipfile.ZipFile(path)
        entries = sorted(name for name in archive.namelist() if not name.endswith("/"))
        return _by_name([zipfile.Path(archive, name) for name in entries])
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UserError(f"{path}: expected a whole zip, got: {error}. Is it cut off?") from error


def _by_name(files: Sequence[File]) -> dict[str, list[File]]:
    """Files by their names without folders. The files that macOS adds to zips are left out."""
    by_name: dict[str, list[File]] = {}
    for file in files:
        if not file.name.startswith("._"):
            by_name.setdefault(file.name, []).append(file)
    return by_name


def _read(file: File) -> bytes:
    """A file's bytes. UserError where it is damaged or unpacks to more than LARGEST_FILE bytes."""
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except Exception as error:  # a damaged zip raises many types of errors, and each means the same
        raise UserError(f"{file}: expected a whole file that can be read, got: {error}. Is it cut off?") from error
    if len(data) > LARGEST_FILE:
        raise UserError(f"{file}: expected at most {LARGEST_FILE} bytes, got more")
    return bytes(data)


def _rows(source: str, data: bytes) -> Iterator[tuple[str, list[str]]]:
    """Each data row's place for error messages, and its cells."""
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


def _picture(where: str, name: str, files: dict[str, list[File]]) -> File:
    """The row's picture."""
    same = files.get(PurePosixPath(name).name, [])
    if len(same) != 1:
        raise UserError(f"{where}: expected one picture {name[:60]!r} with the table, got {len(same)}")
    return same[0]


def _check_range(where: str, name: str, points: np.ndarray, image: np.ndarray) -> None:
    """UserError where a point is more than the picture's size outside of it: the row or the picture is wrong."""
    size = np.array(image.shape[::-1])
    if (points < -size).any() or (points > 2 * size).any():
        raise UserError(f"{where} ({name[:60]}): expected points in or near the picture of {size[0]}×{size[1]} pixels")
