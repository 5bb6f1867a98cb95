"""`python -m docs.pictures.make` makes the README's pictures: drawn faces, and the predictions of a network for them.

It takes two minutes on one core. All faces are drawn: no picture shows a person.
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
"""Grey levels are rounded to multiples of this. It halves the files and cannot be seen."""


def main(out: Path = HERE, settings: DrawnSettings = FACES, epochs: int = EPOCHS) -> None:
    """Draw faces, train one fold of `unet_all` on them, and write the pictures into the folder `out`."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    set_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_drawn(root / "faces", settings)
        faces = read_competition(root / "faces", root / "cache")
        _save(out / "drawn_faces.png", _labelled(faces))
        trained = _train(root, faces, epochs)
        _save(out / "predictions.png", _predicted(faces, trained))
        _save(out / "heatmaps.png", _heatmaps(faces, trained))


def _save(path: Path, picture: np.ndarray) -> None:
    """Write a picture in few grey levels."""
    coarse = np.clip(picture.astype(int) // STEP * STEP + STEP // 2, 0, 255).astype(np.uint8)
    drawing.save(path, np.where(picture == 255, picture, coarse))


def _labelled(faces: Competition) -> np.ndarray:
    """A row of 15-keypoint faces above a row of 4-keypoint ones, with their labels."""
    rows = _first(faces.train.subset)
    tiles = [drawing.face(faces.train.images[row], faces.train.coords[row], zoom=2) for row in rows]
    return drawing.sheet(tiles, COLUMNS)


def _first(subset: np.ndarray) -> list[int]:
    """The first COLUMNS rows of each subset."""
    return [row for s in (15, 4) for row in np.flatnonzero(subset == s)[:COLUMNS].tolist()]


def _train(root: Path, faces: Competition, epochs: int) -> Path:
    """The folder of `unet_all`, trained on four fifths of the faces."""
    run = Run(root, Source(root / "faces", "pictures"), "smoke", torch.device("cpu"))
    write_folds(run.workspace.fold_table, make_folds(faces.train), faces.train)
    job = run.job(replace(recipes.load("unet_all").at("smoke"), epochs=epochs), 0)
    job.run(run.device)
    return job.folder


def _predicted(faces: Competition, trained: Path) -> np.ndarray:
    """Test faces, which the network has not seen: rings are the true points, dots the predicted ones."""
    rows = _first(faces.test.subset)
    predictions = predict(trained, faces.test.take(np.array(rows)), torch.device("cpu"))
    assert faces.answered is not None
    truth = faces.answered.coords
    tiles = [
        drawing.face(faces.test.images[row], truth[row], coords, zoom=2)
        for row, coords in zip(rows, predictions.coords, strict=True)
    ]
    return drawing.sheet(tiles, COLUMNS)


def _heatmaps(faces: Competition, trained: Path) -> np.ndarray:
    """Two test faces: the picture, the network's heatmaps over it, and the points decoded from these."""
    _, net, _ = load(trained, torch.device("cpu"))
    rows = np.flatnonzero(faces.test.subset == 15)[COLUMNS : COLUMNS + 2]
    pair = faces.test.take(rows)
    with torch.inference_mode():
        maps = net.body(standardise(torch.from_numpy(pair.images)))[:, : FACE15.size]
    maps = maps.flatten(2).softmax(-1).unflatten(2, maps.shape[2:]).numpy()
    coords = predict(trained, pair, torch.device("cpu")).coords
    tiles = []
    for image, shares, points in zip(pair.images, maps, coords, strict=True):
        tiles += [
            drawing.face(image, zoom=2),
            drawing.heat(image, shares, zoom=2),
            drawing.face(image, points, zoom=2),
        ]
    return drawing.sheet(tiles, COLUMNS)


if __name__ == "__main__":
    main()
