"""The stages that make predictions, each from what lies on disk to what lies on disk: data, folds, train, stack."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import torch

from solution import ensemble, executors, lock, pretrained, ray_executor, recipes, specialists, twins
from solution.artefacts import Workspace, sweep, writing
from solution.data.competition import Competition
from solution.data.files import read_competition
from solution.ensemble import Ensemble
from solution.errors import UserError, suggestion
from solution.faces import FoldTable
from solution.folds import make_folds, read_folds, write_folds
from solution.kaggle.ledger import LEDGER
from solution.keypoints import SUBSETS
from solution.pretrained import FirstWeights
from solution.recipe import SCALES, Recipe
from solution.runtime import LOG
from solution.source import Source
from solution.specialists import Specialist, Workbench

Given = ParamSpec("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Run:
    """What a command works on: data, scale, device, first weights. The rest is read from disk when first needed.

    use_duplicates: write a third submission, which answers test pictures that are identical to labelled ones with the
    help of those labels. executor: where
    trainings run, as --executor has it.
    """

    root: Path
    source: Source
    scale: str
    device: torch.device
    jobs: int | None = None
    weights: FirstWeights = field(default_factory=FirstWeights)
    use_duplicates: bool = False
    executor: str = ray_executor.LOCAL

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace(self.root, self.source.dataset).ready()

    @cached_property
    def competition(self) -> Competition:
        return read_competition(self.source.folder, self.workspace.cache)

    @cached_property
    def table(self) -> FoldTable:
        """The fold table; UserError where the stage has not run."""
        path = self.workspace.fold_table
        if not path.is_file():
            raise UserError(
                f"{path}: expected the fold table, found none. "
                "Run `python -m solution folds` with the same --data first."
            )
        return read_folds(path, self.competition.train)

    @cached_property
    def bench(self) -> Workbench:
        return Workbench(self.workspace, self.competition, self.table, self.weights)

    @cached_property
    def recipes(self) -> tuple[Recipe, ...]:
        """Every specialist that runs at this scale, with the settings it has there."""
        running = [recipe.at(self.scale) for recipe in recipes.load_all() if self.scale in recipe.runs_at]
        return tuple(self.weights.chosen(recipe) for recipe in running)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from writing this data set's results. UserError naming the one that is at it."""
        with lock.hold(self.workspace.folds) as remark:
            if remark:
                LOG.warning("%s", remark)
            for folder in (self.workspace.folds, self.workspace.submissions):
                sweep(folder)
            yield


def alone(stage: Callable[Concatenate[Run, Given], Made]) -> Callable[Concatenate[Run, Given], Made]:
    """A stage that only one process at a time may be in."""

    @wraps(stage)
    def held(run: Run, *given: Given.args, **named: Given.kwargs) -> Made:
        with run.alone():
            return stage(run, *given, **named)

    return held


def check_scale(scale: str) -> str:
    """The scale as given; UserError where there is no such scale."""
    if scale not in SCALES:
        raise UserError(f"--scale {scale}: expected one of {', '.join(SCALES)}. {suggestion(scale, SCALES)}".strip())
    return scale


@alone
def fresh(run: Run) -> None:
    """Forget all results of this data set, but the cache of its files and the ledger of what was sent.

    UserError, and nothing forgotten, where the new run could not begin: files or first weights wrong, Ray missing.
    """
    _, _ = run.recipes, run.competition
    if run.executor != ray_executor.LOCAL:
        ray_executor.installed()
    kept = {run.workspace.cache, run.workspace.folds / lock.FILE, run.workspace.submissions / LEDGER}
    for folder in (run.workspace.folds, run.workspace.submissions):
        for path in folder.iterdir():
            if path in kept:
                continue
            with writing(path):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
    LOG.info("Fresh: earlier results of %s removed", run.source.dataset)


def data(run: Run) -> None:
    """Read and check the files, and say what they hold."""
    train, test = run.competition.train, run.competition.test
    counts = {s: int((train.subset == s).sum()) for s in SUBSETS}
    LOG.info(
        "Data: %d labelled faces (%d with 15 points, %d with 4), %d test faces, %d cells asked; %d test pictures are "
        "identical to labelled ones",
        *(len(train), counts[15], counts[4], len(test), len(run.competition.lookup.row_id)),
        twins.in_test(run.competition),
    )
    for placement in run.competition.placement.values():
        LOG.info("Data: %s", placement.describe())


@alone
def folds(run: Run) -> None:
    """Make the fold table, unless the one there fits the data."""
    path = run.workspace.fold_table
    if path.is_file():
        try:
            read_folds(path, run.competition.train)
        except UserError:
            LOG.info("Folds: %s is of other data, made anew", path)
        else:
            LOG.info("Folds: %s is up to date", path)
            return
    table = make_folds(run.competition.train)
    write_folds(path, table, run.competition.train)
    LOG.info("Folds: %d folds, %d groups, written to %s", table.k, len(set(table.group.tolist())), path)


@alone
def train(run: Run, names: tuple[str, ...] = (), fold: int | None = None) -> None:
    """Train what is not complete: every recipe, or the named ones, on every fold, or one."""
    for name in names:
        if run.scale not in recipes.load(name).runs_at:
            raise UserError(f"--recipe {name}: expected one that runs at scale {run.scale}, it does not")
    if fold is not None and not 0 <= fold < run.table.k:
        raise UserError(f"--fold {fold}: expected 0 to {run.table.k - 1}")
    chosen = [r for r in run.recipes if not names or r.name in names]
    wanted = range(run.table.k) if fold is None else (fold,)
    missing = [(r, f) for r in chosen for f in wanted if not run.bench.done(r, f, run.recipes)]
    total = len(chosen) * len(wanted)
    LOG.info("Train: %d of %d trainings are complete", total - len(missing), total)
    untrained = [(r, f) for r, f in missing if not run.bench.trained(r, f, run.recipes)]
    if len(untrained) < len(missing):
        LOG.info("Train: %d trained networks predict anew", len(missing) - len(untrained))
    stale = sum(run.bench.made(recipe, f) is not None for recipe, f in untrained)
    if stale:
        LOG.warning("Train: %d trainings of other settings, data or scale are replaced", stale)
    for recipe in chosen:
        if pretrained.asks(recipe) and any(recipe is other for other, _ in untrained):
            pretrained.fetch(recipe, run.weights.file(recipe))  # here, once: not in each worker, nor after hours
    _execute(run, [_task(run, recipe, f, chosen) for recipe, f in missing])


def _execute(run: Run, tasks: list[executors.Task]) -> None:
    """Run the tasks where the user wants them run."""
    if run.executor == ray_executor.LOCAL:
        executors.run(tasks, executors.workers_for(run.device, run.jobs))
    else:
        address = ray_executor.address_of(run.executor)
        ray_executor.run(tasks, run.bench, run.recipes, run.device, run.jobs, address)


def _task(run: Run, recipe: Recipe, fold: int, chosen: list[Recipe]) -> executors.Task:
    after = frozenset([f"{recipe.start_from}/{fold}"] if recipe.start_from in [r.name for r in chosen] else [])
    arguments = (run.root, run.source, run.scale, run.weights, recipe.name, fold)
    return executors.Task(f"{recipe.name}/{fold}", recipe.name, work, arguments, after)


@cache
def reopened(root: Path, source: Source, scale: str, weights: FirstWeights) -> Run:
    """A worker's own view of the run, read from the cache once."""
    return Run(root, source, scale, torch.device("cpu"), weights=weights)


def work(
    root: Path, source: Source, scale: str, weights: FirstWeights, name: str, fold: int, device: torch.device
) -> float:
    """Do one training in whatever process this is; seconds taken."""
    run = reopened(root, source, scale, weights)
    recipe = next(r for r in run.recipes if r.name == name)
    return specialists.run_job(run.bench, recipe, fold, run.recipes, device)


def trained(run: Run) -> list[Specialist]:
    """Every specialist's predictions; UserError naming the command to run where any are not complete."""
    missing = {r.name: [f for f in range(run.table.k) if not run.bench.done(r, f, run.recipes)] for r in run.recipes}
    count = sum(map(len, missing.values()))
    if count > 1:
        which = ", ".join(f"{name} ({', '.join(map(str, folds))})" for name, folds in missing.items() if folds)
        raise UserError(
            f"{run.workspace.folds}: expected {len(run.recipes) * run.table.k} finished trainings of these settings "
            f"and data at scale {run.scale}, {count} are missing: {which}. Run `python -m solution train` with the "
            "same --data and --scale first."
        )
    return [specialists.collect(run.bench, recipe, run.recipes) for recipe in run.recipes]


@alone
def stack(run: Run) -> Ensemble:
    """Blend and stack, unless that is done already for these trainings."""
    inputs = ensemble.inputs_of(run.bench, run.recipes)
    found = ensemble.load(run.bench, inputs)
    if found is not None:
        LOG.info("Stack: up to date")
        return found
    made = ensemble.make(trained(run), run.bench)
    ensemble.save(made, run.bench, inputs)
    for subset, choice in made.choice.items():
        LOG.info(
            "Stack: %d-keypoint rows: blend %.4f px, stack %.4f px: %s used",
            *(subset, choice["blend"], choice["stack"], choice["used"]),
        )
    return made


def stacked(run: Run) -> Ensemble:
    """The stack stage's result; UserError where it has not run on what is there now."""
    found = ensemble.load(run.bench, ensemble.inputs_of(run.bench, run.recipes))
    if found is None:
        by = lock.holder(run.workspace.folds)
        raise UserError(
            f"{ensemble.folder_of(run.bench)}: expected the stack of the trainings there now. "
            + (f"Wait for {by}." if by else "Run `python -m solution stack` with the same --data and --scale first.")
        )
    return found
