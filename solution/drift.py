"""How the labellers' habits drift along the file, and taking it out of labels or adding it to predictions.

Rows were labelled in file order, and where exactly a point is put changes slowly along it: in the 4-keypoint rows the
bottom lip by 1.4 px rms in y and the nose by 0.8 px, in the 15-keypoint rows hardly. No picture shows this; only its
place in the file does. The drift at a place is the mean residual (label minus prediction by a network that cannot know
the row) of the training rows around it, weighted by a Gaussian.

A training row's place is known. A test picture's is not: the files share one order, so it is placed by its rank. How
far that may be off follows from both being samples of one sequence (`rank_error`): nothing at the file's ends, 80 rows
in the middle of a fold. The Gaussian is as wide as both together. Measured on the held-out 4-keypoint rows, before the
second look: 1.360 px without drift, 1.227 placed by rank, 1.181 were the true place known. What the pictures show says
nothing of their place (rank correlation 0.01 to 0.06 over the 4-keypoint rows), so it cannot be sharpened by them.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

CLIP = 4.0  # px: a larger residual is a wrong label or a lost network, not a habit
PRIOR = 3.0  # rows' worth of "no drift": keeps a thinly labelled stretch from being believed
NEAR = {15: 40.0, 4: 12.0}  # rows of smoothing where places are known, by subset
CHUNK = 256  # places at once: 14,000 of them among 56,000 rows take 0.4 GiB of weights


def places_by_rank(count: int, known: np.ndarray) -> np.ndarray:
    """Places of `count` pictures in their order among rows at `known` places (sorted, (N,)): equal shares. (count,)."""
    share = (np.arange(count) + 0.5) / max(count, 1)
    return np.interp(share, (np.arange(len(known)) + 0.5) / len(known), known)


def rank_error(count: int, known: np.ndarray) -> np.ndarray:
    """How far `places_by_rank` may be off, one standard deviation in rows, (count,).

    Both files are samples of one sequence, so the share of either that lies before a place is off by the square root of
    share × (1 − share) / size: none at the ends, most in the middle, if rows lie evenly along the file. On held-out
    folds of 810 among 3,240 rows this says 80 rows in the middle. Constant widths of 30 to 100 rows were all worse:
    1.2291 px at best, 1.2272 with this.
    """
    share = (np.arange(count) + 0.5) / max(count, 1)
    span = known.max() - known.min() + 1
    return span * np.sqrt(share * (1 - share) * (1 / max(count, 1) + 1 / len(known)))


def drift_at(places: np.ndarray, known: np.ndarray, residuals: np.ndarray, rows: float | np.ndarray) -> np.ndarray:
    """Drift at `places` (M,) from residuals (N, K, 2) at `known` places (N,), NaN where unlabelled.

    rows: the Gaussian's width in rows, one for all or one a place, (M,). Returns (M, K, 2) pixels; 0 for points that
    are never labelled.
    """
    clipped, labelled = (part.reshape(len(known), -1) for part in _clipped(residuals))
    drift = np.zeros((len(places), clipped.shape[1]), np.float32)
    widths = np.broadcast_to(rows, len(places))
    for start in range(0, len(places), CHUNK):
        part = slice(start, start + CHUNK)
        steps = (places[part, None] - known) / widths[part, None]
        weights = np.exp(-(steps**2) / 2)
        drift[part] = (weights @ clipped) / (weights @ labelled + PRIOR)
    return drift.reshape(len(places), *residuals.shape[1:])


def drift_by_rank(count: int, known: np.ndarray, residuals: np.ndarray, subset: int) -> np.ndarray:
    """Drift for `count` pictures of another file in their order, (count, K, 2) pixels; the rest as in `drift_at`."""
    widths = np.hypot(NEAR[subset], rank_error(count, known))
    return drift_at(places_by_rank(count, known), known, residuals, widths)


def drift_without_own(known: np.ndarray, residuals: np.ndarray, rows: float) -> np.ndarray:
    """Drift at the rows themselves, each row's own residual left out. Shapes as in `drift_at`, (N, K, 2).

    Places are distinct whole numbers and the width is one: a filter along the file does it.
    """
    clipped, labelled = _clipped(residuals)
    at = known - known.min()
    grid = np.zeros((2, at.max() + 1, *residuals.shape[1:]))
    grid[0, at], grid[1, at] = clipped, labelled
    peak = rows * np.sqrt(2 * np.pi)  # the filter's kernel sums to 1: this makes its middle 1
    total, weight = gaussian_filter1d(grid, rows, axis=1, mode="constant")[:, at] * peak
    return ((total - clipped) / (weight - labelled + PRIOR)).astype(np.float32)


def centred(residuals: np.ndarray) -> np.ndarray:
    """Residuals (N, K, 2) clipped and less each point's mean: a constant is no drift, and a gross error none either."""
    clipped = np.clip(residuals, -CLIP, CLIP)
    labelled = (~np.isnan(clipped)).sum(axis=0)
    return clipped - np.nansum(clipped, axis=0) / np.maximum(labelled, 1)


def cross_validated(known: np.ndarray, residuals: np.ndarray, fold: np.ndarray, subset: int) -> np.ndarray:
    """Drift for each row (N, K, 2) from the other folds' residuals alone, a fold placed by rank as a test file is.

    residuals (N, K, 2): label minus prediction, not centred: what is constant in the other folds is taken out here.
    """
    drift = np.zeros_like(residuals)
    for f in np.unique(fold):
        held = fold == f
        drift[held] = drift_by_rank(int(held.sum()), known[~held], centred(residuals[~held]), subset)
    return drift


def _clipped(residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labelled = ~np.isnan(residuals)
    return np.clip(np.nan_to_num(residuals), -CLIP, CLIP), labelled.astype(float)
