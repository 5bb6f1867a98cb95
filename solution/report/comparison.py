"""Two runs on the same pictures: paired differences with bootstrap intervals, and the pictures that changed most."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from solution.evaluation.error_tables import WEIGHTED
from solution.evaluation.metrics import paired_difference, weighted_rmse
from solution.evaluation.outliers import is_outlier, row_rms
from solution.evaluation.worst_faces import Gallery, Picture
from solution.faces import FaceSet
from solution.keypoints import SUBSETS
from solution.report.previous_run import Other

CHANGED = 24
"""Pictures shown: those whose rms error differs most between the runs."""

EVERY = "every label"
"""Marks a line over all labels; every other line leaves outliers out."""


@dataclass(frozen=True)
class Difference:
    """This run against the other one, RMSE in pixels over the labelled cells that both predict."""

    name: str
    subset: str
    """"15", "4" or "weighted"."""

    ours: float
    theirs: float
    point: float
    """Ours minus theirs; below 0 ours is better."""

    low: float
    """Lower end of the difference's 95 % interval."""

    high: float
    rows: int
    """Pictures that are compared."""

    same: bool | None = None
    """Whether both have the same settings and folds; None for predictions of more than one specialist."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two runs on the same pictures."""

    against: str
    """The other run's folder."""

    outliers: int
    """Rows that are left out: their labels are far from the predictions of both runs."""

    differences: tuple[Difference, ...]
    changed: tuple[Picture, ...]
    """The pictures whose error differs most, with both predictions."""

    only_ours: tuple[str, ...]
    """Specialists that only this run has."""

    only_theirs: tuple[str, ...]
    compared: str
    """Which predictions of the ensemble are compared, "final" or "plain"."""


def compare(
    gallery: Gallery,
    ours: Mapping[str, np.ndarray],
    digests: Mapping[str, str],
    other: Other,
    weights: dict[int, float],
) -> Comparison:
    """Compare what both runs have. ours: by name, `other.compared` first, out-of-fold (N, 15, 2); digests: by
    specialist.
    """
    faces, ensemble = gallery.faces, other.compared
    outliers = is_outlier(ours[ensemble], faces.coords) & is_outlier(other.coords[ensemble], faces.coords)
    pairs = [(ensemble, ensemble, ~outliers), (f"{ensemble}, {EVERY}", ensemble, np.ones(len(faces), bool))]
    pairs += [(name, name, ~outliers) for name in ours if name in other.coords and name != ensemble]
    differences: list[Difference] = []
    for title, name, kept in pairs:
        same = digests[name] == other.digests[name] if name in digests else None
        differences += _differences(title, ours[name][kept], other.coords[name][kept], faces.take(kept), weights, same)
    return Comparison(
        against=str(other.folder),
        outliers=int(outliers.sum()),
        differences=tuple(differences),
        changed=_changed(replace(gallery, coords=ours[ensemble].astype(gallery.coords.dtype)), other.coords[ensemble]),
        compared=ensemble,
        only_ours=tuple(name for name in ours if name not in other.coords),
        only_theirs=tuple(name for name in other.coords if name not in ours),
    )


def _differences(
    title: str, ours: np.ndarray, theirs: np.ndarray, faces: FaceSet, weights: dict[int, float], same: bool | None
) -> list[Difference]:
    """For each subset that both predict some of, and for both together where there are both."""
    labels = np.where(np.isnan(ours) | np.isnan(theirs), np.nan, faces.coords)
    paired = ~np.isnan(labels).all(axis=(1, 2))
    predicted = [s for s in SUBSETS if (paired & (faces.subset == s)).any()]
    parts = [(str(s), {t: float(t == s) for t in SUBSETS}) for s in predicted]
    if all(s in predicted for s in SUBSETS if weights[s] > 0):
        parts.append((WEIGHTED, weights))
    differences = []
    for subset, shares in parts:
        rows = paired & np.isin(faces.subset, [s for s in SUBSETS if shares[s] > 0])
        pair = labels[rows], faces.subset[rows]
        point, low, high = paired_difference(ours[rows], theirs[rows], *pair, shares)
        our_rmse, their_rmse = (weighted_rmse(coords[rows], *pair, shares) for coords in (ours, theirs))
        count = int(rows.sum())
        differences.append(Difference(title, subset, our_rmse, their_rmse, point, low, high, rows=count, same=same))
    return differences


def _changed(gallery: Gallery, theirs: np.ndarray) -> tuple[Picture, ...]:
    """The pictures whose rms error differs most, the largest difference first."""
    labels = gallery.faces.coords
    theirs = theirs.astype(gallery.coords.dtype)  # as exact as ours, so that equal predictions have no difference
    change = np.nan_to_num(np.abs(row_rms(theirs - labels, ~np.isnan(labels)) - gallery.rms))
    change[np.isnan(labels).any(axis=2).all(axis=1)] = 0.0  # a point with one labelled coordinate has no distance
    rows = np.argsort(-change, kind="stable")[:CHANGED]
    return gallery.pictures([int(row) for row in rows if change[row] > 0], theirs)
