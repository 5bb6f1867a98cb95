"""The blend: a weighted mean of the specialists. It is the stack's starting point and its baseline.

Weights are non-negative and sum to one. Each subset has its own weights, and so has each group of points that the same
specialists predict. They are fitted to out-of-fold predictions of other folds, so no row influences its own weights.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from solution.ensemble.config import CONFIG, BlendConfig
from solution.ensemble.members import MemberStack


@dataclass(frozen=True, eq=False)
class BlendWeights:
    """The weights of M specialists for one subset. Where one predicts no point, the others' are scaled up to 1."""

    values: np.ndarray  # (M, 15); a column sums to 1 where any specialist predicts the point
    least: float = CONFIG.blend.least  # as in BlendConfig

    def mean(self) -> np.ndarray:
        """Each specialist's weight (M,), mean over the points that any specialist predicts."""
        return self.values.sum(axis=1) / max(1, self.values.any(axis=0).sum())

    def apply(self, coords: np.ndarray) -> np.ndarray:
        """The blend of coords (M, N, 15, 2): (N, 15, 2) pixels, NaN where no specialist predicts."""
        present = ~np.isnan(coords)
        share = np.where(present, self.values[:, None, :, None] + self.least, 0.0)
        total = share.sum(axis=0)
        blended = (np.where(present, coords, 0.0) * share).sum(axis=0) / np.where(total > 0, total, 1.0)
        return np.where(total > 0, blended, np.nan).astype(np.float32)


def fit_weights(
    members: MemberStack, labels: np.ndarray, config: BlendConfig = CONFIG.blend, median: np.ndarray | None = None
) -> BlendWeights:
    """Least-squares weights for labels (N, 15, 2) in pixels, NaN where a face has none.

    median: the median of these members, if the caller has it already. Computing it takes a third of the stage's time.
    """
    median = members.median() if median is None else median
    values = np.zeros((len(members), labels.shape[1]))
    covering = ~np.isnan(members.coords).all(axis=(1, 3))  # (M, 15)
    plausible = np.where(np.abs(labels - median) < config.clip, labels, np.nan)
    for pattern in np.unique(covering[:, members.points].T, axis=0):
        points = [k for k in members.points if (covering[:, k] == pattern).all()]
        if pattern.any():
            coords = members.coords[np.ix_(pattern, np.arange(len(labels)), points)]
            values[np.ix_(pattern, points)] = _solve(coords, plausible[:, points], config.ridge)[:, None]
    return BlendWeights(values, config.least)


def _solve(coords: np.ndarray, labels: np.ndarray, ridge: float) -> np.ndarray:
    """Non-negative weights (M,) that sum to 1; one equation with a large factor enforces the sum."""
    count = len(coords)
    known = ~np.isnan(labels) & ~np.isnan(coords).any(axis=0)
    design = coords[:, known].T.astype(np.float64)  # (cells, M)
    middle = design.mean(axis=1, keepdims=True)  # predictions agree to a few px: centring keeps the solution exact
    matrix = np.concatenate([design - middle, np.sqrt(ridge) * np.eye(count), 1e4 * np.ones((1, count))])
    target = np.concatenate([labels[known] - middle[:, 0], np.full(count, np.sqrt(ridge) / count), [1e4]])
    weights, _ = nnls(matrix, target)
    return weights / weights.sum()
