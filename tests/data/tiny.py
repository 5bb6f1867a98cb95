"""A tiny, valid competition folder for tests: random pixels and labels, in the files and columns that Kaggle gives."""

import io
import zipfile
from pathlib import Path

import numpy as np

from solution.keypoints import BEYOND_FOUR, FACE4, FACE15, SIZE

ANCHOR15 = FACE15.points.index("mouth_left_corner")
ANCHOR4 = FACE15.points.index("nose_tip")


def write_tiny(folder: Path, rows15: int = 20, rows4: int = 20, test15: int = 4, test4: int = 6, seed: int = 0) -> Path:
    """Write training.csv, test.csv, IdLookupTable.csv and SampleSubmission.csv into folder, and give the folder.

    Every tenth point or so is missing; a 15-keypoint row always has a point beyond the four, a 4-keypoint row its
    nose. Pictures are all different. ImageIds count from 1, 15-keypoint pictures first.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "training.csv", [*FACE15.columns, "Image"], _training_rows(rng, rows15, rows4))
    pictures = [_picture(rng) for _ in range(test15 + test4)]
    _write(folder / "test.csv", ["ImageId", "Image"], [[str(i), text] for i, text in enumerate(pictures, start=1)])
    asked = [
        (image, column)
        for image in range(1, test15 + test4 + 1)
        for column in (FACE15 if image <= test15 else FACE4).columns
    ]
    lookup = [[str(row), str(image), column, ""] for row, (image, column) in enumerate(asked, start=1)]
    _write(folder / "IdLookupTable.csv", ["RowId", "ImageId", "FeatureName", "Location"], lookup)
    _write(folder / "SampleSubmission.csv", ["RowId", "Location"], [[row[0], "0"] for row in lookup])
    return folder


def _training_rows(rng: np.random.Generator, rows15: int, rows4: int) -> list[list[str]]:
    rows = []
    for row in range(rows15 + rows4):
        coords = rng.uniform(10, SIZE - 10, (FACE15.size, 2))
        missing = rng.random(FACE15.size) < 0.1
        if row >= rows15:
            missing[BEYOND_FOUR] = True
        missing[ANCHOR15 if row < rows15 else ANCHOR4] = False
        coords[missing] = np.nan
        cells = ["" if np.isnan(value) else f"{value:.6f}" for value in coords.ravel()]
        rows.append([*cells, _picture(rng)])
    return rows


def _picture(rng: np.random.Generator) -> str:
    return " ".join(map(str, rng.integers(0, 256, SIZE * SIZE).tolist()))


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    path.write_text("\n".join([",".join(header), *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")


def zip_of(entries: dict[str, bytes]) -> bytes:
    """A zip with these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as handle:
        for name, content in entries.items():
            handle.writestr(name, content)
    return buffer.getvalue()
