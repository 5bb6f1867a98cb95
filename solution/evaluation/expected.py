"""What a submission should score on the test file, over every label, with the interval that a file of its size gives.

Cross-validation measures one fold's pipeline, and the submission is the mean of all of them: the variance of the
pipelines comes off its squared error. A test file has luck of two kinds. Whole sections of 4-keypoint rows err
together. And a handful of wrong labels, 10 px and more off, is worth 0.1 to 0.3 px of 1,800 faces: how many of them
the test file has is drawn at random, at the rate of the training rows of both subsets.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from solution.keypoints import SUBSETS
from solution.metrics import BOOTSTRAPS, SECTIONS, interval, pooled, resampled_means, squared_errors, weighted
from solution.suspects import row_rms

ASSUMED = 20.0
"""px rms of a wrong label where no training row has one; of six in the competition's rows the median has 20."""

Scores = Mapping[str | int, float]
"""RMSE in pixels of "overall", 15 and 4."""

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The test score to expect, RMSE in pixels, each with its 95 % interval. A subset without rows has NaN."""

    scores: Scores
    """Over every label, wrong ones among them: what stands beside the leaderboard."""

    intervals: Mapping[str | int, Interval]
    """Where a test file of this size scores 95 times in 100."""

    without_outliers: Scores
    """Over the rows whose labels are not far off: what compares models."""

    without_outliers_intervals: Mapping[str | int, Interval]


@dataclass(frozen=True, kw_only=True, eq=False)
class OutOfFold:
    """What the expected figures are made from: N labelled rows in file order and their out-of-fold predictions."""

    coords: np.ndarray
    """(N, 15, 2) predictions, pixels."""

    labels: np.ndarray
    """(N, 15, 2) pixels, NaN without a label."""

    subset: np.ndarray
    """(N,) 15 or 4."""

    outliers: np.ndarray
    """(N,) bool, rows whose labels are far off."""


def expect(
    oof: OutOfFold, variance: Mapping[int, float], sizes: Mapping[int, int], weights: dict[int, float]
) -> Expected:
    """The expected figures. variance: px² a cell that averaging the pipelines takes off, by subset. sizes: test
    pictures of each subset. weights: share of the asked cells of each subset.
    """
    rng = np.random.default_rng(0)
    points: dict[int, tuple[float, float]] = {}
    draws: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    pool = _outlier_squares(oof)
    rate = len(pool) / max(len(oof.labels), 1)
    for s in SUBSETS:
        rows = (oof.subset == s) & ~oof.outliers & ~np.isnan(oof.labels).all(axis=(1, 2))
        squared = squared_errors(oof.coords[rows], oof.labels[rows])
        clean = max(pooled(squared) ** 2 - variance[s], 0.0)
        points[s] = (clean + rate * (pool.mean() if len(pool) else 0.0), clean)
        if len(squared) and sizes[s]:
            draws[s] = _draws(squared, pool, len(oof.labels), sizes[s], SECTIONS[s], variance[s], rng)
    every, without = (_figures({s: points[s][i] for s in SUBSETS}, weights) for i in (0, 1))
    spread = [_intervals({s: drawn[i] for s, drawn in draws.items()}, weights) for i in (0, 1)]
    return Expected(scores=every, intervals=spread[0], without_outliers=without, without_outliers_intervals=spread[1])


def _outlier_squares(oof: OutOfFold) -> np.ndarray:
    """Mean squared error of each outlier row, px²."""
    residuals = (oof.coords - oof.labels)[oof.outliers]
    squares = row_rms(residuals, ~np.isnan(oof.labels[oof.outliers])) ** 2
    return squares[np.isfinite(squares)]


def _draws(
    squared: np.ndarray,
    pool: np.ndarray,
    labelled: int,
    size: int,
    section: int,
    variance: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean squared errors of test files of `size` pictures, with and without outliers, (BOOTSTRAPS,) each.

    squared: (N, 15, 2) of the rows without outliers. The training rows are a sample, too: drawing N·T / (N + T) rows
    has the variance of a test file's mean around theirs.
    """
    rows = len(squared)
    effective = max(1, round(rows * size / (rows + size)))
    clean = np.maximum(resampled_means(squared, rng, section, effective) - variance, 0.0)
    rate = rng.gamma(len(pool) + 0.5, 1 / labelled, BOOTSTRAPS)  # Jeffreys' posterior of a Poisson rate
    count = rng.poisson(rate * size)
    known = pool if len(pool) else np.array([ASSUMED**2])
    picked = rng.choice(known, (BOOTSTRAPS, max(1, count.max())))
    wrong = np.where(np.arange(picked.shape[1]) < count[:, None], picked, 0.0).sum(axis=1)
    return clean * (1 - np.minimum(count / size, 1)) + wrong / size, clean


def _figures(by_subset: dict[int, float], weights: dict[int, float]) -> Scores:
    roots = {s: float(np.sqrt(value)) for s, value in by_subset.items()}
    return {"overall": weighted(roots, weights), **roots}


def _intervals(draws: dict[int, np.ndarray], weights: dict[int, float]) -> dict[str | int, Interval]:
    found: dict[str | int, Interval] = {}
    asked = [s for s in SUBSETS if weights[s] > 0]
    if all(s in draws for s in asked):
        found["overall"] = interval(np.sqrt(sum(weights[s] * draws[s] for s in asked)))
    return found | {s: interval(np.sqrt(drawn)) for s, drawn in draws.items()}
