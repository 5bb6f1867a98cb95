"""The plain blend: a weighted mean of the specialists, the stack's starting point and its baseline.

Weights are non-negative and sum to one, one set for each subset and each group of points that the same specialists
predict. They are learnt from out-of-fold predictions of the other folds, so a row never weighs its own prediction.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from solution.keypoints import POINTS

LEAST = 1e-9  # share of everyone who predicts a cell: where the favourite is missing, the others answer
CLIP = 6.0
"""Pixels from the specialists' median. A label farther off says that it is wrong or that all are lost; it would buy
weight for whoever errs the same way. 4-keypoint blend with whole rows left out from 12 px on instead: 1.386 px, so
1.376 (-0.010, 95 % interval -0.025 to +0.000); 2, 3 and 4 px gave the same."""

RIDGE = 50.0  # px² of pull towards equal weights, as if that many cells voted for them


@dataclass(frozen=True, eq=False)
class BlendWeights:
    """Weights (M, 15) of M specialists for each point of one subset; a column sums to 1 where anyone predicts.

    Where a specialist lacks a cell, the weights of those who have it are scaled up to 1.
    """

    values: np.ndarray

    def mean(self) -> np.ndarray:
        """Each specialist's weight (M,), mean over the points that anyone has."""
        return self.values.sum(axis=1) / max(1, self.values.any(axis=0).sum())

    def apply(self, members: np.ndarray) -> np.ndarray:
        """The blend of members (M, N, 15, 2): (N, 15, 2), NaN where no specialist predicts."""
        present = ~np.isnan(members)
        share = np.where(present, self.values[:, None, :, None] + LEAST, 0.0)
        total = share.sum(axis=0)
        blended = (np.where(present, members, 0.0) * share).sum(axis=0) / np.where(total > 0, total, 1.0)
        return np.where(total > 0, blended, np.nan).astype(np.float32)


def fit_weights(
    members: np.ndarray, labels: np.ndarray, subset: int, estimate: np.ndarray | None = None
) -> BlendWeights:
    """Least-squares weights for one subset's rows: members (M, N, 15, 2), labels (N, 15, 2) with NaN.

    estimate: the members' `middle` where it is known: fold after fold of the same rows, it took a third of the stage.
    """
    estimate = middle(members) if estimate is None else estimate
    values = np.zeros((len(members), labels.shape[1]))
    covering = ~np.isnan(members).all(axis=(1, 3))  # (M, 15)
    sane = np.where(np.abs(labels - estimate) < CLIP, labels, np.nan)
    for pattern in np.unique(covering[:, POINTS[subset]].T, axis=0):
        points = [k for k in POINTS[subset] if (covering[:, k] == pattern).all()]
        if pattern.any():
            found = _solve(members[np.ix_(pattern, np.arange(len(labels)), points)], sane[:, points])
            values[np.ix_(pattern, points)] = found[:, None]
    return BlendWeights(values)


def middle(members: np.ndarray) -> np.ndarray:
    """The specialists' median, (M, N, 15, 2) to (N, 15, 2), NaN where no specialist predicts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a point that no specialist predicts
        return np.nanmedian(members, axis=0)


def _solve(members: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Non-negative weights that sum to 1: the sum is asked for by one heavy equation."""
    count = len(members)
    known = ~np.isnan(labels) & ~np.isnan(members).any(axis=0)
    design = members[:, known].T.astype(np.float64)
    middle = design.mean(axis=1, keepdims=True)  # predictions agree to a few px: centring keeps the solve sharp
    deviation, target = design - middle, labels[known] - middle[:, 0]
    pull = np.sqrt(RIDGE) * np.eye(count)
    heavy = 1e4 * np.ones((1, count))
    matrix = np.concatenate([deviation, pull, heavy])
    answer = np.concatenate([target, np.full(count, np.sqrt(RIDGE) / count), [1e4]])
    weights, _ = nnls(matrix, answer)
    return weights / weights.sum()
