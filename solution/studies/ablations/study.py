"""Trains ablations and compares them with their recipes.

An ablation's fold is a job like any other, in its own folder. It has the seeds of the recipe. The comparison is the
paired difference on the held-out rows of the same folds.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from solution.evaluation.metrics import paired_difference, rmse
from solution.evaluation.outliers import is_outlier
from solution.faces import FaceSet, Predictions, rows_of
from solution.keypoints import SUBSETS
from solution.recipe import LandmarkRecipe
from solution.run import Run, exclusive
from solution.runtime.artifacts import write_text
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.runtime.workers import local
from solution.specialists.job import PREDICTED_BY, Job, RunData
from solution.specialists.landmarks.predict import predict
from solution.specialists.training import Training, load_part
from solution.studies import ablations
from solution.studies.ablations import Ablation

TEACHERS = {"15": ("cascade_15", "timm_15"), "4": ("unet_4", "timm_4"), "all": ("unet_all", "timm_all")}
"""The specialists whose mean predictions label the test pictures, by the rows of a recipe."""

RowFilter = Callable[[Training, RunData, Sequence[Job]], FaceSet]
"""Takes the recipe's training, the run's data and the teachers. Returns the rows to train on, none of them held out."""


def as_given(training: Training, data: RunData, teachers: Sequence[Job] = ()) -> FaceSet:
    """The rows of the recipe."""
    return training.train


def sane(training: Training, data: RunData, teachers: Sequence[Job] = ()) -> FaceSet:
    """The rows without those whose labels are outliers for the network that this training starts from.

    That network was trained on these rows, but it has not learnt labels that are wrong by 10 px.
    """
    if training.parent is None:
        raise UserError(f"{training.title}: expected a recipe with a parent, whose network judges the labels")
    predictions = predict(training.parent, training.train, training.device)
    return training.train.take(~is_outlier(predictions.coords, training.train.coords))


def duplicates(training: Training, data: RunData, teachers: Sequence[Job] = ()) -> FaceSet:
    """The rows, where identical pictures of one subset all have the mean of their labels."""
    group = data.table.group[np.isin(data.table.ids, training.train.ids)]
    coords = training.train.coords.copy()
    # The two subsets keep their labels, because their labellers place points differently.
    group = group * (max(SUBSETS) + 1) + training.train.subset
    for number in np.flatnonzero(np.bincount(group) > 1):
        rows = np.flatnonzero(group == number)
        known = ~np.isnan(coords[rows])
        mean = np.nansum(coords[rows], axis=0) / np.maximum(known.sum(axis=0), 1)
        coords[rows] = np.where(known, mean, np.nan)
    return replace(training.train, coords=coords)


def pseudo(training: Training, data: RunData, teachers: Sequence[Job] = ()) -> FaceSet:
    """The rows and the test pictures, labelled by the mean of this fold's teachers, which saw no held-out row."""
    predictions = [load_part(teacher.folder, teacher.recipe.name, "test") for teacher in teachers]
    test = data.competition.test
    test = test.take(np.isin(test.subset, training.recipe.subsets))
    assert all((part.ids == test.ids).all() for part in predictions)
    labels = np.mean([part.coords for part in predictions], axis=0)
    parts = training.train, replace(test, ids=-1 - test.ids, coords=labels)
    return replace(
        training.train,
        ids=np.concatenate([part.ids for part in parts]),
        images=np.concatenate([part.images for part in parts]),
        coords=np.concatenate([part.coords for part in parts]),
        subset=np.concatenate([part.subset for part in parts]),
    )


ROW_FILTERS: dict[str, RowFilter] = {f.__name__: f for f in (as_given, sane, duplicates, pseudo)}


@dataclass(frozen=True, eq=False)
class AblationJob(Job):
    """A changed recipe on one fold."""

    ablation: str = ""
    """RECIPE/ABLATION."""
    rows: str = "as_given"
    """The name of the row filter."""
    teachers: tuple[Job, ...] = ()
    """The jobs that label the test pictures, if the row filter uses any."""

    @property
    def name(self) -> str:
        return f"{self.ablation}/{self.fold}"

    @property
    def inputs(self) -> dict[str, Any]:
        inputs = {**super().inputs, "rows": self.rows}
        if self.rows != "as_given":
            inputs["chosen_by"] = PREDICTED_BY  # predictions decide which rows or labels it is trained on
        if self.teachers:
            inputs["teachers"] = {teacher.recipe.name: teacher.digest for teacher in self.teachers}
        return inputs

    def require_start(self) -> Path | None:
        for teacher in self.teachers:
            teacher.require(f"the finished training that labels the test pictures for {self.ablation}")
        return super().require_start()

    def open(self, device: torch.device) -> Training:
        training = super().open(device)
        rows = ROW_FILTERS[self.rows](training, self.data, self.teachers)
        before = len(training.train)
        LOG.info("%s fold %d: %d training rows (%+d)", self.ablation, self.fold, len(rows), len(rows) - before)
        return replace(training, train=rows)


@exclusive
def train(run: Run, names: tuple[str, ...], folds: tuple[int, ...]) -> None:
    """Train what is not complete of the named ablations on these folds."""
    names = tuple(dict.fromkeys(names))
    for name in names:
        base, ablation = base_of(run, name)
        LOG.info("Ablation %s: %s", name, ablation.asks)
        if ablation.rows == "as_given" and ablation.recipe(base) == base:
            LOG.warning("Ablation %s: changes nothing of %s, so the difference will be 0", name, base.name)
        for fold in folds:
            run.job(base, fold).require(f"the finished training that ablation {name} is compared with")
    jobs = [job_of(run, name, fold) for name in names for fold in folds]
    for job in jobs:
        job.require_start()
    local.run_missing("Ablations", jobs, run.device, run.workers)


def base_of(run: Run, name: str) -> tuple[LandmarkRecipe, Ablation]:
    """The recipe that an ablation changes, and the ablation. UserError if the run has none of them."""
    base, ablation = ablations.load(name)
    recipe = run.recipe(base).landmarks
    assert recipe is not None
    return recipe, ablation


def job_of(run: Run, name: str, fold: int) -> AblationJob:
    """The ablation on one fold."""
    base, ablation = base_of(run, name)
    job = run.job(ablation.recipe(base), fold)
    teachers = TEACHERS[base.rows] if ablation.rows == "pseudo" else ()
    return AblationJob(
        recipe=job.recipe,
        fold=fold,
        folder=run.workspace.folds / "ablations" / name / f"fold{fold}",
        data=run,
        parent=job.parent,
        weights=job.weights,
        ablation=name,
        rows=ablation.rows,
        teachers=tuple(run.job(teacher, fold) for teacher in teachers),
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """An ablation against its recipe on the held-out rows of one subset, without outliers. All errors in pixels."""

    ablation: str
    subset: int
    folds: int
    rows: int
    recipe_rmse: float
    ablation_rmse: float
    difference: float
    """RMSE of the ablation minus that of the recipe."""
    low: float
    """Lower end of its 95 % interval, from a bootstrap of sections of rows."""
    high: float
    blend_difference: float
    """RMSE of the mean of both minus that of the recipe: what the ablation adds as a second member."""
    blend_low: float
    blend_high: float

    def __str__(self) -> str:
        return (
            f"{self.ablation}: {self.subset}-keypoint rows, {self.folds} folds: {self.recipe_rmse:.3f} → "
            f"{self.ablation_rmse:.3f} px, {self.difference:+.3f} ({self.low:+.3f} to {self.high:+.3f}); mean of both "
            f"{self.blend_difference:+.3f} ({self.blend_low:+.3f} to {self.blend_high:+.3f})"
        )


def outcomes(run: Run, name: str, folds: tuple[int, ...]) -> list[Outcome]:
    """One outcome for each subset. UserError if a fold of the recipe or of the ablation is missing."""
    recipe, _ = base_of(run, name)
    before, after = [], []
    for fold in folds:
        job = job_of(run, name, fold)
        if not (job.is_complete() and run.job(recipe, fold).is_complete()):
            raise UserError(f"{name} fold {fold}: expected finished trainings of the ablation and of {recipe.name}")
        before.append(load_part(run.workspace.fold(recipe.name, fold), recipe.name, "held"))
        after.append(load_part(job.folder, name, "held"))
    return [_outcome(run, name, subset, before, after) for subset in SUBSETS if subset in recipe.subsets]


def _outcome(run: Run, name: str, subset: int, before: list[Predictions], after: list[Predictions]) -> Outcome:
    train = run.competition.train
    ids = np.concatenate([part.ids for part in before])
    rows = np.flatnonzero(np.isin(train.ids, ids) & (train.subset == subset))
    old, new = (_in_order(parts, train.ids[rows]) for parts in (before, after))  # (N, 15, 2)
    kept = ~is_outlier(old, train.coords[rows])
    old, new, labels = old[kept], new[kept], train.coords[rows][kept]
    settings = labels, np.full(len(labels), subset), {s: float(s == subset) for s in SUBSETS}
    difference, low, high = paired_difference(new, old, *settings)
    blend_difference, blend_low, blend_high = paired_difference((new + old) / 2, old, *settings)
    return Outcome(
        ablation=name,
        subset=subset,
        folds=len(before),
        rows=len(labels),
        recipe_rmse=rmse(old, labels),
        ablation_rmse=rmse(new, labels),
        difference=difference,
        low=low,
        high=high,
        blend_difference=blend_difference,
        blend_low=blend_low,
        blend_high=blend_high,
    )


def _in_order(parts: list[Predictions], ids: np.ndarray) -> np.ndarray:
    """The coordinates (N, 15, 2) of all parts, in the order of these ids."""
    rows = rows_of(np.concatenate([part.ids for part in parts]), ids)
    return np.concatenate([part.coords for part in parts])[rows]


def write(run: Run, results: Sequence[Outcome]) -> None:
    """Write outcomes into folds/DATASET/ablations.csv. They replace earlier outcomes of the same ablations."""
    path = run.workspace.folds / "ablations.csv"
    table = pd.DataFrame([asdict(outcome) for outcome in results]).round(4)
    if path.is_file():
        earlier = pd.read_csv(path)
        table = pd.concat([earlier[~earlier["ablation"].isin(table["ablation"])], table])
    write_text(path, table.to_csv(index=False, lineterminator="\n"))
