"""What came of the contest on the competition's faces, finished specialists of the fold beside."""

from dataclasses import dataclass

import numpy as np

from solution import ensemble
from solution.artefacts import manifest
from solution.faces import FaceSet
from solution.keypoints import SUBSETS
from solution.metrics import bootstrap_interval, weighted_rmse
from solution.recipe import LandmarkRecipe
from solution.report.tables import aligned
from solution.specialists import load_part
from solution.stages import Run
from solution.suspects import far_off, row_rms
from solution.zoo.arena import FOLD, Arena
from solution.zoo.contest import arena_of, contenders
from solution.zoo.lines import Figure, Finished, Standing, found_in, lines_of

BOTH = "all"
"""Both subsets together, weighted by asked cells; the subsets go by their numbers."""

COLUMNS = {BOTH: BOTH} | {str(s): f"{s}-keypoint" for s in SUBSETS}
NONE = (np.nan, np.nan, np.nan)


def standing(run: Run, seconds: float) -> Standing:
    """The figures of all networks trained for this long. UserError where there is none."""
    arena = arena_of(run)
    found, finished = found_in(arena, contenders(), seconds), _finished(run, arena.held)
    everyone = [coords for _, course in found for coords in course.coords] + [coords for _, _, coords in finished]
    kept = ~suspects(everyone, arena.held)
    scored = _Scorer(run, arena, kept)
    return Standing(
        minutes=seconds / 60,
        measure="RMSE in pixels",
        columns=COLUMNS,
        rows=int(kept.sum()),
        suspects=int((~kept).sum()),
        lines=lines_of(found, len(arena.held), scored),
        finished=tuple(
            Finished(name=name, minutes=minutes, figures=scored.figures(coords)) for name, minutes, coords in finished
        ),
    )


@dataclass(frozen=True, eq=False)
class _Scorer:
    """RMSE of the held-out faces, those not kept left out."""

    run: Run
    arena: Arena
    kept: np.ndarray

    def figures(self, coords: np.ndarray) -> dict[str, Figure]:
        faces, weights = self.arena.held.take(self.kept), self.run.competition.weights
        shares = {BOTH: weights} | {str(s): {t: float(s == t) for t in SUBSETS} for s in SUBSETS}
        return {column: figure(coords[self.kept], faces, share) for column, share in shares.items()}

    def watched(self, coords: np.ndarray) -> float:
        kept = self.kept[self.arena.watched]
        faces = self.arena.held.take(self.arena.watched[kept])
        return weighted_rmse(coords[kept], faces.coords, faces.subset, self.run.competition.weights)


def figure(coords: np.ndarray, faces: FaceSet, share: dict[int, float]) -> Figure:
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


def _finished(run: Run, held: FaceSet) -> list[tuple[str, float, np.ndarray]]:
    """Finished specialists, and the stack, on the fold: name, minutes, coords (N, 15, 2) in the held-out order."""
    found = []
    for recipe in run.recipes:
        if isinstance(recipe, LandmarkRecipe) and run.bench.done(recipe, FOLD, run.recipes):
            folder = run.workspace.fold(recipe.name, FOLD)
            minutes = float((manifest(folder) or {}).get("seconds", np.nan)) / 60
            found.append((recipe.name, minutes, aligned(held, load_part(folder, recipe.name, "held"))))
    stack = ensemble.load(run.bench, ensemble.inputs_of(run.bench, run.recipes))
    if stack is not None:
        found.append(("stack of all, without drift", np.nan, stack.oof[ensemble.PLAIN][run.table.fold == FOLD]))
    return found
