"""Whether uncertainties are honest: the spread that was predicted against the error that was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from solution.faces import FaceSet, Predictions, aligned, rows_of
from solution.keypoints import SUBSETS

BINS = 10
"""Groups of equally many points, from the least uncertain to the most."""


@dataclass(frozen=True)
class Calibration:
    """One specialist's spread on one subset's points. Standard deviations an axis, px.

    predicted, found: rms spread and rms error of BINS groups of points, the least uncertain first. points: how many.
    ratio: rms error over rms spread, 1 = honest on average, above 1 = too sure. within: share of errors below one and
    two spreads; 68 and 95 % if errors were normal. rank: Spearman's correlation of spread and error, nan where all
    spreads are alike.
    """

    name: str
    subset: int
    predicted: tuple[float, ...]
    found: tuple[float, ...]
    points: int
    ratio: float
    within: tuple[float, float]
    rank: float


def calibrate(faces: FaceSet, kept: np.ndarray, oof: Sequence[Predictions]) -> tuple[Calibration, ...]:
    """The calibration of each predictions' spread on each subset, where there is a spread at all. kept: bool (N,)."""
    return tuple(found for predictions in oof for found in _by_subset(faces, kept, predictions))


def _by_subset(faces: FaceSet, kept: np.ndarray, predictions: Predictions) -> Iterator[Calibration]:
    errors = aligned(faces, predictions) - faces.coords
    sigma = np.full(faces.coords.shape[:2], np.nan)
    sigma[rows_of(faces.ids, predictions.ids)] = predictions.sigma
    known = ~np.isnan(errors).any(axis=-1) & (sigma > 0)
    for subset in SUBSETS:
        points = known & (kept & (faces.subset == subset))[:, None]
        if points.sum() > 1:
            yield _calibration(predictions.name, subset, sigma[points], errors[points])


def _calibration(name: str, subset: int, sigma: np.ndarray, errors: np.ndarray) -> Calibration:
    """From the spread (P,) and errors (P, 2) of points that have both."""
    squared = (errors**2).mean(axis=1)
    groups = np.array_split(np.argsort(sigma, kind="stable"), min(BINS, len(sigma)))
    return Calibration(
        name=name,
        subset=subset,
        predicted=tuple(float(np.sqrt((sigma[group] ** 2).mean())) for group in groups),
        found=tuple(float(np.sqrt(squared[group].mean())) for group in groups),
        points=len(sigma),
        ratio=float(np.sqrt(squared.mean() / (sigma**2).mean())),
        within=(_within(errors, sigma), _within(errors, 2 * sigma)),
        rank=_rank_correlation(sigma, squared),
    )


def _within(errors: np.ndarray, limit: np.ndarray) -> float:
    return float((np.abs(errors) <= limit[:, None]).mean())


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    ranks = np.stack([rankdata(first), rankdata(second)])
    deviation = ranks - ranks.mean(axis=1, keepdims=True)
    scale = np.sqrt((deviation**2).sum(axis=1).prod())
    return float(deviation[0] @ deviation[1] / scale) if scale > 0 else float("nan")
