"""The score to expect on the test file, over every label, with the interval for a test file of its size.

Cross-validation measures the pipeline of one fold, and the submission is the mean of all pipelines. So the variance of
the pipelines is subtracted from the squared error. Test files vary in two ways. First, the errors within a section of
4-keypoint rows are correlated. Second, a few wrong labels, 10 px off or more, change the RMSE of 1,800 faces by 0.1 to
0.3 px. The number of wrong labels is drawn at the rate of the training rows of both subsets. Their distance is drawn
from a Pareto distribution, since the few wrong training labels do not show how far the farthest one is (Hill, Annals of
Statistics 3, 1975).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from solution.evaluation.metrics import (
    BOOTSTRAPS,
    SECTIONS,
    few_sections,
    interval,
    pooled,
    resampled_means,
    squared_errors,
    weighted,
)
from solution.evaluation.outliers import outlier_threshold, row_rms
from solution.keypoints import SUBSETS


@dataclass(frozen=True)
class ExpectedConfig:
    """What is assumed of wrong labels."""

    farthest: float = 48.0
    """px rms: half of a picture. Of the competition's rows the farthest wrong label has 44."""

    rate: tuple[float, float] = (0.5, 500.0)
    """Gamma prior (shape, rate) of the share of wrong labels: one in a thousand, with the weight of 500 rows. The
    competition's rows have six in 5,993."""

    tail: tuple[float, float] = (1.0, 0.7)
    """Gamma prior (shape, rate) of the Pareto distribution's exponent. The six wrong labels of the competition's rows
    have an exponent of 1.4."""


CONFIG = ExpectedConfig()

Scores = Mapping[str | int, float]
"""RMSE in pixels of "overall", 15 and 4."""

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The test score to expect, RMSE in pixels, each with its 95 % interval. A subset without rows has NaN."""

    scores: Scores
    """Over every label, including wrong ones: comparable with the leaderboard."""

    intervals: Mapping[str | int, Interval]
    """95 % of test files of this size score in it."""

    without_outliers: Scores
    """Over the rows that are no outliers: this compares models."""

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
    """(N,) bool, rows whose labels are outliers."""


def expect(
    oof: OutOfFold, variance: Mapping[int, float], sizes: Mapping[int, int], weights: dict[int, float]
) -> Expected:
    """The expected figures. variance: px² per cell that averaging the pipelines removes, by subset. sizes: test
    pictures of each subset. weights: share of the asked cells of each subset.
    """
    rng = np.random.default_rng(0)
    points: dict[int, tuple[float, float]] = {}
    draws: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    outliers = _Outliers.of(oof)
    for s in SUBSETS:
        rows = (oof.subset == s) & ~oof.outliers & ~np.isnan(oof.labels).all(axis=(1, 2))
        squared = squared_errors(oof.coords[rows], oof.labels[rows])
        clean = max(pooled(squared) ** 2 - variance[s], 0.0)
        points[s] = (clean + outliers.mean_square, clean)
        if len(squared) and sizes[s]:
            draws[s] = _draws(squared, outliers, sizes[s], SECTIONS[s], variance[s], rng)
    every, without = (_figures({s: points[s][i] for s in SUBSETS}, weights) for i in (0, 1))
    intervals = [_intervals({s: drawn[i] for s, drawn in draws.items()}, weights) for i in (0, 1)]
    return Expected(
        scores=every, intervals=intervals[0], without_outliers=without, without_outliers_intervals=intervals[1]
    )


@dataclass(frozen=True, eq=False)
class _Outliers:
    """The outliers of both subsets: a wrong label is equally likely in each."""

    rms: np.ndarray  # (n,) error of each outlier, px
    least: float  # the rms from which a row is an outlier, px
    labelled: int  # all rows with a label

    @classmethod
    def of(cls, oof: OutOfFold) -> Self:
        rms = row_rms(oof.coords - oof.labels, ~np.isnan(oof.labels))
        far = rms[oof.outliers]
        return cls(far[np.isfinite(far)], outlier_threshold(rms), int(np.isfinite(rms).sum()))

    @property
    def mean_square(self) -> float:
        """By how much they increase the mean squared error, px²."""
        return float((self.rms**2).sum() / max(self.labelled, 1))

    def draw(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The number of outliers in BOOTSTRAPS test files of `size` pictures, and the sums of their squares, px²."""
        rate = rng.gamma(CONFIG.rate[0] + len(self.rms), 1 / (CONFIG.rate[1] + self.labelled), BOOTSTRAPS)
        count = rng.poisson(rate * size)
        logs = np.log(np.maximum(self.rms / self.least, 1.0)).sum()
        exponent = rng.gamma(CONFIG.tail[0] + len(self.rms), 1 / (CONFIG.tail[1] + logs), BOOTSTRAPS)
        farther = rng.exponential(size=(BOOTSTRAPS, max(1, count.max()))) / exponent[:, None]  # log of Pareto's ratio
        rms = self.least * np.exp(np.minimum(farther, np.log(max(CONFIG.farthest / self.least, 1.0))))
        picked = np.arange(rms.shape[1]) < count[:, None]
        return count, np.where(picked, rms**2, 0.0).sum(axis=1)


def _draws(
    squared: np.ndarray, outliers: _Outliers, size: int, section: int, variance: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mean squared errors of test files of `size` pictures, with and without outliers, (BOOTSTRAPS,) each.

    squared: (N, 15, 2) of the rows without outliers. The training rows are a sample, too. A draw of N·T / (N + T) rows
    has the variance of a test file's mean around the training rows' mean. The rows have few sections, so each draw is
    moved away from the mean by the factor `few_sections`. The factor works on ratios, because a mean square has a
    longer tail above than below.
    """
    rows = len(squared)
    effective = max(1, round(rows * size / (rows + size)))
    mean = pooled(squared) ** 2
    drawn = resampled_means(squared, rng, section, effective)
    if mean > 0:
        drawn = mean * (drawn / mean) ** few_sections(rows, section, effective)
    clean = np.maximum(drawn - variance, 0.0)
    count, wrong = outliers.draw(size, rng)
    return clean * (1 - np.minimum(count / size, 1)) + wrong / size, clean


def _figures(by_subset: dict[int, float], weights: dict[int, float]) -> Scores:
    roots = {s: float(np.sqrt(value)) for s, value in by_subset.items()}
    figures: dict[str | int, float] = {"overall": weighted(roots, weights)}
    figures.update(roots.items())
    return figures


def _intervals(draws: dict[int, np.ndarray], weights: dict[int, float]) -> dict[str | int, Interval]:
    intervals: dict[str | int, Interval] = {}
    asked = [s for s in SUBSETS if weights[s] > 0]
    if all(s in draws for s in asked):
        intervals["overall"] = interval(np.sqrt(sum(weights[s] * draws[s] for s in asked)))
    return intervals | {s: interval(np.sqrt(drawn)) for s, drawn in draws.items()}
