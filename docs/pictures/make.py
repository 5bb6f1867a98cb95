"""`python -m docs.pictures.make` makes the README's pictures: drawn faces, and what a network trained on them says.

Two minutes on one core. Drawn faces only: no picture here shows anybody.
"""

import logging
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from solution import recipes
from solution.data.competition import Competition
from solution.data.folds import make_folds, write_folds
from solution.data.reader import read_competition
from solution.data.synthetic import DrawnSettings, write_drawn
from solution.keypoints import FACE15
from solution.report import drawing
from solution.run import Run, Source
from solution.runtime.device import set_threads
from solution.specialists.landmarks.network import standardise
from solution.specialists.landmarks.predict import load, predict

HERE = Path(__file__).parent
FACES = DrawnSettings(train15=400, train4=300, test15=20, test4=20, noise15=0, noise4=0, drift=0)
EPOCHS = 20
COLUMNS = 6
STEP = 6
"""Grey levels are drawn in steps of so many: half the bytes, and nobody sees it."""


def main() -> None:
    """Draw, train one fold of `unet_all`, and write the pictures beside this file."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    set_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_drawn(root / "faces", FACES)
        faces = read_competition(root / "faces", root / "cache")
        keep("drawn_faces", _labelled(faces))
        trained = _train(root, faces)
        keep("predictions", _predicted(faces, trained))
        keep("heatmaps", _heatmaps(faces, trained))


def keep(name: str, picture: np.ndarray) -> Path:
    """Write a picture beside this file, in few grey levels."""
    coarse = np.clip(picture.astype(int) // STEP * STEP + STEP // 2, 0, 255).astype(np.uint8)
    return drawing.save(HERE / f"{name}.png", np.where(picture == 255, picture, coarse))


def _labelled(faces: Competition) -> np.ndarray:
    """A row of 15-keypoint faces above a row of 4-keypoint ones, with their labels."""
    rows = _first(faces.train.subset)
    tiles = [drawing.face(faces.train.images[row], faces.train.coords[row], zoom=2) for row in rows]
    return drawing.sheet(tiles, COLUMNS)


def _first(subset: np.ndarray) -> list[int]:
    """The first COLUMNS rows of each subset."""
    return [row for s in (15, 4) for row in np.flatnonzero(subset == s)[:COLUMNS].tolist()]


def _train(root: Path, faces: Competition) -> Path:
    """The folder of `unet_all`, trained on four fifths of the faces."""
    run = Run(root, Source(root / "faces", "pictures"), "smoke", torch.device("cpu"))
    write_folds(run.workspace.fold_table, make_folds(faces.train), faces.train)
    job = run.job(replace(recipes.load("unet_all").at("smoke"), epochs=EPOCHS), 0)
    job.run(run.device)
    return job.folder


def _predicted(faces: Competition, trained: Path) -> np.ndarray:
    """Test faces that the network has not seen: rings where the points are, dots where it says they are."""
    rows = _first(faces.test.subset)
    found = predict(trained, faces.test.take(np.array(rows)), torch.device("cpu"))
    assert faces.answered is not None
    truth = faces.answered.coords
    tiles = [
        drawing.face(faces.test.images[row], truth[row], coords, zoom=2)
        for row, coords in zip(rows, found.coords, strict=True)
    ]
    return drawing.sheet(tiles, COLUMNS)


def _heatmaps(faces: Competition, trained: Path) -> np.ndarray:
    """Two test faces: as they are, below the network's heatmaps, and with the points read off these."""
    _, net, _ = load(trained, torch.device("cpu"))
    rows = np.flatnonzero(faces.test.subset == 15)[COLUMNS : COLUMNS + 2]
    some = faces.test.take(rows)
    with torch.inference_mode():
        maps = net.body(standardise(torch.from_numpy(some.images)))[:, : FACE15.size]
    maps = maps.flatten(2).softmax(-1).unflatten(2, maps.shape[2:]).numpy()
    coords = predict(trained, some, torch.device("cpu")).coords
    tiles = []
    for image, shares, points in zip(some.images, maps, coords, strict=True):
        tiles += [
            drawing.face(image, zoom=2),
            drawing.heat(image, shares, zoom=2),
            drawing.face(image, points, zoom=2),
        ]
    return drawing.sheet(tiles, COLUMNS)


if __name__ == "__main__":
    main()
