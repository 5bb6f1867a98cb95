"""Faces with right labels, predictions of them, and the parts of an audit."""

from dataclasses import replace

import numpy as np

from solution.data.folds import groups_of
from solution.faces import FaceSet, FoldTable, Predictions


def oof_of(truth: FaceSet, error: float = 1.0, sigma: float = 1.0) -> Predictions:
    """Out-of-fold predictions as good specialists make them: the right labels plus normal noise, px an axis."""
    noise = np.random.default_rng(0).normal(0, error, truth.coords.shape)
    return Predictions(
        "final",
        truth.ids,
        (truth.coords + noise).astype(np.float32),
        np.full(truth.coords.shape[:2], sigma, np.float32),
    )


def table_of(faces: FaceSet) -> FoldTable:
    return FoldTable(faces.ids, np.arange(len(faces)) % 3, groups_of(faces.images))


def relabelled(faces: FaceSet, coords: np.ndarray) -> FaceSet:
    """The faces with these labels, which nothing may write to."""
    coords.setflags(write=False)
    return replace(faces, coords=coords)
