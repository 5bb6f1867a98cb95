"""`python -m tests.faults.tiled SOURCE TARGET --train N --test M` makes a data set of any size out of drawn faces.

Each face is one of SOURCE's with noise of its own, so that no two pictures are the same bytes. Drawing so many anew
would take hours. The files are marked as drawn: nothing made from them can be submitted.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from solution.data.reader import DRAWN, LOOKUP, TEST, TRAINING, read_competition
from solution.faces import FaceSet
from solution.keypoints import FACE4, FACE15
from solution.runtime.artifacts import atomic

NOISE = 6  # grey values, at most
GREY = [str(value) for value in range(256)]


def write_tiled(source: Path, target: Path, train: int, test: int) -> None:
    """Write training.csv, test.csv and IdLookupTable.csv with so many faces, in the order of SOURCE's."""
    with tempfile.TemporaryDirectory() as cache:
        base = read_competition(source, Path(cache))
    target.mkdir(parents=True, exist_ok=True)
    (target / DRAWN).write_text("{}")
    _write(target / TRAINING, _training(base.train, train))
    _write(target / TEST, _test(base.test, test))
    _write(target / LOOKUP, _lookup(base.test, test))


def _rows(base: FaceSet, count: int) -> np.ndarray:
    """Which face of the base each of `count` is, in order."""
    return np.arange(count) * len(base) // count


def _training(base: FaceSet, count: int) -> Iterator[str]:
    yield ",".join((*FACE15.columns, "Image"))
    for place, row in enumerate(_rows(base, count).tolist()):
        cells = ["" if np.isnan(value) else f"{value:.4f}" for value in base.coords[row].ravel().tolist()]
        yield ",".join([*cells, _pixels(base.images[row], place)])


def _test(base: FaceSet, count: int) -> Iterator[str]:
    yield "ImageId,Image"
    for place, row in enumerate(_rows(base, count).tolist()):
        yield f"{place + 1},{_pixels(base.images[row], -1 - place)}"


def _lookup(base: FaceSet, count: int) -> Iterator[str]:
    yield "RowId,ImageId,FeatureName,Location"
    subset = base.subset[_rows(base, count)].tolist()
    asked = ((image, name) for image, s in enumerate(subset, 1) for name in (FACE15 if s == 15 else FACE4).columns)
    yield from (f"{row},{image},{name}," for row, (image, name) in enumerate(asked, 1))


def _pixels(image: np.ndarray, seed: int) -> str:
    noise = np.random.default_rng(seed % 2**32).integers(-NOISE, NOISE + 1, image.size)
    return " ".join([GREY[value] for value in np.clip(image.ravel() + noise, 0, 255).tolist()])


def _write(path: Path, lines: Iterator[str]) -> None:
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8") as handle:
        for line in lines:
            handle.write(line + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--train", type=int, required=True)
    parser.add_argument("--test", type=int, required=True)
    options = parser.parse_args()
    write_tiled(options.source, options.target, options.train, options.test)


if __name__ == "__main__":
    main()
