"""The leaderboards of a comparison: on the competition's faces, beside finished specialists, and on 68 points."""

from dataclasses import dataclass

import numpy as np

from solution.ensemble import selection
from solution.evaluation.metrics import bootstrap_interval, interval, resampled_means, squared_errors, weighted_rmse
from solution.evaluation.outliers import is_outlier, row_rms
from solution.faces import FaceSet, aligned
from solution.keypoints import FACE68, SUBSETS
from solution.run import Run
from solution.runtime.artifacts import manifest
from solution.specialists.training import load_part
from solution.studies.baselines.leaderboard import Figure, Finished, Leaderboard, ranked_rows, results_of
from solution.studies.baselines.results import FOLD, Split
from solution.studies.baselines.train import candidates, candidates68, split68_of, split_of
from solution.studies.faces68.nme import relative_distances
from solution.studies.faces68.train import Study

BOTH = "all"  # both subsets together, weighted by asked cells; the subsets go by their numbers
COLUMNS = {BOTH: BOTH} | {str(s): f"{s}-keypoint" for s in SUBSETS}
NONE = (np.nan, np.nan, np.nan)


def leaderboard(run: Run, seconds: float) -> Leaderboard:
    """The figures of all networks that were trained for this time. UserError if there is none."""
    split = split_of(run)
    results, finished = results_of(split, candidates(), seconds), _finished(run, split.held)
    predictions = [coords for _, timed_run in results for coords in timed_run.coords]
    kept = ~outliers([*predictions, *(coords for _, _, coords in finished)], split.held)
    scorer = _Scorer(run, split, kept)
    return Leaderboard(
        minutes=seconds / 60,
        measure="RMSE in pixels",
        columns=COLUMNS,
        rows=int(kept.sum()),
        outliers=int((~kept).sum()),
        lines=ranked_rows(results, len(split.held), scorer),
        finished=tuple(
            Finished(name=name, minutes=minutes, figures=scorer.figures(coords)) for name, minutes, coords in finished
        ),
    )


@dataclass(frozen=True, eq=False)
class _Scorer:
    """RMSE of the held-out faces without outliers."""

    run: Run
    split: Split

    kept: np.ndarray  # whether each held-out face counts, bool (N,)

    def figures(self, coords: np.ndarray) -> dict[str, Figure]:
        faces, weights = self.split.held.take(self.kept), self.run.competition.weights
        shares = {BOTH: weights} | {str(s): {t: float(s == t) for t in SUBSETS} for s in SUBSETS}
        return {column: figure(coords[self.kept], faces, share) for column, share in shares.items()}

    def watched(self, coords: np.ndarray) -> float:
        kept = self.kept[self.split.watched]
        faces = self.split.held.take(self.split.watched[kept])
        return weighted_rmse(coords[kept], faces.coords, faces.subset, self.run.competition.weights)


def figure(coords: np.ndarray, faces: FaceSet, share: dict[int, float]) -> Figure:
    """RMSE in pixels with its 95 % interval over the subsets with a share; NaN if one is not predicted."""
    rows = np.isin(faces.subset, [s for s in SUBSETS if share[s] > 0])
    known, labels = coords[rows], faces.coords[rows]
    if not len(labels) or (np.isnan(known) & ~np.isnan(labels)).any():
        return NONE
    given = known, labels, faces.subset[rows], share
    return weighted_rmse(*given), *bootstrap_interval(*given)


def outliers(predictions: list[np.ndarray], held: FaceSet) -> np.ndarray:
    """Whether a row's labels are outliers of the best of all predictions, each (N, 15, 2); bool (N,).

    The best predictions of a subset have the least error in their median row. Predictions that lack points of a subset
    are not considered there.
    """
    outlier = np.zeros(len(held), bool)
    for subset in SUBSETS:
        rows = held.subset == subset
        labels = held.coords[rows]
        known = ~np.isnan(labels)
        rms = [row_rms(coords[rows] - labels, known) for coords in predictions]
        whole = [(np.median(errors), i) for i, errors in enumerate(rms) if len(errors) and not np.isnan(errors).any()]
        if whole:
            outlier[rows] = is_outlier(predictions[min(whole)[1]][rows], labels)
    return outlier


def _finished(run: Run, held: FaceSet) -> list[tuple[str, float, np.ndarray]]:
    """Finished specialists, and the stack, on the fold: name, minutes, coords (N, 15, 2) in the held-out order."""
    found = []
    for recipe in run.recipes:
        if recipe.landmarks and run.job(recipe, FOLD).is_complete():
            folder = run.workspace.fold(recipe.name, FOLD)
            minutes = float((manifest(folder) or {}).get("seconds", np.nan)) / 60
            found.append((recipe.name, minutes, aligned(held, load_part(folder, recipe.name, "held"))))
    stack = selection.load(run, selection.inputs_of(run))
    if stack is not None:
        found.append(("stack of all, without drift", np.nan, stack.oof[selection.PLAIN][run.table.fold == FOLD]))
    return found


COLUMNS68 = {"nme": "NME, %", "rmse": "RMSE, px"}


def leaderboard68(study: Study, seconds: float) -> Leaderboard:
    """The figures of all networks that were trained for this time. UserError if there is none."""
    split = split68_of(study)
    return Leaderboard(
        minutes=seconds / 60,
        measure="NME in % of the distance between the outer eye corners",
        columns=COLUMNS68,
        rows=len(split.held),
        outliers=0,
        lines=ranked_rows(results_of(split, candidates68(), seconds), len(split.held), _Scorer68(split)),
    )


@dataclass(frozen=True, eq=False)
class _Scorer68:
    """NME and RMSE of the held-out faces in their frames of 96×96 pixels; points outside a frame do not count."""

    split: Split

    def figures(self, coords: np.ndarray) -> dict[str, Figure]:
        labels = self.split.held.coords
        nme, low, high = _mean(relative_distances(coords, labels, FACE68)[..., None])
        squared = _mean(squared_errors(coords, labels))
        return {"nme": (100 * nme, 100 * low, 100 * high), "rmse": tuple(value**0.5 for value in squared)}

    def watched(self, coords: np.ndarray) -> float:
        return 100 * float(np.nanmean(relative_distances(coords, self.split.held.coords[self.split.watched], FACE68)))


def _mean(cells: np.ndarray) -> Figure:
    """The mean of the finite cells (N, K, D), and its 95 % interval from resampling faces."""
    return float(np.nanmean(cells)), *interval(resampled_means(cells, np.random.default_rng(0)))
