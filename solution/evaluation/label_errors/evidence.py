"""Evidence against a label: its distance from the out-of-fold prediction, and from its duplicates' labels.

Each kind of evidence is a ratio: the measured value over a limit that right labels stay below.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from solution.evaluation.outliers import outlier_threshold, row_rms
from solution.faces import FaceSet
from solution.keypoints import SUBSETS, Schema

ROW_LIMIT = 4.0
"""Times the usual residual of a row of its subset with the same disagreement of the specialists."""

POINT_LIMIT = 8.0
"""Times the usual distance of that point. It is above ROW_LIMIT, since the farthest of fifteen points is often far."""

DUPLICATE_LIMIT = 4.0
"""px per label. Independent labels of one picture differ by 1.1 px rms. Of 465 groups of Kaggle's duplicates two differ
by more than 4 px (20 and 31); the next one differs by 2.6.
"""

CLIP = 4.0
"""Times the median: larger values are clipped before the usual value is computed."""

LEAST = 0.3
"""px rms that every row may have: no labeller is more exact."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """One kind of evidence against the labels of N rows."""

    ratio: np.ndarray  # (N,) 1: at the limit; NaN: no evidence about this row
    reason: Callable[[int], str]  # the evidence in words, by row


@dataclass(frozen=True, eq=False)
class Residuals:
    """The labels of N faces against their predictions and their duplicates."""

    vectors: np.ndarray  # (N, K, 2) label minus prediction, px, NaN without a label
    rms: np.ndarray  # (N,) px, of all cells of a row
    usual: np.ndarray  # (N,) the rms to expect of a row like this one, px
    duplicate: np.ndarray  # (N,) the row of the duplicate that agrees best, -1 for none
    disagreement: np.ndarray  # (N,) px per label, with that duplicate
    distance: np.ndarray  # (N, K) of each point to its prediction or, if nearer, to a duplicate's label, px

    @classmethod
    def of(cls, faces: FaceSet, group: np.ndarray, coords: np.ndarray, sigma: np.ndarray) -> "Residuals":
        """From predictions (N, K, 2) with the specialists' disagreement (N, K), px, and groups of identical pictures.

        If a duplicate's label agrees with a point, the label is right and the prediction is wrong. So a point's
        distance is the smaller one of the two.
        """
        vectors = faces.coords - coords
        rms = row_rms(vectors, ~np.isnan(faces.coords))
        distance = np.linalg.norm(vectors, axis=-1)
        best, apart = np.full(len(faces), -1), np.full(len(faces), np.inf)
        for row, duplicate in _duplicate_pairs(group):
            difference = np.linalg.norm(faces.coords[row] - faces.coords[duplicate], axis=-1)
            distance[row] = np.fmin(distance[row], difference)
            # An axis of the difference holds the errors of two labels.
            per_label = _row_mean(difference[None] ** 2)[0] ** 0.5 / 2
            if per_label < apart[row] or (best[row] < 0 and not np.isnan(per_label)):
                best[row], apart[row] = duplicate, per_label
        apart[best < 0] = np.nan
        return cls(vectors, rms, _usual(rms, sigma, faces), best, apart, distance)


def disagreement(members: np.ndarray) -> np.ndarray:
    """The specialists' (M, N, K, 2) rms distance from their mean, (N, K) px; NaN for fewer than two of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # points without a prediction
        apart = np.sqrt(np.nanvar(members, axis=0).mean(axis=-1))
    return np.where((~np.isnan(members[..., 0])).sum(axis=0) > 1, apart, np.nan)


def _duplicate_pairs(group: np.ndarray) -> Iterator[tuple[int, int]]:
    """Every ordered pair of rows with one picture, from the groups (N,)."""
    _, inverse, size = np.unique(group, return_inverse=True, return_counts=True)
    for shared in np.flatnonzero(size > 1):
        rows = np.flatnonzero(inverse == shared).tolist()
        yield from ((row, duplicate) for row in rows for duplicate in rows if row != duplicate)


def row_evidence(residuals: Residuals) -> Evidence:
    """The whole row is far from its prediction. An outlier is always above the limit."""
    rms = np.sqrt(_row_mean(residuals.distance**2) / 2)
    limit = np.minimum(ROW_LIMIT * residuals.usual, outlier_threshold(residuals.rms))

    def reason(row: int) -> str:
        shift = np.nanmedian(residuals.vectors[row], axis=0)
        rest = row_rms((residuals.vectors[row] - shift)[None], ~np.isnan(residuals.vectors[row])[None])[0]
        if rest < rms[row] / 2:
            return f"the whole row is {np.hypot(*shift):.1f} px from its prediction ({_direction(shift)})"
        return f"the row is {rms[row]:.1f} px rms from its prediction, {residuals.usual[row]:.1f} is usual"

    return Evidence(rms / limit, reason)


def point_evidence(residuals: Residuals, subset: np.ndarray, schema: Schema) -> Evidence:
    """The point that is farthest from its prediction, compared with its usual distance in its subset and row."""
    usual = np.full(residuals.distance.shape, np.nan)
    for s in SUBSETS:
        rows = subset == s
        if rows.any():
            share = _clipped_mean(residuals.distance[rows]) / np.nanmean(residuals.usual[rows])
            usual[rows] = np.maximum(residuals.usual[rows, None] * share, LEAST)
    ratio = residuals.distance / (POINT_LIMIT * usual)

    def reason(row: int) -> str:
        point = int(np.nanargmax(ratio[row]))
        far, expected = residuals.distance[row, point], usual[row, point]
        return f"{schema.points[point]} is {far:.1f} px from its prediction, {expected:.1f} is usual"

    return Evidence(np.fmax.reduce(ratio, axis=1), reason)


def duplicate_evidence(residuals: Residuals, ids: np.ndarray) -> Evidence:
    """Identical pictures with different labels. Their difference is divided between them by squared residual.

    Duplicates at the same distance from the prediction get one half each. A duplicate that agrees with the prediction
    gets nothing, and the other one gets the whole difference.
    """
    own, other = (np.nan_to_num(rms**2) for rms in (residuals.rms, residuals.rms[residuals.duplicate]))
    share = np.where(own + other > 0, own / np.where(own + other > 0, own + other, 1.0), 0.5)

    def reason(row: int) -> str:
        other = ids[residuals.duplicate[row]]
        return f"its duplicate's labels, id {other}, differ by {residuals.disagreement[row]:.1f} px each"

    return Evidence(residuals.disagreement * np.sqrt(2 * share) / DUPLICATE_LIMIT, reason)


def _usual(rms: np.ndarray, sigma: np.ndarray, faces: FaceSet) -> np.ndarray:
    """The rms (N,) px to expect of each row: a constant and a multiple of its specialists' disagreement, by subset.

    Specialists that disagree often have large errors. Non-negative least squares over the rows gives the multiple. Rows
    and subsets without a disagreement have the constant alone.
    """
    labelled = np.where(np.isnan(faces.coords[..., 0]), np.nan, sigma)
    apart = np.nan_to_num(np.sqrt(_row_mean(labelled**2)))
    usual = np.full(len(rms), np.nan)
    for s in SUBSETS:
        rows = faces.subset == s
        judged = rows & ~np.isnan(rms)
        if judged.any():
            design = np.stack([np.ones(len(rms)), apart], axis=1)
            clipped = np.minimum(rms[judged], CLIP * np.median(rms[judged]))
            usual[rows] = np.maximum(design[rows] @ nnls(design[judged], clipped)[0], LEAST)
    return usual


def _row_mean(values: np.ndarray) -> np.ndarray:
    """Mean of each row of (N, K) without NaN: (N,), NaN for a row of NaN."""
    count = (~np.isnan(values)).sum(axis=1)
    return np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)


def _clipped_mean(distance: np.ndarray) -> np.ndarray:
    """Each point's mean distance over the rows, clipped: (N, K) in, (K,) out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # points that are never labelled
        return np.nanmean(np.fmin(distance, CLIP * np.nanmedian(distance, axis=0)), axis=0)


def _direction(shift: np.ndarray) -> str:
    """(x, y) pixels in words."""
    x, y = shift
    return f"{abs(x):.1f} {'right' if x > 0 else 'left'}, {abs(y):.1f} {'down' if y > 0 else 'up'}"
