"""The pictures where predictions lie farthest from labels, with all that a reader needs to judge them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from solution.evaluation.label_errors.ranking import FLAGGED
from solution.evaluation.outliers import row_rms
from solution.faces import FaceSet
from solution.keypoints import SUBSETS

WORST = 60
"""Pictures of each subset that are shown for their rms error over all labels."""

WORST_OF_POINT = 8
"""And for each keypoint of a subset, those with the largest error there."""


@dataclass(frozen=True)
class Mark:
    """One labelled keypoint of a picture; places (x, y) in pixels.

    error: distance of prediction and label. sigma: how far the specialists lie apart, standard deviation an axis, NaN
    where one alone predicts. other: what a run compared with says.
    """

    point: int
    label: tuple[float, float]
    predicted: tuple[float, float]
    error: float
    sigma: float
    other: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """image: (H, W) uint8. rms: of the errors over all its labelled cells, px; rms_other: that of a run compared with.

    score, reason: what the audit says of its labels; 0 and nothing where that does not list it. outlier: they lie far
    off (and are left out of some figures), or the audit flags them.
    """

    id: int
    subset: int
    fold: int
    image: np.ndarray
    rms: float
    marks: tuple[Mark, ...]
    outlier: bool
    score: float
    reason: str
    rms_other: float | None = None


@dataclass(frozen=True, eq=False)
class Gallery:
    """What pictures are made of, all in the faces' order.

    fold: (N,). coords: (N, K, 2) final out-of-fold predictions. sigma: (N, K), px. audit: from `make_audit`.
    """

    faces: FaceSet
    fold: np.ndarray
    coords: np.ndarray
    sigma: np.ndarray
    audit: pd.DataFrame

    @cached_property
    def rms(self) -> np.ndarray:
        """Each picture's rms error, (N,) px, NaN without a label."""
        return row_rms(self.coords - self.faces.coords, ~np.isnan(self.faces.coords))

    def worst(self) -> tuple[Picture, ...]:
        """The worst pictures of each subset and of each of its keypoints, and all outliers; the worst first."""
        distance = np.linalg.norm(self.coords - self.faces.coords, axis=-1)
        rows: set[int] = set(np.flatnonzero(np.isin(self.faces.ids, list(self._outliers))).tolist())
        for subset in SUBSETS:
            own = np.flatnonzero(self.faces.subset == subset)
            rows |= _largest(self.rms, own, WORST)
            for k in range(self.faces.schema.size):
                rows |= _largest(distance[:, k], own, WORST_OF_POINT)
        whole = (~np.isnan(distance)).any(axis=1)  # a point labelled by half has no distance
        return self.pictures(sorted((row for row in rows if whole[row]), key=lambda row: (-self.rms[row], row)))

    def pictures(self, rows: list[int], other: np.ndarray | None = None) -> tuple[Picture, ...]:
        """The pictures of these rows, in that order. other: (N, K, 2), the predictions of a run compared with."""
        rms_other = None if other is None else row_rms(other - self.faces.coords, ~np.isnan(self.faces.coords))
        return tuple(self._picture(row, other, None if rms_other is None else float(rms_other[row])) for row in rows)

    def _picture(self, row: int, other: np.ndarray | None, rms_other: float | None) -> Picture:
        identity = int(self.faces.ids[row])
        told = self._verdicts.get(identity, {"score": 0.0, "reason": ""})
        return Picture(
            id=identity,
            subset=int(self.faces.subset[row]),
            fold=int(self.fold[row]),
            image=self.faces.images[row],
            rms=float(self.rms[row]),
            marks=self._marks(row, other),
            outlier=identity in self._outliers,
            score=float(told["score"]),
            reason=str(told["reason"]),
            rms_other=rms_other,
        )

    @cached_property
    def _verdicts(self) -> dict[int, dict]:
        """What the audit says, by id."""
        return {int(entry["id"]): entry for entry in self.audit.to_dict("records")}

    @cached_property
    def _outliers(self) -> set[int]:
        wrong = self.audit["far_off"] | (self.audit["score"] >= FLAGGED)
        return set(self.audit.loc[wrong, "id"].tolist())

    def _marks(self, row: int, other: np.ndarray | None) -> tuple[Mark, ...]:
        labels, coords = self.faces.coords[row].astype(float), self.coords[row].astype(float)
        labelled = np.flatnonzero(~np.isnan(labels).any(axis=-1))
        return tuple(
            Mark(
                point=int(k),
                label=_place(labels[k]),
                predicted=_place(coords[k]),
                error=float(np.hypot(*(coords[k] - labels[k]))),
                sigma=float(self.sigma[row, k]),
                other=None if other is None else _place(other[row, k].astype(float)),
            )
            for k in labelled
        )


def _largest(values: np.ndarray, rows: np.ndarray, count: int) -> set[int]:
    """Those of `rows` with the `count` largest values (N,), NaN left out."""
    known = rows[~np.isnan(values[rows])]
    return set(known[np.argsort(-values[known], kind="stable")[:count]].tolist())


def _place(point: np.ndarray) -> tuple[float, float]:
    return float(point[0]), float(point[1])
