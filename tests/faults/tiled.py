"""`python -m tests.faults.tiled SOURCE TARGET --train N --test M` makes a data set of any size from drawn faces.

Each face is one of SOURCE's with noise of its own, so that no two pictures are the same bytes. Drawing so many would
take hours. The files are marked as drawn: nothing made from them can be submitted.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from solution.data.reader import DRAWN, read_competition
from solution.data.writer import Labelled, write_test, write_training
from solution.faces import FaceSet

NOISE = 6  # grey values, at most


def write_tiled(source: Path, target: Path, train: int, test: int) -> None:
    """Write the competition's files with so many faces, in the order of SOURCE's."""
    with tempfile.TemporaryDirectory() as cache:
        base = read_competition(source, Path(cache))
    assert base.answered is not None
    target.mkdir(parents=True, exist_ok=True)
    (target / DRAWN).write_text("{}")
    write_training(target, _faces(base.train, train, seed=0))
    write_test(target, _faces(base.answered, test, seed=1))


def _faces(base: FaceSet, count: int, seed: int) -> Iterator[Labelled]:
    """So many faces, each with noise of its own."""
    rng = np.random.default_rng(seed)
    for row in np.arange(count) * len(base) // count:
        noise = rng.integers(-NOISE, NOISE + 1, base.images[row].shape)
        yield base.coords[row], np.clip(base.images[row] + noise, 0, 255).astype(np.uint8)


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
