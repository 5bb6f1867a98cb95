"""What speaks against a label: its distance from the out-of-fold prediction, and from its duplicates' labels.

Each piece of evidence is a ratio: what was measured over a limit that right labels stay below.
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
"""Times the residual that is usual for a row of its subset whose specialists disagree as much."""

POINT_LIMIT = 8.0
"""Times the distance usual for that point there. Above ROW_LIMIT: the farthest of fifteen points lies far often."""

DUPLICATE_LIMIT = 4.0
"""px a label. Independently made labels of one picture differ by 1.1 px rms; of 465 groups of Kaggle's duplicates two
lie beyond 4 px, at 20 and 31, and the next at 2.6.
"""

CLIP = 4.0
"""Times the median: what lies beyond it says nothing of what is usual."""

LEAST = 0.3
"""px rms that every row is allowed: no labeller is steadier, however well the specialists know the row."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """ratio: (N,), 1 = at the limit, NaN = says nothing of this row. reason: what to tell of a row, by its number."""

    ratio: np.ndarray
    reason: Callable[[int], str]


@dataclass(frozen=True, eq=False)
class Residuals:
    """How the labels of N faces lie to their predictions and their duplicates.

    vectors: (N, K, 2) label minus prediction, px, NaN without a label. rms: (N,) px, of all a row's cells. usual: (N,)
    the rms to expect of a row like this one. duplicate: (N,) the row of the duplicate that agrees best, -1 for none.
    disagreement: (N,) px a label, with that duplicate. distance: (N, K) of each point to its prediction or, if nearer,
    to a duplicate's label.
    """

    vectors: np.ndarray
    rms: np.ndarray
    usual: np.ndarray
    duplicate: np.ndarray
    disagreement: np.ndarray
    distance: np.ndarray

    @classmethod
    def of(cls, faces: FaceSet, group: np.ndarray, coords: np.ndarray, sigma: np.ndarray) -> "Residuals":
        """From predictions (N, K, 2) with the specialists' disagreement (N, K), px, and groups of identical pictures.

        A point's own distance is the smaller of two: labellers who put a point at the same place independently are
        right, and the specialists that point elsewhere have lost their way in a hard picture.
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
    """How far specialists (M, N, K, 2) lie apart: rms distance from their mean, (N, K) px; NaN for fewer than two."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # points that nobody predicts
        apart = np.sqrt(np.nanvar(members, axis=0).mean(axis=-1))
    return np.where((~np.isnan(members[..., 0])).sum(axis=0) > 1, apart, np.nan)


def _duplicate_pairs(group: np.ndarray) -> Iterator[tuple[int, int]]:
    """Every ordered pair of rows with one picture, from the groups (N,)."""
    _, inverse, size = np.unique(group, return_inverse=True, return_counts=True)
    for shared in np.flatnonzero(size > 1):
        rows = np.flatnonzero(inverse == shared).tolist()
        yield from ((row, duplicate) for row in rows for duplicate in rows if row != duplicate)


def row_evidence(residuals: Residuals) -> Evidence:
    """The row as a whole lies off. A row that lies far off is over the limit however hard its picture."""
    rms = np.sqrt(_row_mean(residuals.distance**2) / 2)
    limit = np.minimum(ROW_LIMIT * residuals.usual, outlier_threshold(residuals.rms))

    def reason(row: int) -> str:
        shift = np.nanmedian(residuals.vectors[row], axis=0)
        rest = row_rms((residuals.vectors[row] - shift)[None], ~np.isnan(residuals.vectors[row])[None])[0]
        if rest < rms[row] / 2:
            return f"the whole row lies {np.hypot(*shift):.1f} px from its prediction ({_direction(shift)})"
        return f"the row lies {rms[row]:.1f} px rms from its prediction, {residuals.usual[row]:.1f} is usual"

    return Evidence(rms / limit, reason)


def point_evidence(residuals: Residuals, subset: np.ndarray, schema: Schema) -> Evidence:
    """The one point that lies off most, against what is usual for it in its subset and for the row."""
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
        return f"{schema.points[point]} lies {far:.1f} px from its prediction, {expected:.1f} is usual"

    return Evidence(np.fmax.reduce(ratio, axis=1), reason)


def duplicate_evidence(residuals: Residuals, ids: np.ndarray) -> Evidence:
    """Identical pictures with different labels: the blame is shared by squared residual.

    Duplicates equally far from the prediction get their disagreement each, px a label; one whose duplicate lies right
    on the prediction gets the whole difference, and one that lies there itself gets nothing.
    """
    own, other = (np.nan_to_num(rms**2) for rms in (residuals.rms, residuals.rms[residuals.duplicate]))
    share = np.where(own + other > 0, own / np.where(own + other > 0, own + other, 1.0), 0.5)

    def reason(row: int) -> str:
        other = ids[residuals.duplicate[row]]
        return f"its duplicate's labels, id {other}, differ by {residuals.disagreement[row]:.1f} px each"

    return Evidence(residuals.disagreement * np.sqrt(2 * share) / DUPLICATE_LIMIT, reason)


def _usual(rms: np.ndarray, sigma: np.ndarray, faces: FaceSet) -> np.ndarray:
    """The rms (N,) px to expect of each row: a constant and a multiple of its specialists' disagreement, by subset.

    Specialists that disagree are about to be wrong themselves; how much, the rows tell together (non-negative least
    squares). Rows without a spread, and subsets without one, go by the constant.
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
    """Mean over what is not NaN in each row of (N, K): (N,), NaN for a row of NaN."""
    count = (~np.isnan(values)).sum(axis=1)
    return np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)


def _clipped_mean(distance: np.ndarray) -> np.ndarray:
    """Each point's mean distance over the rows, (N, K) in, (K,) out, without what lies far beyond the median."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # points that are never labelled
        return np.nanmean(np.fmin(distance, CLIP * np.nanmedian(distance, axis=0)), axis=0)


def _direction(shift: np.ndarray) -> str:
    """(x, y) pixels in words."""
    x, y = shift
    return f"{abs(x):.1f} {'right' if x > 0 else 'left'}, {abs(y):.1f} {'down' if y > 0 else 'up'}"
