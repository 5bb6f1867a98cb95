"""Write the competition's files in Kaggle's format, with the answers to the test file."""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from solution.data.reader import ANSWERS, LOOKUP, SAMPLE, TEST, TRAINING
from solution.keypoints import FACE15
from solution.runtime.artifacts import atomic, write_text

Labelled = tuple[np.ndarray, np.ndarray]
"""A face's labels, (15, 2) in pixels with NaN for none, and its picture, (96, 96) uint8."""

_BYTES = [str(value) for value in range(256)]


def write_training(folder: Path, faces: Iterable[Labelled]) -> None:
    """Write training.zip. The same bytes for the same faces."""

    def lines() -> Iterator[str]:
        yield ",".join((*FACE15.columns, "Image"))
        for coords, image in faces:
            yield ",".join([*map(cell, coords.ravel().tolist()), _pixels(image)])

    _write_zip(folder / TRAINING, lines())


def write_test(folder: Path, faces: Iterable[Labelled]) -> None:
    """Write test.zip, its ImageIds counted from 1, then IdLookupTable.csv, which asks for each label there is,
    SampleSubmission.csv, and answers.csv with these labels. The same bytes for the same faces.
    """
    asked: list[tuple[int, str, str]] = []

    def lines() -> Iterator[str]:
        yield "ImageId,Image"
        for identity, (coords, image) in enumerate(faces, 1):
            values = map(cell, coords.ravel().tolist())
            asked.extend((identity, name, value) for name, value in zip(FACE15.columns, values, strict=True) if value)
            yield f"{identity},{_pixels(image)}"

    _write_zip(folder / TEST, lines())
    lookup = [f"{row},{identity},{name}," for row, (identity, name, _) in enumerate(asked, 1)]
    write_lines(folder / LOOKUP, "RowId,ImageId,FeatureName,Location", lookup)
    write_lines(folder / SAMPLE, "RowId,Location", [f"{row},0" for row in range(1, len(asked) + 1)])
    write_lines(folder / ANSWERS, "RowId,Location", [f"{row},{value}" for row, (_, _, value) in enumerate(asked, 1)])


def write_lines(path: Path, header: str, lines: list[str]) -> None:
    """A plain CSV file."""
    write_text(path, "\n".join([header, *lines]) + "\n")


def cell(value: float) -> str:
    """A coordinate with up to eight decimals; empty for NaN."""
    return "" if np.isnan(value) else f"{value:.8f}".rstrip("0").rstrip(".")


def _write_zip(path: Path, lines: Iterator[str]) -> None:
    """One CSV in a zip of the same name, its time stamp fixed so that equal content makes equal bytes."""
    entry = zipfile.ZipInfo(path.name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with (
        atomic(path.with_suffix(".zip")) as temporary,
        zipfile.ZipFile(temporary, "w", compresslevel=1) as archive,
        archive.open(entry, "w", force_zip64=True) as handle,
    ):
        for line in lines:
            handle.write(line.encode() + b"\n")


def _pixels(image: np.ndarray) -> str:
    return " ".join([_BYTES[value] for value in image.ravel().tolist()])
