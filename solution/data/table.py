"""CSV files row by row. Each cell is checked when it is read: an error names the file, the data row and the column.

No cell of the competition's files has a comma or a line break, so lines and cells are split as bytes. This and
streaming keep the 200 MB training file fast and small in memory. The Image column has 9216 grey values a row.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solution.data.archive import Source
from solution.keypoints import SIZE
from solution.runtime.errors import UserError

LONGEST_LINE = 2**20  # most bytes of one line; a training row has under 38,000
MOST_LINES = 500_000  # most lines of one file, blank ones included; the lookup table has 27,125
LOWEST, HIGHEST = -SIZE / 2, SIZE * 1.5  # range of a coordinate in pixels: up to half a picture beyond each edge

_INTEGER = re.compile(rb"\d{1,18}")
_NUMBER = re.compile(rb"-?\d+(\.\d*)?([eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One data row."""

    source: Source
    number: int  # counted from 1, without the header
    cells: dict[str, bytes]  # column name to raw cell

    def error(self, text: str) -> UserError:
        """An error with this text that names the row."""
        return UserError(
            f"{self.source}, data row {self.number} (counted from 1, without the header): {text}. "
            f"Is the file cut off or edited? {self.source.remedy}"
        )

    def text(self, column: str) -> str:
        """The cell as text."""
        return readable(self.cells[column])

    def integer(self, column: str) -> int:
        """The cell as an integer, 0 or more."""
        if not _INTEGER.fullmatch(self.cells[column]):
            raise self.error(f"{column}: expected an integer, got {self.text(column)!r}")
        return int(self.cells[column])

    def coordinate(self, column: str) -> float:
        """The cell as a coordinate in pixels, LOWEST to HIGHEST."""
        cell = self.cells[column]
        value = float(cell) if _NUMBER.fullmatch(cell) else float("nan")
        if not LOWEST <= value <= HIGHEST:
            raise self.error(
                f"{column}: expected a coordinate from {LOWEST:g} to {HIGHEST:g} px, got {self.text(column)!r}"
            )
        return value

    def label(self, column: str) -> float:
        """The cell as a coordinate in pixels; NaN where it is empty."""
        return self.coordinate(column) if self.cells[column] else float("nan")


def readable(cell: bytes) -> str:
    """The start of a cell as text, for any bytes."""
    return cell[:40].decode("utf-8", "replace")


def read_rows(source: Source, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a CSV file with exactly these columns, in any order. Blank lines are skipped.

    UserError where the header has other columns or a row has another number of cells.
    """
    lines = _lines(source)
    header = _header(source, next(lines, b""), columns)
    for number, line in enumerate(lines, start=1):
        cells = _split(line)
        row = Row(source, number, dict(zip(header, cells, strict=False)))
        if len(cells) != len(header):
            raise row.error(f"expected {len(header)} cells, got {len(cells)}")
        yield row


def unique(rows: list[Row], column: str) -> dict[int, Row]:
    """The rows by their integer in this column; UserError where an integer comes twice."""
    by_number: dict[int, Row] = {}
    for row in rows:
        earlier = by_number.setdefault(row.integer(column), row)
        if earlier is not row:
            raise row.error(f"{column}: expected a new number, got {row.text(column)} as in data row {earlier.number}")
    return by_number


def _lines(source: Source) -> Iterator[bytes]:
    """The lines that are not blank, without their ends."""
    rest, count = b"", 0
    for chunk in source.chunks():
        *whole, rest = (rest + chunk).split(b"\n")
        count += len(whole)
        if len(rest) > LONGEST_LINE or count > MOST_LINES:
            got = f"a line of more than {LONGEST_LINE} bytes" if count <= MOST_LINES else f"over {MOST_LINES} lines"
            raise UserError(f"{source}: expected a CSV text file, got {got}. {source.remedy}")
        yield from (line for line in whole if line.strip())
    if rest.strip():
        yield rest


def _split(line: bytes) -> list[bytes]:
    """The cells of a line. Quotes are removed, since no cell needs them."""
    return [cell.strip() for cell in line.replace(b'"', b"").split(b",")]


def _header(source: Source, line: bytes, columns: tuple[str, ...]) -> list[str]:
    """The column names in the file's order; UserError unless they are exactly the expected ones."""
    names = [readable(cell) for cell in _split(line.removeprefix(b"\xef\xbb\xbf"))]
    wrong = {
        "missing": [name for name in columns if name not in names],
        "unknown": [name for name in names if name not in columns],
        "repeated": [name for name in columns if names.count(name) > 1],
    }
    faults = [f"{kind}: {_listed(those)}" for kind, those in wrong.items() if those]
    if faults:
        raise UserError(
            f"{source}: expected a header with the {len(columns)} columns {_listed(list(columns))}, got "
            f"{'; '.join(faults)}. {source.remedy}"
        )
    return names


def _listed(names: list[str], most: int = 4) -> str:
    """The first few names for a message; bytes that are no text are escaped."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names)} in all)"


PIXELS = SIZE * SIZE

_GREY = re.compile(rb"\d{1,3}")


def parse_pixels(rows: list[Row]) -> np.ndarray:
    """The rows' pictures, (N, 96, 96) uint8. UserError naming the first row that is not 9216 integers from 0 to 255."""
    cells = [row.cells["Image"] for row in rows]
    pixels = _all_at_once(cells)
    if pixels is None:
        pixels = np.array([_one_by_one(row, cell) for row, cell in zip(rows, cells, strict=True)], dtype=np.uint8)
    return pixels.reshape(-1, SIZE, SIZE)


def _all_at_once(cells: list[bytes]) -> np.ndarray | None:
    """All pictures' values in one call, ten times as fast as word by word; None where a cell has an unusual form.

    A cell with PIXELS - 1 spaces has at most PIXELS values, so the right total means the right count in each.
    """
    text = b" ".join(cells)
    if text.translate(None, b"0123456789 ") or any(cell.count(b" ") != PIXELS - 1 for cell in cells):
        return None
    values = np.fromstring(text, dtype=np.int64, sep=" ")
    if len(values) != len(cells) * PIXELS or values.max() > 255:
        return None
    return values.astype(np.uint8)


def _one_by_one(row: Row, cell: bytes) -> list[int]:
    """One picture's values, (9216,), with any spaces between; UserError naming the first wrong one."""
    words = cell.split()
    if len(words) != PIXELS:
        raise row.error(f"{len(words)} pixels, expected {PIXELS} ({SIZE}×{SIZE})")
    for place, word in enumerate(words, start=1):
        if not _GREY.fullmatch(word) or int(word) > 255:
            raise row.error(f"pixel {place}: expected an integer from 0 to 255, got {readable(word)!r}")
    return [int(word) for word in words]
