"""The specialists that predict one subset, as one value. Blend, gating, features and stacker read it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solution.faces import Predictions
from solution.keypoints import POINTS
from solution.specialists.cross_validation import Specialist


@dataclass(frozen=True, eq=False)
class MemberStack:
    """Predictions of M specialists for N faces of one subset."""

    subset: int  # 15 or 4
    names: tuple[str, ...]  # the specialists, (M,)
    coords: np.ndarray  # (M, N, 15, 2) float32, pixels; NaN: the specialist does not predict this point
    sigma: np.ndarray  # (M, N, 15) float32, pixels; NaN: the specialist gives no standard deviation
    uncertainty: np.ndarray  # (M, N), from `relative_uncertainty`

    @classmethod
    def out_of_fold(
        cls, specialists: Sequence[Specialist], rows: np.ndarray, fold: np.ndarray, subset: int
    ) -> "MemberStack":
        """The out-of-fold predictions of these training rows, bool over all rows; fold (N,) of each of these rows."""
        coords, sigma = _stacked([s.oof for s in specialists], rows)
        uncertainty = np.empty(sigma.shape[:2])
        for f in np.unique(fold):  # each fold has networks of its own, with a usual sigma of their own
            uncertainty[:, fold == f] = relative_uncertainty(sigma[:, fold == f])
        return cls(subset, _names(specialists), coords, sigma, uncertainty)

    @classmethod
    def of_test(cls, specialists: Sequence[Specialist], rows: np.ndarray, fold: int, subset: int) -> "MemberStack":
        """The predictions that one fold's networks make of these test faces, bool over all test faces."""
        coords, sigma = _stacked([s.test[fold] for s in specialists], rows)
        return cls(subset, _names(specialists), coords, sigma, relative_uncertainty(sigma))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def points(self) -> np.ndarray:
        """Numbers of the points that the subset's faces can have labels for."""
        return POINTS[self.subset]

    def take(self, rows: np.ndarray) -> "MemberStack":
        """The predictions of these faces (indices or a mask)."""
        parts = {name: getattr(self, name)[:, rows] for name in ("coords", "sigma", "uncertainty")}
        return replace(self, **parts)

    def only(self, members: Sequence[int]) -> "MemberStack":
        """The predictions of these specialists (indices)."""
        chosen = list(members)
        parts = {name: getattr(self, name)[chosen] for name in ("coords", "sigma", "uncertainty")}
        return replace(self, names=tuple(self.names[i] for i in chosen), **parts)

    def median(self) -> np.ndarray:
        """The specialists' median, (N, 15, 2) pixels; NaN where no specialist predicts."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a point that no specialist predicts
            return np.nanmedian(self.coords, axis=0)


def relative_uncertainty(sigma: np.ndarray) -> np.ndarray:
    """Each specialist's mean sigma of a face, divided by its median over these faces: (M, N, 15) to (M, N).

    It is inf where a specialist gives no sigma.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a specialist without sigma
        face = np.nanmean(sigma, axis=-1)
        usual = np.nanmedian(face, axis=1, keepdims=True)
        return np.nan_to_num(face / usual, nan=np.inf)


def _names(specialists: Sequence[Specialist]) -> tuple[str, ...]:
    return tuple(s.recipe.name for s in specialists)


def _stacked(predictions: Sequence[Predictions], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """coords (M, N, 15, 2) and sigma (M, N, 15) of these rows."""
    return np.stack([p.coords[rows] for p in predictions]), np.stack([p.sigma[rows] for p in predictions])
