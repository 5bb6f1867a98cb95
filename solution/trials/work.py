"""Train a trial's folds, each a job like any other, in folders of their own."""

from dataclasses import replace
from pathlib import Path

import torch

from solution import executors, specialists, stages, trials
from solution.artefacts import complete
from solution.errors import UserError
from solution.job import Job
from solution.pretrained import Weights
from solution.recipe import LandmarkRecipe
from solution.runtime import LOG
from solution.source import Source
from solution.stages import Run
from solution.trials import Trial
from solution.trials.treatments import TEACHERS, TREATMENTS


@stages.alone
def train(run: Run, names: tuple[str, ...], folds: tuple[int, ...]) -> None:
    """Train what is not complete of the named trials on these folds."""
    wanted = [(name, fold) for name in dict.fromkeys(names) for fold in folds]
    for name in dict.fromkeys(names):
        base, trial = base_of(run, name)
        LOG.info("Trial %s: %s", name, trial.asks)
        if trial.rows == "as_given" and trial.recipe(base) == base:
            LOG.warning("Trial %s: changes nothing of %s, and will give no difference", name, base.name)
        for fold in folds:
            _require(run, base.name, fold, f"which trial {name} is compared with")
    missing = [(name, fold) for name, fold in wanted if not done(job_of(run, name, fold))]
    LOG.info("Trials: %d of %d trainings are complete", len(wanted) - len(missing), len(wanted))
    shared = (run.root, run.source, run.scale, run.weights)
    tasks = [executors.Task(f"{name}/{fold}", name, work, (*shared, name, fold)) for name, fold in missing]
    executors.run(tasks, executors.workers_for(run.device, run.jobs))


def base_of(run: Run, name: str) -> tuple[LandmarkRecipe, Trial]:
    """The recipe that a trial varies, and the trial. UserError where there is none, or not at this scale."""
    base, trial = trials.load(name)
    recipe = next((r for r in run.recipes if r.name == base), None)
    if not isinstance(recipe, LandmarkRecipe):
        raise UserError(f"trial {name!r}: expected a recipe of scale {run.scale}, {base} is none")
    return recipe, trial


def _require(run: Run, recipe: str, fold: int, why: str) -> str:
    """The digest of a finished training. UserError where it is not finished."""
    found = next((r for r in run.recipes if r.name == recipe), None)
    if found is None or not run.bench.done(found, fold, run.recipes):
        raise UserError(
            f"{run.workspace.fold(recipe, fold)}: expected the finished training {why}. Run `python -m solution train "
            f"--recipe {recipe} --fold {fold}` with the same --data and --scale first."
        )
    return run.bench.digest(found, fold, run.recipes)


def job_of(run: Run, name: str, fold: int, device: torch.device | None = None) -> Job:
    """The trial on one fold. UserError where the training that it starts from, or a teacher's, is not finished."""
    recipe, trial = base_of(run, name)
    job = specialists.job_of(run.bench, trial.recipe(recipe), fold, run.recipes, device or run.device)
    folder = run.workspace.folds / "trials" / name / f"fold{fold}"
    inputs = {**job.inputs, "rows": trial.rows}
    if trial.rows != "as_given":
        inputs["chosen_by"] = specialists.PREDICTED_BY  # predictions say which rows or labels it is trained on
    if trial.rows == "pseudo":
        why = f"that labels the test pictures for {name}"
        inputs["teachers"] = {teacher: _require(run, teacher, fold, why) for teacher in TEACHERS[recipe.rows]}
    return replace(job, folder=folder, inputs=inputs)


def done(job: Job) -> bool:
    """Whether the trial's artefacts are complete and made from these inputs."""
    return complete(job.folder, job.inputs)


def work(root: Path, source: Source, scale: str, weights: Weights, name: str, fold: int, device: torch.device) -> float:
    """Train one trial on one fold in whatever process this is; seconds taken."""
    run = stages.reopened(root, source, scale, weights)
    job = job_of(run, name, fold, device)
    rows = TREATMENTS[trials.load(name)[1].rows](job, run.bench)
    LOG.info("%s fold %d: %d training rows (%+d)", name, fold, len(rows), len(rows) - len(job.train))
    return specialists.finish(replace(job, train=rows), run.competition.test)
