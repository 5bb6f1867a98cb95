"""What a bench works on: faces tiled from few drawn ones, their competition files, a run that seems finished."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from solution.data.synthetic.slots import draw_faces
from solution.data.writer import write_test, write_training
from solution.faces import FaceSet, Predictions
from solution.keypoints import FACE15, POINTS, SIZE
from solution.recipe import Recipe
from solution.run import Run
from solution.runtime.artifacts import seal, write_json
from solution.specialists.history import write_history
from solution.specialists.job import Job
from solution.specialists.training import HISTORY, PREDICTIONS, SETTINGS, WEIGHTS, save_parts

DRAWN = 60
"""Faces that are really drawn; all others are these with noise."""

NOISE, ERROR = 6.0, 1.3  # grey levels; pixels


@dataclass(frozen=True)
class FakeData:
    """Labelled faces, and test faces with the labels that their file leaves out."""

    train: FaceSet
    test: FaceSet


@cache
def fake_data(rows: int, test_rows: int) -> FakeData:
    """As many faces as asked for, no two alike, a third of them 15-keypoint rows as in the competition's files."""
    return FakeData(_tiled(rows, 0), _tiled(test_rows, 1))


def _tiled(count: int, seed: int) -> FaceSet:
    rng = np.random.default_rng([count, seed])
    images, points = draw_faces(min(DRAWN, count))
    rows = np.arange(count) % len(images)
    varied = np.empty((count, SIZE, SIZE), np.uint8)
    for start in range(0, count, 500):  # in pieces: the noise is eight times as large as the pictures
        part = images[rows[start : start + 500]]
        varied[start : start + 500] = np.clip(part + rng.normal(0, NOISE, part.shape), 0, 255)
    coords = (points[rows] + rng.normal(0, 1, (count, FACE15.size, 2))).astype(np.float32)
    subset = np.where(np.arange(count) < -(-count // 3), 15, 4).astype(np.int8)
    lacking = np.setdiff1d(np.arange(FACE15.size), POINTS[4])
    coords[np.ix_(subset == 4, lacking)] = np.nan
    return FaceSet(np.arange(count) + seed, varied, coords, FACE15, subset)


def write_competition(folder: Path, faces: FakeData) -> None:
    """The faces as the competition's files."""
    for write, part in ((write_training, faces.train), (write_test, faces.test)):
        write(folder, zip(part.coords, part.images, strict=True))


def fake_finished_run(run: Run, faces: FakeData) -> None:
    """Leave what all of the run's trainings would, the predictions being the labels with noise: for the stages after.

    No network is trained, and the weights are empty.
    """
    for job in run.jobs():
        _fake_training(job, faces)


def _fake_training(job: Job, faces: FakeData) -> None:
    recipe, folder = job.recipe, job.folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([job.fold, *recipe.name.encode()])
    held = faces.train.take(np.isin(faces.train.subset, recipe.subsets) & (job.data.table.fold == job.fold))
    test = faces.test.take(np.isin(faces.test.subset, recipe.subsets))
    save_parts(folder, _predicted(recipe, held, rng), _predicted(recipe, test, rng))
    (folder / WEIGHTS).touch()
    write_json(folder / SETTINGS, recipe.settings())
    last = list(recipe.phases)[-1]
    phase = {"phase": last} if last else {}
    epochs = range(1, recipe.epochs + 1)
    write_history(
        folder / HISTORY, [{"epoch": e, **phase, "loss": 9 / e, "held_rmse": 3.0, "seconds": 1} for e in epochs]
    )
    files = [HISTORY, PREDICTIONS, SETTINGS, WEIGHTS]
    seal(folder, job.inputs, files, seconds=float(recipe.epochs), device="cpu")


def _predicted(recipe: Recipe, faces: FaceSet, rng: np.random.Generator) -> Predictions:
    coords = (faces.coords + rng.normal(0, ERROR, faces.coords.shape)).astype(np.float32)
    for subset in recipe.subsets:
        other = np.setdiff1d(np.arange(FACE15.size), recipe.points(subset))
        coords[np.ix_(faces.subset == subset, other)] = np.nan
    spread = np.where(np.isnan(coords[..., 0]), np.nan, rng.uniform(0.5, 2.0, coords.shape[:2])).astype(np.float32)
    return Predictions(recipe.name, faces.ids, coords, spread)
