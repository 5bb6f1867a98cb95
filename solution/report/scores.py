"""RMSE over some of a set of faces: both subsets together, weighted by asked cells, and each alone, with intervals."""

import numpy as np

from solution.evaluation.expected import Interval, Scores
from solution.faces import FaceSet
from solution.keypoints import SUBSETS
from solution.metrics import bootstrap_interval, rmse, weighted


def scores_of(coords: np.ndarray, faces: FaceSet, weights: dict[int, float], kept: np.ndarray) -> Scores:
    """The scores of predictions (N, 15, 2) of these rows, bool (N,); NaN for a subset without any labelled cell, and
    overall if that has weight.
    """
    by_subset = {}
    for s in SUBSETS:
        rows = kept & (faces.subset == s)
        by_subset[s] = rmse(coords[rows], faces.coords[rows])
    found: dict[str | int, float] = {"overall": weighted(by_subset, weights)}
    found.update(by_subset.items())
    return found


def intervals_of(
    coords: np.ndarray, faces: FaceSet, weights: dict[int, float], kept: np.ndarray
) -> dict[str | int, Interval]:
    """Their 95 % bootstrap intervals over sections of rows in file order; none for a subset without a labelled cell."""
    kinds = {"overall": weights} | {s: {t: float(t == s) for t in SUBSETS} for s in SUBSETS}
    labelled = kept & ~np.isnan(faces.coords).all(axis=(1, 2))
    found: dict[str | int, Interval] = {}
    for kind, shares in kinds.items():
        rows = labelled if kind == "overall" else labelled & (faces.subset == kind)
        if rows.any():
            found[kind] = bootstrap_interval(coords[rows], faces.coords[rows], faces.subset[rows], shares)
    return found
