"""The values that travel between the stages: faces, folds and predictions. They are frozen and checked when made."""

from dataclasses import dataclass, replace

import numpy as np

from solution.keypoints import KINDS, Schema


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Pictures with their labels, in file order."""

    ids: np.ndarray  # (N,) int64, unique
    images: np.ndarray  # (N, H, W) uint8
    coords: np.ndarray  # (N, K, 2) float32, (x, y) in pixels; NaN: not labelled
    schema: Schema  # K points
    subset: np.ndarray  # (N,) int8, one of KINDS: 15 or 4, or 68 with the 68-point schema

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
        """The faces at these rows, in that order. rows: indices, a mask or a slice."""
        return replace(self, **{name: getattr(self, name)[rows] for name in ("ids", "images", "coords", "subset")})

    def sample(self, about: int) -> "FaceSet":
        """About `about` faces, at equal distances in the file; all faces if there are fewer."""
        return self.take(slice(None, None, max(1, len(self) // about)))


@dataclass(frozen=True, eq=False)
class FoldTable:
    """Which fold holds each face out."""

    ids: np.ndarray  # (N,) int64
    fold: np.ndarray  # (N,) int64
    group: np.ndarray  # (N,) int64; identical pictures are a group, and a group is in one fold

    @property
    def k(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1


@dataclass(frozen=True, eq=False)
class Predictions:
    """The points of N faces as one specialist (or blend, or stack) predicts them."""

    name: str
    ids: np.ndarray  # (N,) int64
    coords: np.ndarray  # (N, K, 2) float32 in pixels; NaN: not predicted
    sigma: np.ndarray  # (N, K) float32, standard deviation per axis in pixels; NaN: not known

    def __post_init__(self) -> None:
        n, k = self.coords.shape[:2]
        if self.ids.shape != (n,) or self.coords.shape != (n, k, 2) or self.sigma.shape != (n, k):
            raise ValueError(
                f"{self.name}: shapes disagree: ids {self.ids.shape}, coords {self.coords.shape}, "
                f"sigma {self.sigma.shape}"
            )


def rows_of(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The rows of the wanted ids in `ids`. ValueError if one is missing or `ids` repeat."""
    order = np.argsort(ids, kind="stable")
    at = order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
    if len(np.unique(ids)) != len(ids) or not np.array_equal(ids[at], wanted):
        raise ValueError("expected every face exactly once")
    return at


def aligned(faces: FaceSet, predictions: Predictions) -> np.ndarray:
    """The predictions' coords in the faces' order, (N, K, 2) float64 in pixels, NaN for a face that they lack."""
    coords = np.full(faces.coords.shape, np.nan)
    coords[rows_of(faces.ids, predictions.ids)] = predictions.coords
    if len(np.unique(predictions.ids)) != len(predictions.ids):
        raise ValueError(f"{predictions.name}: expected every face at most once")
    return coords
