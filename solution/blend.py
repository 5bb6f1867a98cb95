"""The plain blend: a weighted mean of the specialists, the stack's starting point and its yardstick.

Weights are non-negative and sum to one, one set for each subset and each group of points that the same specialists
predict. They are learnt from out-of-fold predictions of the other folds, so a row never weighs its own prediction.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from solution.network import POINTS

ABSURD = 12.0  # px rms over a row: such a label is wrong and would buy weight for whoever is wrong the same way
RIDGE = 50.0  # px² of pull towards equal weights, as if that many cells voted for them


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights (M, 15) of M specialists for each point of one subset; a column sums to 1 where anyone predicts."""

    subset: int
    values: np.ndarray

    def apply(self, members: np.ndarray) -> np.ndarray:
        """The blend of members (M, N, 15, 2): (N, 15, 2), NaN where no specialist predicts."""
        blended = np.nansum(members * self.values[:, None, :, None], axis=0)
        covered = ~np.isnan(members).all(axis=0)
        return np.where(covered, blended, np.nan).astype(np.float32)


def fit_weights(members: np.ndarray, labels: np.ndarray, subset: int) -> Weights:
    """Least-squares weights for one subset's rows: members (M, N, 15, 2), labels (N, 15, 2) with NaN."""
    values = np.zeros((len(members), labels.shape[1]))
    covering = ~np.isnan(members).all(axis=(1, 3))  # (M, 15)
    sane = _sane(members, labels)
    for pattern in np.unique(covering[:, POINTS[subset]].T, axis=0):
        points = [k for k in POINTS[subset] if (covering[:, k] == pattern).all()]
        if pattern.any():
            found = _solve(members[np.ix_(pattern, sane, points)], labels[np.ix_(sane, points)])
            values[np.ix_(pattern, points)] = found[:, None]
    return Weights(subset, values)


def _sane(members: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rows whose labels lie within reach of the specialists' median, bool (N,)."""
    with np.errstate(invalid="ignore"):
        middle = np.nanmedian(members, axis=0)
    error = np.nanmean((middle - labels) ** 2, axis=(1, 2))
    return ~(error > ABSURD**2)


def _solve(members: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Non-negative weights that sum to 1: the sum is asked for by one heavy equation."""
    count = len(members)
    known = ~np.isnan(labels)
    design = members[:, known].T.astype(np.float64)
    middle = design.mean(axis=1, keepdims=True)  # predictions agree to a few px: centring keeps the solve sharp
    deviation, target = design - middle, labels[known] - middle[:, 0]
    pull = np.sqrt(RIDGE) * np.eye(count)
    heavy = 1e4 * np.ones((1, count))
    matrix = np.concatenate([deviation, pull, heavy])
    answer = np.concatenate([target, np.full(count, np.sqrt(RIDGE) / count), [1e4]])
    weights, _ = nnls(matrix, answer)
    return weights / weights.sum()
