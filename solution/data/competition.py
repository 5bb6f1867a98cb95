"""The competition as a value: labelled faces, test faces, and what is asked of them."""

import hashlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from solution.faces import FaceSet
from solution.keypoints import FACE15, SUBSETS


@dataclass(frozen=True, eq=False)
class Lookup:
    """The cells a submission must answer, in the lookup table's order.

    row_id, image_id: (M,) int64. column: (M,) int64, an index into FACE15.columns: point = column // 2, axis =
    column % 2 (0 = x, 1 = y).
    """

    row_id: np.ndarray
    image_id: np.ndarray
    column: np.ndarray

    def rows_in(self, ids: np.ndarray) -> np.ndarray:
        """The row of these ImageIds (N,), in any order but all there, that each asked cell is about: (M,)."""
        order = np.argsort(ids)
        return order[np.searchsorted(ids, self.image_id, sorter=order)]


@dataclass(frozen=True, eq=False)
class Competition:
    """Everything read from the competition's files. Test faces carry NaN labels; `digest` names what was read.

    train ids are 0-based row numbers of the training file; test ids are the ImageIds. answers: (M,) float64 in the
    lookup's order where they are known, else None. drawn: made by this project. held_out: the test faces are labelled
    ones that were held out. Of neither kind is anything for Kaggle.
    """

    train: FaceSet
    test: FaceSet
    lookup: Lookup
    digest: str
    drawn: bool
    answers: np.ndarray | None = None
    held_out: bool = False

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
        """With the digest of these values: files that say the same, zipped or not, make the same trainings. The answers
        are no part of it: nothing that is trained or predicted may hang on them.
        """
        parts = [part for faces in (train, test) for part in (faces.ids, faces.images, faces.coords, faces.subset)]
        parts += [lookup.row_id, lookup.image_id, lookup.column, np.array(drawn)]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part))
        return cls(train, test, lookup, digest.hexdigest()[:16], drawn, answers, held_out)

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
