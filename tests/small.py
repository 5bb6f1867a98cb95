"""A small random competition in memory, for tests of what comes after the files are read."""

import numpy as np

from solution.data.competition import Competition, Lookup
from solution.ensemble.members import MemberStack
from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import FACE15, IN_FOUR, SIZE

FOLDS = 3


def small_faces(rows15: int, rows4: int, seed: int = 0) -> FaceSet:
    """Random pictures and labels, 15-keypoint rows first; ids from 0."""
    rng = np.random.default_rng(seed)
    n = rows15 + rows4
    coords = rng.uniform(10, 80, (n, FACE15.size, 2)).astype(np.float32)
    coords[rows15:, np.setdiff1d(np.arange(FACE15.size), IN_FOUR)] = np.nan
    images = rng.integers(0, 256, (n, SIZE, SIZE), dtype=np.uint8)
    return FaceSet(np.arange(n), images, coords, FACE15, np.repeat([15, 4], [rows15, rows4]).astype(np.int8))


def small_competition(drawn: bool = True, seed: int = 0) -> tuple[Competition, FaceSet]:
    """A competition of 12 + 12 training and 3 + 5 test faces, and the test faces with their true positions."""
    truth = small_faces(3, 5, seed + 1)
    ids = np.array([7, 3, 5, 1, 8, 2, 6, 4])
    truth = FaceSet(ids, truth.images, truth.coords, FACE15, truth.subset)
    face, point, axis = np.nonzero(~np.isnan(truth.coords))
    lookup = Lookup(np.arange(1, len(face) + 1), ids[face], 2 * point + axis)
    test = FaceSet(ids, truth.images, np.full_like(truth.coords, np.nan), FACE15, truth.subset)
    answers = truth.coords[face, point, axis].astype(np.float64)
    train = small_faces(12, 12, seed)
    return Competition(train, test, lookup, "d" * 16, "e" * 16, "f" * 16, drawn, answers if drawn else None), truth


def predicted(faces: FaceSet, name: str = "some", error: float = 0.0, seed: int = 0) -> Predictions:
    """Predictions of every point of labelled faces: the labels plus noise of `error` px; unlabelled points at 48."""
    rng = np.random.default_rng(seed)
    coords = np.nan_to_num(faces.coords, nan=48.0) + error * rng.standard_normal(faces.coords.shape)
    return Predictions(name, faces.ids, coords.astype(np.float32), np.full(faces.coords.shape[:2], np.nan, np.float32))


def small_folds(faces: FaceSet) -> FoldTable:
    """Rows dealt out to three folds in turn, each its own group."""
    return FoldTable(faces.ids, np.arange(len(faces)) % FOLDS, np.arange(len(faces)))


def member_stack(coords: np.ndarray, subset: int = 15, uncertainty: np.ndarray | float = 1.0) -> MemberStack:
    """Specialists m0, m1, … with these coords (M, N, 15, 2) and this relative uncertainty (M, N), or one for all."""
    sigma = np.full(coords.shape[:3], np.nan, np.float32)
    names = tuple(f"m{i}" for i in range(len(coords)))
    return MemberStack(subset, names, coords, sigma, np.broadcast_to(uncertainty, coords.shape[:2]).copy())
