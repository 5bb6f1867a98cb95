"""Errors in long form: RMSE of each set of predictions by fold and subset, and by keypoint and subset.

Each RMSE over all labels has a second one beside it, without outliers, so that no row is left out silently. A
specialist is scored on the cells that it predicts. `coverage` is their share of the labelled cells, and only figures
over all labelled cells can be the best.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solution.evaluation.metrics import pooled, squared_errors, weighted
from solution.faces import FaceSet, FoldTable, Predictions, aligned, rows_of
from solution.keypoints import SUBSETS

ALL = "all"
WEIGHTED = "weighted"


@dataclass(frozen=True)
class Score:
    """The error of one predictions over some rows and points."""

    name: str
    """The predictions' name."""

    subset: str
    """"15", "4" or "weighted": both subsets, weighted by their share of the asked cells."""

    part: str
    """The fold ("0", …, "all"), or the keypoint's name."""

    rmse: float
    """Pixels, NaN where nothing is scored."""

    cells: int
    """How many cells are scored."""

    coverage: float
    """Share of the labelled cells that is predicted, NaN where nothing is labelled."""

    rmse_without_outliers: float
    """Pixels."""

    best: bool = False
    """Whether this is the lowest RMSE over all labelled cells of this subset and part."""


@dataclass(frozen=True)
class Errors:
    """Every score, in the order of the predictions."""

    folds: tuple[Score, ...]
    keypoints: tuple[Score, ...]

    @property
    def names(self) -> list[str]:
        """The predictions' names, in order."""
        return list(dict.fromkeys(score.name for score in self.folds))


def make_errors(
    faces: FaceSet,
    table: FoldTable,
    oof: Sequence[Predictions],
    weights: dict[int, float],
    outliers: np.ndarray,
) -> Errors:
    """Score out-of-fold predictions against the labels.

    oof: sets of predictions, each for faces of `faces` in any order. weights: share of the asked cells by subset.
    outliers: bool (N,). ValueError where names repeat, or where predictions or folds do not belong to these faces.
    """
    names = [predictions.name for predictions in oof]
    if len(set(names)) != len(names):
        raise ValueError(f"expected predictions of different names, got {names}")
    fold = table.fold[rows_of(table.ids, faces.ids)]
    folds: list[Score] = []
    keypoints: list[Score] = []
    for predictions in oof:
        errors = _Squared.of(faces, predictions, outliers)
        folds += _by_fold(errors, faces.subset, fold, weights)
        keypoints += _by_keypoint(errors, faces)
    return Errors(_with_best(folds), _with_best(keypoints))


@dataclass(frozen=True, eq=False)
class _Squared:
    """The squared errors of one predictions."""

    name: str
    squared: np.ndarray  # (N, K, 2) px², NaN where there is no label or no prediction
    labelled: np.ndarray  # (N, K, 2) bool
    kept: np.ndarray  # (N,) bool, rows that are no outliers

    @classmethod
    def of(cls, faces: FaceSet, predictions: Predictions, outliers: np.ndarray) -> "_Squared":
        coords = aligned(faces, predictions)
        labels = np.where(np.isnan(coords), np.nan, faces.coords)
        return cls(predictions.name, squared_errors(coords, labels), ~np.isnan(faces.coords), ~outliers)

    def score(self, subset: str, part: str, rows: np.ndarray, points: slice | int = slice(None)) -> Score:
        """The score over these rows, bool (N,), and points."""
        squared = self.squared[rows][:, points]
        cells = int((~np.isnan(squared)).sum())
        labelled = int(self.labelled[rows][:, points].sum())
        without = pooled(self.squared[rows & self.kept][:, points])
        coverage = cells / labelled if labelled else float("nan")
        return Score(self.name, subset, part, pooled(squared), cells, coverage, without)


def _by_fold(errors: _Squared, subset: np.ndarray, fold: np.ndarray, weights: dict[int, float]) -> list[Score]:
    parts = {str(f): fold == f for f in np.unique(fold)} | {ALL: np.ones(len(fold), bool)}
    scores = []
    for part, inside in parts.items():
        by_subset = {s: errors.score(str(s), part, inside & (subset == s)) for s in SUBSETS}
        scores += [*by_subset.values(), _over_subsets(by_subset, weights)]
    return scores


def _over_subsets(by_subset: dict[int, Score], weights: dict[int, float]) -> Score:
    """The subsets' scores as one. NaN for a specialist that does not predict a subset that is asked."""
    asked = [s for s in SUBSETS if weights[s] > 0]
    return replace(
        by_subset[SUBSETS[0]],
        subset=WEIGHTED,
        rmse=weighted({s: score.rmse for s, score in by_subset.items()}, weights),
        cells=sum(by_subset[s].cells for s in asked),
        coverage=1 - sum(weights[s] * (1 - by_subset[s].coverage) for s in asked),  # all predicted: exactly 1
        rmse_without_outliers=weighted({s: score.rmse_without_outliers for s, score in by_subset.items()}, weights),
    )


def _by_keypoint(errors: _Squared, faces: FaceSet) -> list[Score]:
    """One score for each subset and each of its points that has labels."""
    return [
        errors.score(str(s), faces.schema.points[k], faces.subset == s, k)
        for s in SUBSETS
        for k in range(faces.schema.size)
        if errors.labelled[faces.subset == s, k].any()
    ]


def _with_best(scores: Sequence[Score]) -> tuple[Score, ...]:
    """The scores with `best` set for the lowest full RMSE of each subset and part."""
    lowest: dict[tuple[str, str], float] = {}
    for score in scores:
        if score.coverage == 1 and not np.isnan(score.rmse):
            key = score.subset, score.part
            lowest[key] = min(score.rmse, lowest.get(key, score.rmse))
    return tuple(
        replace(score, best=score.coverage == 1 and score.rmse == lowest.get((score.subset, score.part)))
        for score in scores
    )
