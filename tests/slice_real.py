"""`python -m tests.slice_real SOURCE TARGET --every N` makes a small data set of every Nth row of a large one."""

import argparse
import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from solution.runtime.artifacts import write_text


def slice_folder(source: Path, target: Path, every: int) -> None:
    """Write every Nth row of the training and test files of `source`, and what is asked of the test rows kept.

    source: training.zip, test.zip, IdLookupTable.csv, SampleSubmission.csv. target: the same four as plain CSVs; the
    RowIds and ImageIds stay as they are.
    """
    _write(target / "training.csv", _every(_zipped(source / "training.zip"), every))
    test = list(_every(_zipped(source / "test.zip"), every))
    _write(target / "test.csv", test)
    kept = {line.split(",", 1)[0] for line in test[1:]}
    header, *asked = _rows(source / "IdLookupTable.csv")
    asked = [row for row in asked if row[header.index("ImageId")] in kept]
    rows = {row[header.index("RowId")] for row in asked}
    _write_rows(target / "IdLookupTable.csv", [header, *asked])
    header, *sample = _rows(source / "SampleSubmission.csv")
    _write_rows(
        target / "SampleSubmission.csv", [header, *(row for row in sample if row[header.index("RowId")] in rows)]
    )


def _zipped(path: Path) -> Iterator[str]:
    """The lines of the CSV in a zip of the same name."""
    with zipfile.ZipFile(path) as archive, archive.open(path.with_suffix(".csv").name) as handle:
        yield from (line.rstrip("\r\n") for line in io.TextIOWrapper(handle, encoding="utf-8", newline=""))


def _every(lines: Iterator[str], every: int) -> Iterator[str]:
    """The header and every Nth data row, the first one included."""
    yield next(lines)
    yield from (line for row, line in enumerate(lines) if row % every == 0)


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.reader(handle))


def _write_rows(path: Path, rows: list[list[str]]) -> None:
    _write(path, (",".join(row) for row in rows))


def _write(path: Path, lines: "Iterator[str] | list[str]") -> None:
    write_text(path, "\n".join(lines) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--every", type=int, required=True)
    options = parser.parse_args()
    slice_folder(options.source, options.target, options.every)


if __name__ == "__main__":
    main()
