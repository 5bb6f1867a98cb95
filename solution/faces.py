"""The values that travel between the stages: faces, folds and predictions. All frozen, all checked when made."""

from dataclasses import dataclass, replace

import numpy as np

from solution.keypoints import KINDS, Schema


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Pictures with their labels, in file order.

    ids: (N,) int64, unique. images: (N, H, W) uint8. coords: (N, K, 2) float32, (x, y) in pixels, NaN = not labelled.
    subset: (N,) int8, one of KINDS: 15 or 4, or 68 with the 68-point schema.
    """

    ids: np.ndarray
    images: np.ndarray
    coords: np.ndarray
    schema: Schema
    subset: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.images.shape[:1] != (n,) or self.images.dtype != np.uint8 or self.images.ndim != 3:
            raise ValueError(f"images: expected uint8 ({n}, H, W), got {self.images.dtype} {self.images.shape}")
        if self.coords.shape != (n, self.schema.size, 2):
            raise ValueError(f"coords: expected {(n, self.schema.size, 2)}, got {self.coords.shape}")
        if self.subset.shape != (n,) or not np.isin(self.subset, KINDS).all():
            raise ValueError(f"subset: expected {n} values out of {KINDS}")
        if len(np.unique(self.ids)) != n:
            raise ValueError("ids: expected unique values")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: np.ndarray | slice) -> "FaceSet":
        """The faces at these rows (indices, a mask or a slice), in that order."""
        return replace(
            self,
            ids=self.ids[rows],
            images=self.images[rows],
            coords=self.coords[rows],
            subset=self.subset[rows],
        )

    def sample(self, about: int) -> "FaceSet":
        """About so many of the faces, evenly spread over the file; all where there are no more."""
        return self.take(slice(None, None, max(1, len(self) // about)))


@dataclass(frozen=True, eq=False)
class FoldTable:
    """Which fold holds each face out. ids, fold, group: (N,) int64; a group (identical pictures) lies in one fold."""

    ids: np.ndarray
    fold: np.ndarray
    group: np.ndarray

    @property
    def k(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one specialist (or blend, or stack) says of N faces.

    ids: (N,). coords: (N, K, 2) float32 in pixels, NaN = not predicted. sigma: (N, K) float32, its own standard
    deviation in pixels (per axis), NaN = it has none.
    """

    name: str
    ids: np.ndarray
    coords: np.ndarray
    sigma: np.ndarray

    def __post_init__(self) -> None:
        n, k = self.coords.shape[:2]
        if self.ids.shape != (n,) or self.coords.shape != (n, k, 2) or self.sigma.shape != (n, k):
            raise ValueError(
                f"{self.name}: shapes disagree: ids {self.ids.shape}, coords {self.coords.shape}, "
                f"spread {self.sigma.shape}"
            )


def rows_of(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where the wanted ids stand in `ids`. ValueError where one is missing or `ids` repeat."""
    order = np.argsort(ids, kind="stable")
    at = order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
    if len(np.unique(ids)) != len(ids) or not np.array_equal(ids[at], wanted):
        raise ValueError("expected every face exactly once")
    return at


def aligned(faces: FaceSet, predictions: Predictions) -> np.ndarray:
    """The predictions' coords in the faces' order, (N, K, 2) float64 in pixels, NaN for a face they do not hold."""
    coords = np.full(faces.coords.shape, np.nan)
    coords[rows_of(faces.ids, predictions.ids)] = predictions.coords
    if len(np.unique(predictions.ids)) != len(predictions.ids):
        raise ValueError(f"{predictions.name}: expected every face at most once")
    return coords
