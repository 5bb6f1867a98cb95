"""A run: its data, scale and device, and its results on disk. `open_run` makes one from the command line's options.

The data are those that --data names, else data/, else Kaggle's files if there are credentials, else drawn faces.
"""

import argparse
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import torch

from solution import recipes
from solution.data.competition import Competition
from solution.data.folds import read_folds
from solution.data.reader import DRAWN, REQUIRED, has_competition, missing, read_competition
from solution.data.synthetic.write import DrawnSettings, ensure_drawn, is_drawn
from solution.faces import FoldTable
from solution.kaggle.credentials import has_credentials
from solution.kaggle.download import download
from solution.kaggle.ledger import LEDGER
from solution.recipe import SCALES, Recipe
from solution.runtime import lock
from solution.runtime.artifacts import Workspace, as_user_error, remove_stale
from solution.runtime.device import LOG, log_to, pick_device
from solution.runtime.errors import UserError, suggestion
from solution.runtime.workers import ray
from solution.runtime.workers.local import check_jobs
from solution.runtime.workers.schedule import ReadOnce
from solution.specialists.job import Job
from solution.specialists.landmarks.pretrained import InitWeights, asks

DRAWN_DATASET = "drawn"
KAGGLE_DATASET = "kaggle"


@dataclass(frozen=True)
class Source:
    """A folder with the competition's files."""

    folder: Path
    dataset: str  # the name of its results


def find_source(root: Path, data: Path | None, settings: DrawnSettings | None = None) -> Source:
    """The first source that applies, which is logged. settings: of drawn faces. UserError if --data has no files."""
    default = root / "data"
    if data is not None:
        if not has_competition(data):
            raise UserError(
                f"--data {data}: expected a folder with the competition's files (training.zip, test.zip, "
                "IdLookupTable.csv), found none. Name the folder with these files."
            )
        return _logged(Source(data, dataset_name(data, default)), "named by --data")
    lacking = missing(default)
    if not lacking:
        return _logged(Source(default, KAGGLE_DATASET), "data/ holds the competition's files")
    if has_credentials():
        LOG.info("Data: none in data/; Kaggle credentials found, downloading to %s", default)
        download(default)
        return _logged(Source(default, KAGGLE_DATASET), "downloaded from Kaggle")
    if len(lacking) < len(REQUIRED):
        raise UserError(
            f"{default}: expected all of {', '.join(REQUIRED)} (or zips of them), got none of {', '.join(lacking)}. "
            "Put the missing files there. Or move the others away: faces are then drawn."
        )
    folder = default / DRAWN_DATASET
    settings = settings or DrawnSettings()
    action = "the faces drawn earlier" if is_drawn(folder, settings) else "drawing faces"
    LOG.info("Data: none in data/, no Kaggle credentials: %s (not for Kaggle)", action)
    try:
        ensure_drawn(folder, settings)
    except OSError as error:
        raise UserError(
            f"{folder}: expected a folder to draw faces into, got: {error.strerror}. "
            "Name the competition's files with --data, or run from a copy that can be written to."
        ) from error
    return _logged(Source(folder, DRAWN_DATASET), "drawn faces")


def dataset_name(folder: Path, default: Path) -> str:
    """The name of a folder's results: "kaggle" for data/, else the folder's name."""
    resolved = folder.resolve()
    if resolved == default.resolve():
        return KAGGLE_DATASET
    return resolved.name or "root"


def _logged(source: Source, why: str) -> Source:
    LOG.info("Data: %s (%s); results under folds/%s and submissions/%s", source.folder, why, *[source.dataset] * 2)
    return source


P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Run(ReadOnce):
    """What a command works on. Its data are read from disk when they are first needed."""

    root: Path
    source: Source
    scale: str
    device: torch.device  # where trainings run
    workers: int | None = None  # trainings at once; None: one a core or a GPU
    weights: InitWeights = field(default_factory=InitWeights)
    use_duplicates: bool = False  # write a third submission, which uses the labels of identical training pictures
    executor: str = ray.LOCAL  # as --executor: local, ray or ray:ADDRESS

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace(self.root, self.source.dataset).ready()

    @cached_property
    def competition(self) -> Competition:
        return read_competition(self.source.folder, self.workspace.cache)

    @cached_property
    def table(self) -> FoldTable:
        """UserError if the folds stage has not run."""
        path = self.workspace.fold_table
        if not path.is_file():
            raise UserError(
                f"{path}: expected the fold table, found none. "
                "Run `python -m solution folds` with the same --data first."
            )
        return read_folds(path, self.competition.train)

    @cached_property
    def recipes(self) -> tuple[Recipe, ...]:
        """Every specialist that runs at this scale, with its settings there."""
        running = [recipe.at(self.scale) for recipe in recipes.load_all() if self.scale in recipe.runs_at]
        return tuple(self.weights.chosen(recipe) for recipe in running)

    def recipe(self, name: str) -> Recipe:
        """One of the specialists. UserError if there is no such recipe, or if it does not run at this scale."""
        for recipe in self.recipes:
            if recipe.name == name:
                return recipe
        at = " or ".join(recipes.load(name).runs_at) or "no scale of the run"
        raise UserError(f"recipe {name}: expected one that runs at scale {self.scale}, it runs at {at}")

    def job(self, recipe: Recipe | str, fold: int) -> Job:
        """A specialist, by its name, or a variation of one on one fold. UserError as `recipe`, or for a wrong fold."""
        if not 0 <= fold < self.table.k:
            raise UserError(f"--fold {fold}: expected 0 to {self.table.k - 1}")
        if isinstance(recipe, str):
            recipe = self.recipe(recipe)
        parent = self.job(recipe.parent, fold) if recipe.parent else None
        return Job(recipe, fold, self.workspace.fold(recipe.name, fold), self, parent, self.weights.file(recipe))

    def jobs(self, *names: str, fold: int | None = None) -> list[Job]:
        """The named specialists, or all, on every fold, or on one. UserError as `job`."""
        chosen = {self.recipe(name).name for name in names}
        folds = range(self.table.k) if fold is None else (fold,)
        return [
            self.job(recipe, number)
            for recipe in self.recipes
            if not names or recipe.name in chosen
            for number in folds
        ]

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes from writing this data set's results. UserError that names the one that does."""
        with lock.hold(self.workspace.folds):
            for folder in (self.workspace.folds, self.workspace.submissions):
                remove_stale(folder)
            yield


def exclusive(stage: Callable[Concatenate[Run, P], R]) -> Callable[Concatenate[Run, P], R]:
    """A stage that only one process at a time may run."""

    @wraps(stage)
    def locked(run: Run, *args: P.args, **kwargs: P.kwargs) -> R:
        with run.exclusive():
            return stage(run, *args, **kwargs)

    return locked


def check_scale(scale: str) -> str:
    """The value of --scale. UserError if there is no such scale."""
    if scale not in SCALES:
        raise UserError(f"--scale {scale}: expected one of {', '.join(SCALES)}. {suggestion(scale, SCALES)}".strip())
    return scale


@exclusive
def forget_results(run: Run) -> None:
    """Remove all results of this data set, except the cache of its files and the ledger of submissions.

    UserError, and nothing is removed, if the new run could not begin: wrong files or initial weights, or no Ray.
    """
    _, _ = run.recipes, run.competition
    if run.executor != ray.LOCAL:
        ray.installed()
    kept = {run.workspace.cache, run.workspace.folds / lock.FILE, run.workspace.submissions / LEDGER}
    for folder in (run.workspace.folds, run.workspace.submissions):
        for path in folder.iterdir():
            if path in kept:
                continue
            with as_user_error(path):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
    LOG.info("Fresh: earlier results of %s removed", run.source.dataset)


def open_run(options: argparse.Namespace, root: Path, fresh: bool = False) -> Run:
    """The run that the options describe. fresh: remove its earlier results first."""
    check_jobs(options.jobs)
    if options.scale is not None:
        check_scale(options.scale)
    if ray.check_executor(options.executor) == ray.LOCAL:
        device = pick_device(options.device)
    else:
        device = ray.pick_device(ray.address_of(options.executor), options.device)
    source = find_source(root, options.data)
    scale = options.scale or default_scale(source.folder, device.type)
    weights = InitWeights(options.weights, not options.no_pretrained)
    run = Run(root, source, scale, device, options.jobs, weights, options.use_duplicates, options.executor)
    if fresh:
        forget_results(run)  # before the log is opened, which is one of the results
    log_to(run.workspace.folds / "log.txt")
    LOG.info("Scale %s on %s, data %s", scale, device, source.folder)
    if options.weights and not any(asks(recipe) for recipe in recipes.load_all() if scale in recipe.runs_at):
        LOG.warning("--weights %s: not read, no recipe of scale %s starts from ImageNet's", options.weights, scale)
    return run


def default_scale(folder: Path, device: str) -> str:
    """smoke for drawn faces, else full with a GPU and cpu without."""
    if (folder / DRAWN).is_file():
        return "smoke"
    return "full" if device == "cuda" else "cpu"
