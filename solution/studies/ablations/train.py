"""Train an ablation's folds, each a job like any other, in folders of their own."""

from dataclasses import replace
from pathlib import Path

import torch

from solution.recipe import LandmarkRecipe
from solution.run import Run, Source, exclusive, reopened
from solution.runtime.artifacts import complete
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.runtime.workers import local
from solution.specialists import cross_validation
from solution.specialists.job import Job
from solution.specialists.landmarks.pretrained import InitWeights
from solution.studies import ablations
from solution.studies.ablations import Ablation
from solution.studies.ablations.row_filters import ROW_FILTERS, TEACHERS


@exclusive
def train(run: Run, names: tuple[str, ...], folds: tuple[int, ...]) -> None:
    """Train what is not complete of the named ablations on these folds."""
    names = tuple(dict.fromkeys(names))
    wanted = [(name, fold) for name in names for fold in folds]
    for name in names:
        base, ablation = base_of(run, name)
        LOG.info("Trial %s: %s", name, ablation.asks)
        if ablation.rows == "as_given" and ablation.recipe(base) == base:
            LOG.warning("Trial %s: changes nothing of %s, and will give no difference", name, base.name)
        for fold in folds:
            run.bench.require(base, fold, run.recipes, f"the finished training which ablation {name} is compared with")
    missing = [(name, fold) for name, fold in wanted if not done(job_of(run, name, fold))]
    LOG.info("Trials: %d of %d trainings are complete", len(wanted) - len(missing), len(wanted))
    shared = (run.root, run.source, run.scale, run.weights)
    tasks = [local.Task(f"{name}/{fold}", name, work, (*shared, name, fold)) for name, fold in missing]
    local.run(tasks, local.workers_for(run.device, run.jobs))


def base_of(run: Run, name: str) -> tuple[LandmarkRecipe, Ablation]:
    """The recipe that an ablation varies, and the ablation. UserError where there is none, or not at this scale."""
    base, ablation = ablations.load(name)
    recipe = next((r for r in run.recipes if r.name == base), None)
    if not isinstance(recipe, LandmarkRecipe):
        raise UserError(f"ablation {name!r}: expected a recipe of scale {run.scale}, {base} is none")
    return recipe, ablation


def _teachers(run: Run, name: str, rows: str, fold: int) -> dict[str, str]:
    """The digests of the trainings that label the test pictures. UserError where one is not finished."""
    known = {recipe.name: recipe for recipe in run.recipes}
    teachers = [known[teacher] for teacher in TEACHERS[rows]]
    for recipe in teachers:
        what = f"the finished training that labels the test pictures for {name}"
        run.bench.require(recipe, fold, run.recipes, what)
    return {recipe.name: run.bench.digest(recipe, fold, run.recipes) for recipe in teachers}


def job_of(run: Run, name: str, fold: int, device: torch.device | None = None) -> Job:
    """The ablation on one fold. UserError where the training that it starts from, or a teacher's, is not finished."""
    recipe, ablation = base_of(run, name)
    job = cross_validation.job_of(run.bench, ablation.recipe(recipe), fold, run.recipes, device or run.device)
    folder = run.workspace.folds / "ablations" / name / f"fold{fold}"
    inputs = {**job.inputs, "rows": ablation.rows}
    if ablation.rows != "as_given":
        inputs["chosen_by"] = cross_validation.PREDICTED_BY  # predictions say which rows or labels it is trained on
    if ablation.rows == "pseudo":
        inputs["teachers"] = _teachers(run, name, recipe.rows, fold)
    return replace(job, folder=folder, inputs=inputs)


def done(job: Job) -> bool:
    """Whether the ablation's artefacts are complete and made from these inputs."""
    return complete(job.folder, job.inputs, cross_validation.LEAST)


def work(
    root: Path, source: Source, scale: str, weights: InitWeights, name: str, fold: int, device: torch.device
) -> float:
    """Train one ablation on one fold in whatever process this is; seconds taken."""
    run = reopened(root, source, scale, weights)
    job = job_of(run, name, fold, device)
    rows = ROW_FILTERS[ablations.load(name)[1].rows](job, run.bench)
    LOG.info("%s fold %d: %d training rows (%+d)", name, fold, len(rows), len(rows) - len(job.train))
    return cross_validation.finish(replace(job, train=rows), run.competition.test)
