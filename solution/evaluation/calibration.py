"""Whether uncertainties match the errors: the predicted standard deviation compared with the error."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from solution.faces import FaceSet, Predictions, aligned, rows_of
from solution.keypoints import SUBSETS

BINS = 10
"""Groups of equally many points, from the least uncertain to the most uncertain."""


@dataclass(frozen=True)
class Calibration:
    """One specialist's sigma on one subset's points. Sigma and errors are standard deviations per axis, in pixels."""

    name: str
    subset: int

    predicted: tuple[float, ...]
    """Root mean square sigma of BINS groups of points, the least uncertain group first."""

    found: tuple[float, ...]
    """Root mean square error of the same groups."""

    points: int
    """How many points there are."""

    ratio: float
    """Error over sigma: 1 if sigma is right on average, above 1 if sigma is too small."""

    within: tuple[float, float]
    """Share of errors below one and two sigma. Of normal errors these are 68 % and 95 %."""

    rank: float
    """Spearman's rank correlation of sigma and error, NaN where all sigmas are equal."""


def calibrate(faces: FaceSet, kept: np.ndarray, oof: Sequence[Predictions]) -> tuple[Calibration, ...]:
    """The calibration of each predictions' sigma on each subset, where there is a sigma. kept: bool (N,), rows used."""
    return tuple(part for predictions in oof for part in _by_subset(faces, kept, predictions))


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
    """From the sigma (P,) and errors (P, 2) of points that have both."""
    squared = (errors**2).mean(axis=1)
    groups = np.array_split(np.argsort(sigma, kind="stable"), min(BINS, len(sigma)))
    varied = np.ptp(sigma) > 0 and np.ptp(squared) > 0
    return Calibration(
        name=name,
        subset=subset,
        predicted=tuple(float(np.sqrt((sigma[group] ** 2).mean())) for group in groups),
        found=tuple(float(np.sqrt(squared[group].mean())) for group in groups),
        points=len(sigma),
        ratio=float(np.sqrt(squared.mean() / (sigma**2).mean())),
        within=(_within(errors, sigma), _within(errors, 2 * sigma)),
        rank=float(spearmanr(sigma, squared).statistic) if varied else float("nan"),
    )


def _within(errors: np.ndarray, limit: np.ndarray) -> float:
    return float((np.abs(errors) <= limit[:, None]).mean())
