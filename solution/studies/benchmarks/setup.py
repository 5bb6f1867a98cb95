"""What the parts of a benchmark share: sizes, recipes, artificial data, and a run whose trainings seem finished."""

import contextlib
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch

from solution import pipeline, recipes
from solution.data.folds import make_folds, write_folds
from solution.data.reader import has_competition
from solution.data.synthetic.slots import draw_faces
from solution.data.writer import write_test, write_training
from solution.faces import FaceSet, Predictions
from solution.keypoints import FACE15, POINTS, SIZE
from solution.recipe import Recipe
from solution.run import Run, Source
from solution.runtime.artifacts import seal, write_json
from solution.specialists.history import write_history
from solution.specialists.job import METHODS, Job
from solution.specialists.landmarks.pretrained import InitWeights
from solution.specialists.training import HISTORY, PREDICTIONS, SETTINGS, WEIGHTS, Training, save_parts
from solution.studies.benchmarks.timer import Meter

RANDOM = InitWeights(wanted=False)


@dataclass(frozen=True)
class Size:
    """How much a benchmark measures."""

    rows: int = 6000
    """Rows of the training file."""
    test: int = 600
    """Rows of the test file."""
    batches: int = 4
    """Batches of an epoch."""
    faces: int = 192
    """Faces that are predicted in one call."""
    repeats: int = 5
    folds: int = 5

    @property
    def slow_repeats(self) -> int:
        """Repeats of what takes seconds."""
        return min(3, self.repeats)


SMALL = Size(rows=60, test=12, batches=1, faces=8, repeats=1)
"""Runs every part once, as a test. Its figures mean nothing."""


@dataclass(frozen=True)
class BenchmarkSetup:
    """The settings of one benchmark, and what it works on."""

    folder: Path
    """A temporary folder."""
    scale: str
    device: torch.device
    size: Size = Size()
    data: Path | None = None
    """A folder with the competition's files. None: artificial files."""

    @property
    def meter(self) -> Meter:
        return Meter(self.device)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The recipes of the scale, with random initial weights: these do not change the speed."""
        chosen = [recipe.at(self.scale) for recipe in recipes.load_all() if self.scale in recipe.runs_at]
        return tuple(replace(RANDOM.chosen(recipe), parent=None) for recipe in chosen)

    @property
    def joint_recipe(self) -> Recipe:
        """The first recipe for both subsets."""
        return next(recipe for recipe in self.recipes if len(recipe.subsets) == 2)

    @property
    def fake_data(self) -> "FakeData":
        return fake_data(self.size.rows, self.size.test)

    @cached_property
    def files(self) -> Path:
        """A folder with the competition's files."""
        if self.data is not None:
            return self.data
        folder = self.folder / "faces"
        if not has_competition(folder):
            write_competition(folder, self.fake_data)
        return folder

    @cached_property
    def run(self) -> Run:
        """A run on artificial data. All its trainings seem finished."""
        source = Source(replace(self, data=None).files, "bench")
        run = Run(self.folder / "run", source, self.scale, self.device, weights=RANDOM)
        write_folds(run.workspace.fold_table, make_folds(run.competition.train, self.size.folds), run.competition.train)
        for job in run.jobs():
            _fake_training(job, self.fake_data)
        return run

    def faces(self, recipe: Recipe, count: int) -> FaceSet:
        """This many artificial faces of the recipe's subsets."""
        everything = fake_data(max(3 * count, self.size.rows), self.size.test).train
        rows = np.flatnonzero(np.isin(everything.subset, recipe.subsets))
        return everything.take(rows[np.linspace(0, len(rows) - 1, count).astype(int)])

    def training(self, recipe: Recipe, faces: FaceSet, name: str) -> Training:
        """A training on these faces in its own folder. No face is held out."""
        folder = self.folder / "trained" / name
        folder.mkdir(parents=True, exist_ok=True)
        return Training(recipe, 0, folder, faces, faces.take(slice(0, 0)), self.device, {"bench": name})

    @staticmethod
    def train(training: Training) -> None:
        """Train by the recipe's method."""
        METHODS[training.recipe.method].train(training)

    def trained(self, recipe: Recipe) -> Path:
        """The folder of a network that was trained for one batch. It predicts as slowly as any other."""
        short = recipe.shortened(1)
        training = self.training(short, self.faces(short, short.batch), recipe.name)
        if not any(training.folder.iterdir()):
            self.train(training)
        return training.folder


def silenced(call: Callable[..., object], *arguments: object) -> None:
    """Call a stage without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        call(*arguments)


def stacked(run: Run) -> None:
    """Run the stack stage and the evaluation, unless they are complete."""
    silenced(pipeline.stack, run)
    silenced(pipeline.evaluation, run)


def remove_stack(run: Run) -> None:
    """Remove what `stacked` has made."""
    for name in ("stack", "evaluation"):
        shutil.rmtree(run.workspace.folds / name, ignore_errors=True)


DRAWN = 60
"""Faces that are drawn. All others are copies of them with noise."""
NOISE = 6.0
"""Standard deviation of the noise in the pictures, grey levels."""
ERROR = 1.3
"""Standard deviation of the errors of artificial predictions, pixels."""


@dataclass(frozen=True)
class FakeData:
    """Artificial faces. The test faces have labels too, but not in their file."""

    train: FaceSet
    test: FaceSet


@cache
def fake_data(rows: int, test_rows: int) -> FakeData:
    """This many faces, all different. A third are 15-keypoint rows, as in the competition's files."""
    return FakeData(_fake_faces(rows, 0), _fake_faces(test_rows, 1))


def _fake_faces(count: int, seed: int) -> FaceSet:
    rng = np.random.default_rng([count, seed])
    images, points = draw_faces(min(DRAWN, count))
    rows = np.arange(count) % len(images)
    noisy = np.empty((count, SIZE, SIZE), np.uint8)
    for start in range(0, count, 500):  # in parts, because the noise takes eight times the memory of the pictures
        part = images[rows[start : start + 500]]
        noisy[start : start + 500] = np.clip(part + rng.normal(0, NOISE, part.shape), 0, 255)
    coords = (points[rows] + rng.normal(0, 1, (count, FACE15.size, 2))).astype(np.float32)
    subset = np.where(np.arange(count) < -(-count // 3), 15, 4).astype(np.int8)
    coords[np.ix_(subset == 4, np.setdiff1d(np.arange(FACE15.size), POINTS[4]))] = np.nan
    return FaceSet(np.arange(count) + seed, noisy, coords, FACE15, subset)


def write_competition(folder: Path, faces: FakeData) -> None:
    """Write the faces as the competition's files."""
    for write, part in ((write_training, faces.train), (write_test, faces.test)):
        write(folder, zip(part.coords, part.images, strict=True))


def _fake_training(job: Job, faces: FakeData) -> None:
    """Write the files of a finished training. Its weights are empty, its predictions are the labels with noise."""
    recipe, folder = job.recipe, job.folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([job.fold, *recipe.name.encode()])
    held = faces.train.take(np.isin(faces.train.subset, recipe.subsets) & (job.data.table.fold == job.fold))
    test = faces.test.take(np.isin(faces.test.subset, recipe.subsets))
    save_parts(folder, _fake_predictions(recipe, held, rng), _fake_predictions(recipe, test, rng))
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


def _fake_predictions(recipe: Recipe, faces: FaceSet, rng: np.random.Generator) -> Predictions:
    coords = (faces.coords + rng.normal(0, ERROR, faces.coords.shape)).astype(np.float32)
    for subset in recipe.subsets:
        other = np.setdiff1d(np.arange(FACE15.size), recipe.points(subset))
        coords[np.ix_(faces.subset == subset, other)] = np.nan
    sigma = np.where(np.isnan(coords[..., 0]), np.nan, rng.uniform(0.5, 2.0, coords.shape[:2])).astype(np.float32)
    return Predictions(recipe.name, faces.ids, coords, sigma)
