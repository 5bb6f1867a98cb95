"""All folds of all recipes: what is to be done, doing one job by its recipe's method, and the predictions of it."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solution.data.competition import Competition
from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import IN_FOUR, POINTS
from solution.recipe import Recipe
from solution.runtime.artifacts import Workspace, atomic, complete, digest_of, intact, manifest
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.specialists.earlier_format import earlier_inputs, upgrade
from solution.specialists.history import trained_for
from solution.specialists.job import HISTORY, PREDICTING, PREDICTIONS, SETTINGS, WEIGHTS, Job
from solution.specialists.landmarks import predict as inference
from solution.specialists.landmarks import train as training
from solution.specialists.landmarks.pretrained import InitWeights, source_of
from solution.specialists.patches import predict as patch_prediction
from solution.specialists.patches import train as patch_training

TRAINERS = {"landmarks": training.train, "landmarks68": training.train, "patches": patch_training.train}
PREDICTORS = {"landmarks": inference.predict, "landmarks68": inference.predict, "patches": patch_prediction.predict}


def points(recipe: Recipe, subset: int) -> np.ndarray:
    """Numbers of the points that a recipe's network gives for faces of this subset."""
    return IN_FOUR if recipe.method == "patches" else POINTS[subset]


def train(job: Job) -> None:
    """Train a job with its recipe's method."""
    TRAINERS[job.recipe.method](job)


def predict(job: Job, faces: FaceSet) -> Predictions:
    """Predict faces from a trained job's folder."""
    return PREDICTORS[job.recipe.method](job.folder, faces, job.device)


LEAST = (WEIGHTS, SETTINGS, HISTORY, PREDICTIONS)  # what every training leaves
FORMAT = 2  # raise it when the same settings would train to something else: old artefacts are then redone
PREDICTED_BY = 7  # raise it when the same weights would predict something else: predictions alone are then redone


@dataclass(frozen=True, eq=False)
class Workbench:
    """What every job of a run shares."""

    workspace: Workspace
    competition: Competition
    table: FoldTable
    weights: InitWeights = field(default_factory=InitWeights)

    def inputs(self, recipe: Recipe, fold: int, others: Sequence[Recipe]) -> dict[str, Any]:
        """Everything a job's result depends on, as its manifest names it."""
        predicting = {"format": PREDICTED_BY, "data": self.competition.test_digest}
        return {**self.training(recipe, fold, others), PREDICTING: predicting}

    def training(self, recipe: Recipe, fold: int, others: Sequence[Recipe]) -> dict[str, Any]:
        """Everything a job's weights depend on. Of the data that is the training file alone."""
        earlier = _earlier(recipe, others)
        return {
            "format": FORMAT,
            "recipe": recipe.settings(),
            "fold": fold,
            "data": self.competition.train_digest,
            "folds": digest_of(self.table.fold.tolist()),
            "parent": digest_of(self.training(earlier, fold, others)) if earlier else None,
        }

    def earlier_training(self, recipe: Recipe, fold: int, others: Sequence[Recipe]) -> tuple[dict[str, Any], ...]:
        """The same as manifests of an earlier format name it: weights that these name are kept."""
        parent = _earlier(recipe, others)
        started = self.training(parent, fold, others) if parent else None
        return tuple(earlier_inputs(self.training(recipe, fold, others), started, self.competition.digest))

    def digest(self, recipe: Recipe, fold: int, others: Sequence[Recipe]) -> str:
        """A short name for `inputs`."""
        return digest_of(self.inputs(recipe, fold, others))

    def made(self, recipe: Recipe, fold: int) -> str | None:
        """Names what a training left, whatever it was made from; None where there is none."""
        content = manifest(self.workspace.fold(recipe.name, fold))
        return digest_of(content.get("files")) if content else None

    def trained(self, recipe: Recipe, fold: int, others: Sequence[Recipe]) -> bool:
        """Whether this job's weights are complete and made from these inputs, whatever its predictions are."""
        named = (self.training(recipe, fold, others), *self.earlier_training(recipe, fold, others))
        return _is_trained(self.workspace.fold(recipe.name, fold), named)

    def done(self, recipe: Recipe, fold: int, others: Sequence[Recipe]) -> bool:
        """Whether this job's artefacts are complete and made from these inputs."""
        return complete(self.workspace.fold(recipe.name, fold), self.inputs(recipe, fold, others), LEAST)

    def require(self, recipe: Recipe, fold: int, others: Sequence[Recipe], what: str) -> Path:
        """The folder of a finished training. UserError, saying what it is and how to make it, where it is not done."""
        folder = self.workspace.fold(recipe.name, fold)
        if not self.done(recipe, fold, others):
            raise UserError(
                f"{folder}: expected {what}. Run `python -m solution train --recipe {recipe.name} --fold {fold}` with "
                "the same --data and --scale first."
            )
        return folder


def run_job(bench: Workbench, recipe: Recipe, fold: int, others: Sequence[Recipe], device: torch.device) -> float:
    """Train one recipe on one fold, predict its held-out rows and the test rows, seal the folder; seconds taken."""
    return finish(job_of(bench, recipe, fold, others, device), bench.competition.test)


def job_of(bench: Workbench, recipe: Recipe, fold: int, others: Sequence[Recipe], device: torch.device) -> Job:
    """One recipe on one fold as a job. UserError where the training that it starts from is not finished."""
    faces = bench.competition.train
    earlier = _earlier(recipe, others)
    why = f"the finished training that {recipe.name} starts from"
    parent = bench.require(earlier, fold, others, why) if earlier else None
    own = np.isin(faces.subset, recipe.subsets)
    return Job(
        recipe=recipe,
        fold=fold,
        folder=bench.workspace.fold(recipe.name, fold),
        train=faces.take(own & (bench.table.fold != fold)),
        held=faces.take(own & (bench.table.fold == fold)),
        device=device,
        inputs=bench.inputs(recipe, fold, others),
        parent=parent,
        weights=bench.weights.file(recipe),
        earlier_training=bench.earlier_training(recipe, fold, others),
    )


def finish(job: Job, test: FaceSet) -> float:
    """Train a job, predict its held-out and the test faces, seal its folder; seconds taken.

    Weights that are there already are kept, with their device and time.
    """
    recipe, folder = job.recipe, job.folder
    job.open_folder()
    known = manifest(folder) if _is_trained(folder, (job.training, *job.earlier_training)) else None
    if known:
        if known["inputs"]["format"] != FORMAT:
            upgrade(folder)
        LOG.info("%s: trained already, predicts anew", job.title)
    else:
        train(job)
    began = time.perf_counter()
    asked = test.take(np.isin(test.subset, recipe.subsets))
    save_parts(folder, *(_sane(job, predict(job, faces), faces) for faces in (job.held, asked)))
    predicting = time.perf_counter() - began
    seconds = trained_for(folder) + predicting
    assert all((folder / name).is_file() for name in LEAST)
    source = source_of(recipe)
    facts = {"pretrained": source} if source else {}
    job.seal(seconds=round(seconds, 1), device=(known or {}).get("device", job.device.type), **facts)
    taken = predicting if known else seconds
    LOG.info("%s: done in %.0f s", job.title, taken)
    return taken


def _is_trained(folder: Path, named: Sequence[dict[str, Any]]) -> bool:
    """Whether the folder's weights are intact and made from the inputs that one of these names."""
    content = manifest(folder) or {}
    inputs, files = content.get("inputs"), content.get("files")
    if not isinstance(inputs, dict) or not isinstance(files, dict):
        return False
    theirs = {name: value for name, value in inputs.items() if name != PREDICTING}
    kept = {"files": {name: digest for name, digest in files.items() if name != PREDICTIONS}}
    return theirs in json.loads(json.dumps(named)) and intact(folder, kept, set(LEAST) - {PREDICTIONS})


def _sane(job: Job, found: Predictions, faces: FaceSet) -> Predictions:
    """The predictions as they are. UserError where a point that was learnt is not a number in any row of a subset."""
    for subset in job.recipe.subsets:
        learnt = ~np.isnan(job.train.coords[job.train.subset == subset]).all(axis=(0, 2))
        asked = [point for point in points(job.recipe, subset) if learnt[point]]
        lost = (~np.isfinite(found.coords[faces.subset == subset][:, asked])).any(axis=(1, 2))
        if lost.any():
            raise job.gone_wrong(
                f"a point of {int(lost.sum())} of {len(lost)} {subset}-keypoint rows is predicted as no number"
            )
    return found


def _earlier(recipe: Recipe, others: Sequence[Recipe]) -> Recipe | None:
    """The recipe that this one starts from, if any."""
    if recipe.parent is None:
        return None
    found = [other for other in others if other.name == recipe.parent]
    if not found:
        raise UserError(f"recipe {recipe.name} starts from {recipe.parent!r}, which is not a recipe")
    return found[0]


FIELDS = ("ids", "coords", "sigma")
"""What predictions are written as."""


def save_parts(folder: Path, held: Predictions, test: Predictions) -> None:
    """Write one fold's predictions of its held-out rows and of the test faces."""
    arrays = {
        f"{part}_{field}": getattr(found, field) for part, found in (("held", held), ("test", test)) for field in FIELDS
    }
    with atomic(folder / PREDICTIONS) as temporary, temporary.open("wb") as handle:
        np.savez(handle, **arrays)


def load_part(folder: Path, name: str, part: str) -> Predictions:
    """One fold's predictions of its "held" rows or of the "test" faces."""
    with np.load(folder / PREDICTIONS, allow_pickle=False) as arrays:
        return Predictions(name, *(arrays[f"{part}_{field}"] for field in FIELDS))


@dataclass(frozen=True, eq=False)
class Specialist:
    """What one recipe gives the stacker: out-of-fold predictions, and each fold's predictions of the test faces.

    NaN rows are those of a subset it does not predict. seconds: training time over all folds.
    """

    recipe: Recipe
    oof: Predictions
    test: tuple[Predictions, ...]
    seconds: float


def collect(bench: Workbench, recipe: Recipe, others: Sequence[Recipe]) -> Specialist:
    """Gather a recipe's folds. UserError naming the command to run when one is missing or stale."""
    what = "a finished training of these settings and data"
    folders = [bench.require(recipe, fold, others, what) for fold in range(bench.table.k)]
    held = [load_part(folder, recipe.name, "held") for folder in folders]
    tests = tuple(_spread_over(bench.competition.test, [load_part(folder, recipe.name, "test")]) for folder in folders)
    seconds = sum(_taken(folder) for folder in folders)
    return Specialist(recipe, _spread_over(bench.competition.train, held), tests, seconds)


def _taken(folder: Path) -> float:
    """Seconds that a training took, as its manifest has it; 0 where that says nothing of use."""
    said = (manifest(folder) or {}).get("seconds")
    return float(said) if isinstance(said, int | float) else 0.0


def _spread_over(faces: FaceSet, parts: Sequence[Predictions]) -> Predictions:
    """The parts' rows at their places among all faces, NaN elsewhere. Each row at most once, or ValueError."""
    place = {identity: row for row, identity in enumerate(faces.ids.tolist())}
    coords = np.full(faces.coords.shape, np.nan, np.float32)
    sigma = np.full(faces.coords.shape[:2], np.nan, np.float32)
    rows = [np.array([place[i] for i in part.ids.tolist()], dtype=int) for part in parts]
    if len(np.unique(np.concatenate(rows))) != sum(len(r) for r in rows):
        raise ValueError(f"{parts[0].name}: a row is predicted more than once")
    for part, where in zip(parts, rows, strict=True):
        coords[where], sigma[where] = part.coords, part.sigma
    return Predictions(parts[0].name, faces.ids, coords, sigma)
