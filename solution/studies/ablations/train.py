"""Train an ablation's folds, each a job like any other, in folders of their own."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from solution.recipe import LandmarkRecipe
from solution.run import Run, exclusive
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.runtime.workers import local
from solution.specialists.job import PREDICTED_BY, Job
from solution.specialists.training import Training
from solution.studies import ablations
from solution.studies.ablations import Ablation
from solution.studies.ablations.row_filters import ROW_FILTERS, TEACHERS


@dataclass(frozen=True, eq=False)
class AblationJob(Job):
    """A varied recipe on one fold."""

    ablation: str = ""
    """RECIPE/ABLATION."""

    rows: str = "as_given"
    """The row filter, by its name."""

    teachers: tuple[Job, ...] = ()
    """The jobs that label the test pictures, if the row filter uses any."""

    @property
    def kind(self) -> str:
        return self.ablation

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
        LOG.info("Trial %s: %s", name, ablation.asks)
        if ablation.rows == "as_given" and ablation.recipe(base) == base:
            LOG.warning("Trial %s: changes nothing of %s, and will give no difference", name, base.name)
        for fold in folds:
            run.job(base, fold).require(f"the finished training which ablation {name} is compared with")
    jobs = [job_of(run, name, fold) for name in names for fold in folds]
    for job in jobs:
        job.require_start()
    local.run_missing("Trials", jobs, run.device, run.workers)


def base_of(run: Run, name: str) -> tuple[LandmarkRecipe, Ablation]:
    """The recipe that an ablation varies, and the ablation. UserError where there is none, or not at this scale."""
    base, ablation = ablations.load(name)
    recipe = next((r.landmarks for r in run.recipes if r.name == base), None)
    if recipe is None:
        raise UserError(f"ablation {name!r}: expected a recipe of scale {run.scale}, {base} is none")
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
