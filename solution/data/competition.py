"""The competition as a value: labelled faces, test faces, and the cells that a submission answers."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from solution.data.placement import Placement
from solution.data.sequence import place_test
from solution.faces import FaceSet
from solution.keypoints import FACE15, SUBSETS


@dataclass(frozen=True, eq=False)
class Lookup:
    """The M cells that a submission must answer, in the lookup table's order."""

    row_id: np.ndarray  # (M,) int64
    image_id: np.ndarray  # (M,) int64
    column: np.ndarray
    """(M,) int64, an index into FACE15.columns: point = column // 2, axis = column % 2 (0 = x, 1 = y)."""

    def rows_in(self, ids: np.ndarray) -> np.ndarray:
        """The place of each asked cell's picture among these ImageIds (N,), all there in any order: (M,)."""
        order = np.argsort(ids)
        return order[np.searchsorted(ids, self.image_id, sorter=order)]


@dataclass(frozen=True, eq=False)
class Competition:
    """Everything read from the competition's files."""

    train: FaceSet  # ids are 0-based row numbers of the training file
    test: FaceSet  # ids are the ImageIds; labels are NaN
    lookup: Lookup
    digest: str  # changes with any value that is read, except the answers
    train_digest: str  # changes with the training file's faces and labels
    test_digest: str  # changes with the test pictures and with which subset each is of
    drawn: bool  # the faces are drawn by this project; nothing made from them can be sent to Kaggle
    answers: np.ndarray | None = None  # (M,) float64 in the lookup's order, pixels; None where they are not known
    held_out: bool = False  # the test faces are held-out labelled faces; nothing made from them can be sent to Kaggle

    @classmethod
    def of(
        cls,
        train: FaceSet,
        test: FaceSet,
        lookup: Lookup,
        *,
        drawn: bool = False,
        held_out: bool = False,
        answers: np.ndarray | None = None,
    ) -> Self:
        """The competition with the digests of these values. Packing does not change them. The answers are in none, so
        no training and no prediction can depend on them.
        """
        labelled, pictures = (_parts(faces) for faces in (train, test))
        asked = [lookup.row_id, lookup.image_id, lookup.column, np.array(drawn)]
        return cls(
            train,
            test,
            lookup,
            digest=_digest([*labelled, *pictures, *asked]),
            train_digest=_digest(labelled),
            test_digest=_digest(pictures),
            drawn=drawn,
            answers=answers,
            held_out=held_out,
        )

    @cached_property
    def placement(self) -> dict[int, Placement]:
        """Where the test pictures of each subset stand in the order of the training rows."""
        return place_test(self.train, self.test)

    @property
    def answered(self) -> FaceSet | None:
        """The test faces with the answers as labels; None where these are not known."""
        return None if self.answers is None else replace(self.test, coords=self.at_points(self.answers))

    def at_points(self, cells: np.ndarray) -> np.ndarray:
        """Values (M,) of the asked cells as points of the test faces: (N, 15, 2) float32, NaN where none is asked."""
        points = np.full((len(self.test), FACE15.size * 2), np.nan, dtype=np.float32)
        points[self.lookup.rows_in(self.test.ids), self.lookup.column] = cells
        return points.reshape(-1, FACE15.size, 2)

    @property
    def weights(self) -> dict[int, float]:
        """Share of the asked cells that each subset carries; sums to 1."""
        subset = dict(zip(self.test.ids.tolist(), self.test.subset.tolist(), strict=True))
        asked = np.array([subset[i] for i in self.lookup.image_id.tolist()])
        return {s: float((asked == s).mean()) for s in SUBSETS}


def _parts(faces: FaceSet) -> list[np.ndarray]:
    return [faces.ids, faces.images, faces.coords, faces.subset]


def _digest(parts: list[np.ndarray]) -> str:
    """Sixteen hex digits that change with any value, type or shape of the arrays."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part.dtype}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()[:16]
