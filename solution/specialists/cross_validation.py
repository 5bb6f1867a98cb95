"""A specialist's predictions: the jobs of all folds of a recipe, gathered."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solution.faces import FaceSet, Predictions, rows_of
from solution.recipe import Recipe
from solution.runtime.artifacts import manifest
from solution.specialists.job import Job
from solution.specialists.training import load_part


@dataclass(frozen=True, eq=False)
class Specialist:
    """What one recipe gives the stacker. Rows of a subset that it does not predict are NaN."""

    recipe: Recipe
    oof: Predictions  # out-of-fold: each training row by the network that has not seen it
    test: tuple[Predictions, ...]  # of the test faces, by fold
    seconds: float  # training time of all folds together


def collect(jobs: Sequence[Job]) -> Specialist:
    """Gather the jobs of all folds of a recipe. UserError with the command to run if one is not complete."""
    recipe, competition = jobs[0].recipe, jobs[0].data.competition
    folders = [job.require("a finished training of these settings and data") for job in jobs]
    held = [load_part(folder, recipe.name, "held") for folder in folders]
    tests = tuple(_placed(competition.test, [load_part(folder, recipe.name, "test")]) for folder in folders)
    return Specialist(recipe, _placed(competition.train, held), tests, sum(map(_seconds, folders)))


def _seconds(folder: Path) -> float:
    """The time that the manifest gives; 0 if it gives none."""
    seconds = (manifest(folder) or {}).get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def _placed(faces: FaceSet, parts: Sequence[Predictions]) -> Predictions:
    """The parts' rows at their places among all faces, NaN elsewhere. ValueError if a row is in two parts."""
    ids = np.concatenate([part.ids for part in parts])
    if len(np.unique(ids)) != len(ids):
        raise ValueError(f"{parts[0].name}: a row is predicted more than once")
    rows = rows_of(faces.ids, ids)
    coords = np.full(faces.coords.shape, np.nan, np.float32)
    sigma = np.full(faces.coords.shape[:2], np.nan, np.float32)
    coords[rows] = np.concatenate([part.coords for part in parts])
    sigma[rows] = np.concatenate([part.sigma for part in parts])
    return Predictions(parts[0].name, faces.ids, coords, sigma)
