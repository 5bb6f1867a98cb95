"""The pictures whose predictions are farthest from the labels, with all that a reader needs to judge them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from solution.evaluation.label_errors.evidence import disagreement
from solution.evaluation.label_errors.ranking import FLAGGED, make_audit
from solution.evaluation.outliers import row_rms
from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import SUBSETS

WORST = 60
"""Pictures of each subset that are shown for their rms error over all labels."""

WORST_OF_POINT = 8
"""And for each keypoint of a subset, those with the largest error there."""


@dataclass(frozen=True)
class Mark:
    """One labelled keypoint of a picture. Places are (x, y) in pixels."""

    point: int
    """The keypoint's number in the schema."""

    label: tuple[float, float]
    predicted: tuple[float, float]
    error: float
    """Distance between prediction and label, pixels."""

    sigma: float
    """Disagreement of the specialists, standard deviation in pixels; NaN where only one of them predicts the point."""

    other: tuple[float, float] | None = None
    """The prediction of the run that this one is compared with."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One training picture with its errors."""

    id: int
    subset: int
    fold: int
    rms: float
    """Root mean square error over its labelled cells, pixels."""

    marks: tuple[Mark, ...]
    outlier: bool
    """Whether its labels are far from the predictions, or the audit flags them."""

    score: float
    """The audit's score; 0 where the audit does not list the picture."""

    reason: str
    """The audit's reason; empty where the audit does not list the picture."""

    rms_other: float | None = None
    """The same error of the run that this one is compared with, pixels."""

    @property
    def worst(self) -> Mark:
        """The point with the largest error."""
        return max(self.marks, key=lambda mark: mark.error)


@dataclass(frozen=True, eq=False)
class Gallery:
    """What pictures are made of, all in the faces' order."""

    faces: FaceSet
    fold: np.ndarray  # (N,)
    coords: np.ndarray  # (N, K, 2) final out-of-fold predictions, pixels
    sigma: np.ndarray  # (N, K) disagreement of the specialists, pixels
    audit: pd.DataFrame  # from `make_audit`

    @classmethod
    def of(
        cls,
        faces: FaceSet,
        table: FoldTable,
        coords: np.ndarray,
        with_drift: np.ndarray,
        specialists: Sequence[Predictions],
    ) -> Self:
        """From final predictions (N, K, 2), from those with the label drift at each row's own place, and from the
        specialists' predictions of all faces in their order.
        """
        sigma = disagreement(np.stack([member.coords for member in specialists])).astype(np.float32)
        audit = make_audit(faces, table, Predictions("with drift", faces.ids, with_drift, sigma))
        return cls(faces, table.fold, coords, sigma, audit)

    @cached_property
    def rms(self) -> np.ndarray:
        """Each picture's rms error, (N,) px, NaN without a label."""
        return row_rms(self.coords - self.faces.coords, ~np.isnan(self.faces.coords))

    def worst(self) -> tuple[Picture, ...]:
        """The worst pictures of each subset and of each of its keypoints, and all outliers; the worst first."""
        distance = np.linalg.norm(self.coords - self.faces.coords, axis=-1)
        rows: set[int] = set(np.flatnonzero(np.isin(self.faces.ids, list(self._outliers))).tolist())
        for subset in SUBSETS:
            candidates = np.flatnonzero(self.faces.subset == subset)
            rows |= _largest(self.rms, candidates, WORST)
            for k in range(self.faces.schema.size):
                rows |= _largest(distance[:, k], candidates, WORST_OF_POINT)
        whole = (~np.isnan(distance)).any(axis=1)  # a point with one labelled coordinate has no distance
        return self.pictures(sorted((row for row in rows if whole[row]), key=lambda row: (-self.rms[row], row)))

    def pictures(self, rows: list[int], other: np.ndarray | None = None) -> tuple[Picture, ...]:
        """The pictures of these rows, in that order. other: (N, K, 2), the predictions of another run."""
        rms_other = None if other is None else row_rms(other - self.faces.coords, ~np.isnan(self.faces.coords))
        return tuple(self._picture(row, other, None if rms_other is None else float(rms_other[row])) for row in rows)

    def _picture(self, row: int, other: np.ndarray | None, rms_other: float | None) -> Picture:
        identity = int(self.faces.ids[row])
        verdict = self._verdicts.get(identity, {"score": 0.0, "reason": ""})
        return Picture(
            id=identity,
            subset=int(self.faces.subset[row]),
            fold=int(self.fold[row]),
            rms=float(self.rms[row]),
            marks=self._marks(row, other),
            outlier=identity in self._outliers,
            score=float(verdict["score"]),
            reason=str(verdict["reason"]),
            rms_other=rms_other,
        )

    @cached_property
    def _verdicts(self) -> dict[int, dict]:
        """The audit's entry of each listed picture, by id."""
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
    """The rows among `rows` with the `count` largest values (N,), without NaN."""
    known = rows[~np.isnan(values[rows])]
    return set(known[np.argsort(-values[known], kind="stable")[:count]].tolist())


def _place(point: np.ndarray) -> tuple[float, float]:
    return float(point[0]), float(point[1])
