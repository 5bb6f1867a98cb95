"""What the parts of a bench share: sizes, recipes at a scale, a folder, and the material, made when first asked for."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from solution import pipeline, recipes
from solution.data.folds import make_folds, write_folds
from solution.data.reader import has_competition
from solution.faces import FaceSet
from solution.recipe import Recipe
from solution.run import Run, Source
from solution.specialists.job import METHODS
from solution.specialists.landmarks.pretrained import InitWeights
from solution.specialists.training import Training
from solution.studies.benchmarks.fake_data import FakeData, fake_data, fake_finished_run, write_competition
from solution.studies.benchmarks.timer import Meter

RANDOM = InitWeights(wanted=False)


@dataclass(frozen=True)
class Size:
    """How much is measured. rows, test: of the files. batches: of an epoch. faces: predicted at once.

    repeats: of what is quick; stages that take seconds are repeated three times at most.
    """

    rows: int = 6000
    test: int = 600
    batches: int = 4
    faces: int = 192
    repeats: int = 5
    folds: int = 5

    @property
    def few(self) -> int:
        return min(3, self.repeats)


QUICK = Size(rows=60, test=12, batches=1, faces=8, repeats=1)
"""Everything once on next to nothing: shows that a bench runs, and measures nothing."""


@dataclass(frozen=True)
class BenchmarkSetup:
    """One bench. folder: a temporary one. data: the files to be read, where not tiled ones."""

    folder: Path
    scale: str
    device: torch.device
    size: Size = Size()
    data: Path | None = None

    @property
    def meter(self) -> Meter:
        return Meter(self.device)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The scale's recipes, none of which starts from ImageNet's weights or another one's: speed is the same."""
        chosen = [recipe.at(self.scale) for recipe in recipes.load_all() if self.scale in recipe.runs_at]
        return tuple(replace(RANDOM.chosen(recipe), parent=None) for recipe in chosen)

    @property
    def fake_data(self) -> FakeData:
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
        """A run on the tiled faces, all of whose trainings seem finished."""
        shop = replace(self, data=None)
        run = Run(self.folder / "run", Source(shop.files, "bench"), self.scale, self.device, weights=RANDOM)
        write_folds(run.workspace.fold_table, make_folds(run.competition.train, self.size.folds), run.competition.train)
        fake_finished_run(run, self.fake_data)
        return run

    def faces(self, recipe: Recipe, count: int) -> FaceSet:
        """As many faces as asked for of the subsets that a recipe takes."""
        everything = fake_data(max(3 * count, self.size.rows), self.size.test).train
        rows = np.flatnonzero(np.isin(everything.subset, recipe.subsets))
        return everything.take(rows[np.linspace(0, len(rows) - 1, count).astype(int)])

    def job(self, recipe: Recipe, faces: FaceSet, name: str) -> Training:
        """A training of these faces with nothing held out, in a folder of its own."""
        folder = self.folder / "trained" / name
        folder.mkdir(parents=True, exist_ok=True)
        return Training(recipe, 0, folder, faces, faces.take(slice(0, 0)), self.device, {"bench": name})

    @staticmethod
    def train(training: Training) -> None:
        """Train by the recipe's method."""
        METHODS[training.recipe.method].train(training)

    def trained(self, recipe: Recipe) -> Training:
        """One epoch of one batch: as slow to predict with as any other."""
        short = recipe.shortened(1)
        job = self.job(short, self.faces(short, short.batch), recipe.name)
        if not any(job.folder.iterdir()):
            self.train(job)
        return job


def of_both(recipes: Sequence[Recipe]) -> Recipe:
    """The first recipe that takes rows of both subsets."""
    return next(recipe for recipe in recipes if len(recipe.subsets) == 2)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """What a stage prints is no part of a bench."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def stacked(run: Run) -> None:
    """Make sure that the stack stage has run."""
    with silence():
        pipeline.stack(run)
