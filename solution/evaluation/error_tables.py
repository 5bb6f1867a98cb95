"""The report's figures as long tables: RMSE per predictions, fold, subset and keypoint.

Every figure over all labels has one beside it without the rows whose labels lie far off (outliers): nothing is dropped
unseen. A specialist is scored on what it predicts, and `coverage` says how much of the labelled cells
that is; only figures over all labelled cells compete for the best.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from solution.evaluation.metrics import pooled, squared_errors, weighted
from solution.faces import FaceSet, FoldTable, Predictions, aligned, rows_of
from solution.keypoints import SUBSETS

ALL = "all"
WEIGHTED = "weighted"


@dataclass(frozen=True, eq=False)
class Tables:
    """The figures in long form, in the order the predictions came.

    folds: columns name, subset ("15", "4", "weighted"), fold ("0", …, "all") and the figures.
    keypoints: columns name, subset ("15", "4"), point and the figures.
    Figures: rmse (px, NaN where nothing is scored), cells (how many are scored), coverage (share of the labelled cells
    that is predicted), rmse_without_outliers (px), best (of all predictions here).
    """

    folds: pd.DataFrame
    keypoints: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """The predictions' names, in order."""
        return list(self.folds["name"].unique())


def make_tables(
    faces: FaceSet,
    table: FoldTable,
    oof: Sequence[Predictions],
    weights: dict[int, float],
    outliers: np.ndarray,
) -> Tables:
    """Score out-of-fold predictions against the labels.

    oof: specialists first, then blend, stack and the like, each with faces of `faces` in any order. weights: share of
    the asked cells by subset. outliers: bool (N,), rows whose labels lie far off. ValueError where names repeat, or
    predictions or folds do not belong to these faces.
    """
    names = [predictions.name for predictions in oof]
    if len(set(names)) != len(names):
        raise ValueError(f"expected predictions of different names, got {names}")
    fold = table.fold[rows_of(table.ids, faces.ids)]
    folds, keypoints = [], []
    for predictions in oof:
        scored = _Scored.of(faces, predictions, outliers)
        folds += [{"name": predictions.name, **row} for row in _by_fold(scored, faces.subset, fold, weights)]
        keypoints += [{"name": predictions.name, **row} for row in _by_keypoint(scored, faces)]
    return Tables(
        _marked(pd.DataFrame(folds), ["subset", "fold"]),
        _marked(pd.DataFrame(keypoints), ["subset", "point"]),
    )


@dataclass(frozen=True, eq=False)
class _Scored:
    """squared: (N, K, 2) px², NaN where there is no label or no prediction. labelled: (N, K, 2). kept: (N,)."""

    squared: np.ndarray
    labelled: np.ndarray
    kept: np.ndarray

    @classmethod
    def of(cls, faces: FaceSet, predictions: Predictions, outliers: np.ndarray) -> "_Scored":
        coords = aligned(faces, predictions)
        labels = np.where(np.isnan(coords), np.nan, faces.coords)
        return cls(squared_errors(coords, labels), ~np.isnan(faces.coords), ~outliers)

    def figures(self, rows: np.ndarray, points: slice | int = slice(None)) -> dict[str, float]:
        """The figures over these rows, bool (N,), and points; coverage is NaN where nothing is labelled."""
        squared = self.squared[rows][:, points]
        cells = int((~np.isnan(squared)).sum())
        labelled = int(self.labelled[rows][:, points].sum())
        without = pooled(self.squared[rows & self.kept][:, points])
        return {
            "rmse": pooled(squared),
            "cells": cells,
            "coverage": cells / labelled if labelled else np.nan,
            "rmse_without_outliers": without,
        }


def _by_fold(scored: _Scored, subset: np.ndarray, fold: np.ndarray, weights: dict[int, float]) -> list[dict]:
    parts = {str(f): fold == f for f in np.unique(fold)} | {ALL: np.ones(len(fold), bool)}
    rows = []
    for part, inside in parts.items():
        by_subset = {s: scored.figures(inside & (subset == s)) for s in SUBSETS}
        rows += [{"subset": str(s), "fold": part, **figures} for s, figures in by_subset.items()]
        rows.append({"subset": WEIGHTED, "fold": part, **_over_subsets(by_subset, weights)})
    return rows


def _over_subsets(by_subset: dict[int, dict[str, float]], weights: dict[int, float]) -> dict[str, float]:
    """The subsets' figures as one. NaN for a specialist that says nothing of a subset that is asked."""
    asked = [s for s in SUBSETS if weights[s] > 0]
    return {
        "rmse": weighted({s: by_subset[s]["rmse"] for s in SUBSETS}, weights),
        "cells": sum(by_subset[s]["cells"] for s in asked),
        "coverage": 1 - sum(weights[s] * (1 - by_subset[s]["coverage"]) for s in asked),  # all predicted: exactly 1
        "rmse_without_outliers": weighted({s: by_subset[s]["rmse_without_outliers"] for s in SUBSETS}, weights),
    }


def _by_keypoint(scored: _Scored, faces: FaceSet) -> list[dict]:
    """One row for each subset and each of its points that has labels."""
    return [
        {"subset": str(s), "point": faces.schema.points[k], **scored.figures(faces.subset == s, k)}
        for s in SUBSETS
        for k in range(faces.schema.size)
        if scored.labelled[faces.subset == s, k].any()
    ]


def _marked(frame: pd.DataFrame, within: list[str]) -> pd.DataFrame:
    """The frame with the column `best`: the lowest full figure of each group."""
    full = frame["rmse"].where(frame["coverage"] == 1)
    lowest = full.groupby([frame[column] for column in within]).transform("min")
    return frame.assign(best=full.notna() & (full == lowest))
