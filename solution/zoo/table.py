"""What came of the contest, as figures: every network and reading a line, finished specialists of the fold beside."""

from dataclasses import dataclass

import numpy as np

from solution import ensemble
from solution.artefacts import manifest
from solution.audit import far_off, row_rms
from solution.errors import UserError
from solution.faces import FaceSet
from solution.keypoints import SUBSETS
from solution.metrics import bootstrap_interval, weighted_rmse
from solution.recipe import LandmarkRecipe
from solution.specialists import load_part
from solution.stages import Run
from solution.zoo.ancestor import Family
from solution.zoo.clock import Course
from solution.zoo.contest import FOLD, Contender, contenders, held_out, load, watched_of

BOTH = "all"
"""Both subsets together, weighted by asked cells; the subsets go by their numbers."""

SCOPES = (BOTH, *(str(s) for s in SUBSETS))
NONE = (np.nan, np.nan, np.nan)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A network's figures by one reading. rmse: by scope, RMSE and its 95 % interval in pixels, NaN = not predicted.

    curve: minutes of training and RMSE of the watched faces, both subsets. The rates are pictures a second.
    """

    name: str
    title: str
    family: Family
    idea: str
    reading: str
    parameters: int
    multiply_adds: int
    training: float
    predicting: float
    minutes: float
    rmse: dict[str, tuple[float, float, float]]
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A finished training of the run on the same fold. minutes: its own, without those of the one it started from."""

    name: str
    minutes: float
    rmse: dict[str, tuple[float, float, float]]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Everything the contest's files tell: lines best first. suspects: rows left out of every figure."""

    minutes: float
    rows: int
    suspects: int
    lines: tuple[Line, ...]
    finished: tuple[Finished, ...]


def standing(run: Run, seconds: float) -> Standing:
    """The figures of all networks trained for this long. UserError where there is none."""
    courses = [(one, found) for one in contenders().values() if (found := load(run, one, seconds))]
    if not courses:
        raise UserError(f"{run.workspace.folds / 'compare'}: expected networks trained for {seconds:g} s, found none")
    held, finished = held_out(run), _finished(run)
    everyone = [coords for _, course in courses for coords in course.coords] + [coords for _, _, coords in finished]
    kept = ~suspects(everyone, held)
    scored = _Scorer(run, held, kept)
    lines = [line for one, course in courses for line in _lines(one, course, scored)]
    return Standing(
        minutes=seconds / 60,
        rows=int(kept.sum()),
        suspects=int((~kept).sum()),
        lines=tuple(sorted(lines, key=lambda line: line.rmse[BOTH][0])),
        finished=tuple(
            Finished(name=name, minutes=minutes, rmse=scored.figures(coords)) for name, minutes, coords in finished
        ),
    )


@dataclass(frozen=True, eq=False)
class _Scorer:
    """Scores predictions of the held-out faces (N, 15, 2), those not kept left out."""

    run: Run
    held: FaceSet
    kept: np.ndarray

    def figures(self, coords: np.ndarray) -> dict[str, tuple[float, float, float]]:
        faces, weights = self.held.take(self.kept), self.run.competition.weights
        shares = {BOTH: weights} | {str(s): {t: float(s == t) for t in SUBSETS} for s in SUBSETS}
        return {scope: figure(coords[self.kept], faces, share) for scope, share in shares.items()}

    def watched(self, coords: np.ndarray) -> float:
        """RMSE of the watched faces' predictions, (W, 15, 2)."""
        rows = watched_of(self.held)
        kept = self.kept[rows]
        faces = self.held.take(rows[kept])
        return weighted_rmse(coords[kept], faces.coords, faces.subset, self.run.competition.weights)


def figure(coords: np.ndarray, faces: FaceSet, share: dict[int, float]) -> tuple[float, float, float]:
    """RMSE in pixels with its 95 % interval over the subsets that have a share; NaN where one is not predicted."""
    rows = np.isin(faces.subset, [s for s in SUBSETS if share[s] > 0])
    known, labels = coords[rows], faces.coords[rows]
    if not len(labels) or (np.isnan(known) & ~np.isnan(labels)).any():
        return NONE
    given = known, labels, faces.subset[rows], share
    return weighted_rmse(*given), *bootstrap_interval(*given)


def suspects(everyone: list[np.ndarray], held: FaceSet) -> np.ndarray:
    """Rows whose labels lie absurdly far from what the best of all predictions (each (N, 15, 2)) says, bool (N,).

    The best of a subset is the one whose median row errs least. Those that do not predict a whole subset are no judges
    of it; and where even the best errs everywhere, nobody is accused.
    """
    found = np.zeros(len(held), bool)
    for subset in SUBSETS:
        rows = held.subset == subset
        labels = held.coords[rows]
        known = ~np.isnan(labels)
        rms = [row_rms(coords[rows] - labels, known) for coords in everyone]
        judges = [(np.median(one), i) for i, one in enumerate(rms) if len(one) and not np.isnan(one).any()]
        if judges:
            found[rows] = far_off(everyone[min(judges)[1]][rows], labels)
    return found


def _lines(one: Contender, course: Course, scored: _Scorer) -> list[Line]:
    return [
        Line(
            name=one.name,
            title=one.title,
            family=one.family,
            idea=one.idea,
            reading=reading,
            parameters=course.parameters,
            multiply_adds=course.multiply_adds,
            training=course.pictures / course.seconds,
            predicting=len(scored.held) / course.predicting,
            minutes=course.seconds / 60,
            rmse=scored.figures(course.coords[i]),
            curve=tuple((look.seconds / 60, scored.watched(look.coords[i])) for look in course.looks),
        )
        for i, reading in enumerate(course.readings)
    ]


def _finished(run: Run) -> list[tuple[str, float, np.ndarray]]:
    """Finished specialists, and the stack, on the fold: name, minutes, coords (N, 15, 2) in the held-out order."""
    ids = held_out(run).ids
    found = []
    for recipe in run.recipes:
        if isinstance(recipe, LandmarkRecipe) and run.bench.done(recipe, FOLD, run.recipes):
            folder = run.workspace.fold(recipe.name, FOLD)
            said = load_part(folder, recipe.name, "held")
            coords = np.full((len(ids), *said.coords.shape[1:]), np.nan, np.float32)
            coords[np.searchsorted(ids, said.ids)] = said.coords
            found.append((recipe.name, float((manifest(folder) or {}).get("seconds", np.nan)) / 60, coords))
    stack = ensemble.load(run.bench, ensemble.inputs_of(run.bench, run.recipes))
    if stack is not None:
        found.append(("stack of all, without drift", np.nan, stack.oof[ensemble.PLAIN][run.table.fold == FOLD]))
    return found
