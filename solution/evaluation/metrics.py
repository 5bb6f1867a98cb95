"""Pooled RMSE as Kaggle counts it, by subset, weighted as the lookup table asks, with intervals.

The errors of neighbouring 4-keypoint rows are correlated, since one labeller placed their points. So rows are resampled
in sections of the file (moving blocks: Künsch, Annals of Statistics 17, 1989).
"""

import numpy as np

from solution.keypoints import SUBSETS

BOOTSTRAPS = 2000

SECTIONS = {15: 1, 4: 300}
"""Neighbouring rows that are resampled together, by subset."""

FEWEST_SECTIONS = 8
"""Sections are shorter where a file would have fewer of them than this."""


def squared_errors(coords: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Squared error of every cell, (N, K, 2) px²; NaN where there is no label.

    Raises ValueError where a label has no prediction: a missing prediction must never improve a score.
    """
    missing = np.isnan(coords) & ~np.isnan(labels)
    if missing.any():
        raise ValueError(f"{int(missing.sum())} labelled cells have no prediction")
    return (coords - labels) ** 2


def rmse(coords: np.ndarray, labels: np.ndarray) -> float:
    """Root mean square over all labelled cells, in pixels: pooled, not averaged over columns. NaN if none."""
    return pooled(squared_errors(coords, labels))


def pooled(squared: np.ndarray) -> float:
    """Root of the mean of the finite cells of squared errors."""
    known = squared[~np.isnan(squared)]
    return float(np.sqrt(known.mean())) if known.size else float("nan")


def weighted(by_subset: dict[int, float], weights: dict[int, float]) -> float:
    """RMSE over both subsets, weighted by each one's share of the cells that the lookup table asks (sum 1)."""
    return float(np.sqrt(sum(weights[s] * by_subset[s] ** 2 for s in SUBSETS if weights[s] > 0)))


def weighted_rmse(coords: np.ndarray, labels: np.ndarray, subset: np.ndarray, weights: dict[int, float]) -> float:
    """RMSE over both subsets, each weighted by its share of the asked cells."""
    return weighted({s: rmse(coords[subset == s], labels[subset == s]) for s in SUBSETS}, weights)


def bootstrap_interval(
    coords: np.ndarray, labels: np.ndarray, subset: np.ndarray, weights: dict[int, float], seed: int = 0
) -> tuple[float, float]:
    """95 % interval of `weighted_rmse` from resampling sections of rows within each subset; rows in file order."""
    return interval(_resampled(coords, labels, subset, weights, seed))


def interval(draws: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of resampled figures (BOOTSTRAPS,)."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def paired_difference(
    ours: np.ndarray, theirs: np.ndarray, labels: np.ndarray, subset: np.ndarray, weights: dict[int, float]
) -> tuple[float, float, float]:
    """Weighted RMSE of ours minus theirs on the same rows, in file order, with its 95 % bootstrap interval (px)."""
    # The same seed draws the same sections for both, so the figures are paired.
    mine, other = (_resampled(coords, labels, subset, weights, seed=0) for coords in (ours, theirs))
    point = weighted_rmse(ours, labels, subset, weights) - weighted_rmse(theirs, labels, subset, weights)
    return point, *interval(mine - other)


def _resampled(
    coords: np.ndarray, labels: np.ndarray, subset: np.ndarray, weights: dict[int, float], seed: int
) -> np.ndarray:
    """`weighted_rmse` of BOOTSTRAPS resamples within each subset that has any weight, (BOOTSTRAPS,)."""
    rng = np.random.default_rng(seed)
    draws = np.zeros(BOOTSTRAPS)
    for s in SUBSETS:
        if weights[s] > 0:
            squared = squared_errors(coords[subset == s], labels[subset == s])
            draws += weights[s] * resampled_means(squared, rng, SECTIONS[s])
    return np.sqrt(draws)


def resampled_means(
    cells: np.ndarray, rng: np.random.Generator, section: int = 1, size: int | None = None
) -> np.ndarray:
    """Mean of the finite cells (N, K, D) of BOOTSTRAPS resamples of `size` of the N rows, N by default: (BOOTSTRAPS,).

    section: neighbouring rows that are drawn together.
    """
    sums, counts = np.nansum(cells, axis=(1, 2)), (~np.isnan(cells)).sum(axis=(1, 2))
    return resampled_ratios(sums, counts, rng, section, size)


def resampled_ratios(
    numerator: np.ndarray,
    denominator: np.ndarray,
    rng: np.random.Generator,
    section: int = 1,
    size: int | None = None,
) -> np.ndarray:
    """Sum of the numerators over sum of the denominators, both (N,), of BOOTSTRAPS resamples: (BOOTSTRAPS,).

    A resample has `size` of the N rows, N by default. section: neighbouring rows that are drawn together. The rows are
    a circle, so that each one is as likely. This is the only place where rows are resampled.
    """
    rows = len(numerator)
    size = rows if size is None else max(1, size)
    section = min(section, max(1, rows // FEWEST_SECTIONS), size)
    sums = np.stack([numerator, denominator])  # (2, N)
    running = np.cumsum(np.concatenate([np.zeros((2, 1)), sums, sums[:, : section - 1]], axis=1), axis=1)
    starts = rng.integers(0, rows, size=(BOOTSTRAPS, -(-size // section)))
    ends = starts + section
    ends[:, -1] -= starts.shape[1] * section - size  # the last section fills what is left
    total, count = (running[:, ends] - running[:, starts]).sum(axis=2)
    return total / count
