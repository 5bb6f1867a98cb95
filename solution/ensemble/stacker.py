"""LightGBM over the specialists' out-of-fold predictions: it learns the correction to the plain blend.

Every fold is a pipeline of its own: fold f's specialists, blend weights and trees are fitted to no label of its rows,
and the blends that its trees learn to correct are by weights that have not seen the corrected rows either. Its
out-of-fold rows and its test predictions are made in exactly the same way, so what the cross-validation measures is
what the test faces get; the submission is the mean of the k pipelines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from solution.ensemble.blend import CLIP, BlendWeights, fit_weights, middle
from solution.ensemble.features import face_features, point_features
from solution.ensemble.gating import blended, relative_uncertainty, relative_uncertainty_by_fold
from solution.faces import FaceSet, FoldTable
from solution.keypoints import POINTS, SUBSETS
from solution.runtime.device import LOG, seed_for
from solution.specialists.cross_validation import Specialist

ROUNDS = 250
LEAF = 150  # labelled cells in a leaf, at least
FEWEST = 2 * LEAF  # for one split: of fewer the trees would only say a constant
SETTINGS = {
    "objective": "huber",
    "alpha": 1.5,
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": LEAF,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 20.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True, eq=False)
class Stacked:
    """Blend and stack of all subsets: out-of-fold (N, 15, 2), and each fold pipeline's test predictions (k, T, 15, 2).

    weights: {subset: (M, 15)} mean over folds of the blend's weights.
    """

    blend: np.ndarray
    stack: np.ndarray
    blend_test: np.ndarray
    stack_test: np.ndarray
    weights: dict[int, np.ndarray]


def stack_all(specialists: Sequence[Specialist], train: FaceSet, test: FaceSet, table: FoldTable) -> Stacked:
    """Blend and stack both subsets. Rows that no specialist predicts stay NaN."""
    k = table.k
    blend, blend_test = np.full_like(train.coords, np.nan), np.full((k, *test.coords.shape), np.nan, np.float32)
    stack, stack_test = blend.copy(), blend_test.copy()
    weights = {}
    for subset in SUBSETS:
        rows, test_rows = np.flatnonzero(train.subset == subset), np.flatnonzero(test.subset == subset)
        members = [s for s in specialists if subset in s.recipe.subsets]
        if not members:
            weights[subset] = np.zeros((len(specialists), train.schema.size))
            continue
        found = _one_subset(members, train.take(rows), test.take(test_rows), table.fold[rows], rows, test_rows, subset)
        blend[rows], stack[rows] = found.blend, found.stack
        blend_test[:, test_rows], stack_test[:, test_rows] = found.blend_test, found.stack_test
        weights[subset] = _named(found.weights[subset], members, specialists)
    return Stacked(blend, stack, blend_test, stack_test, weights)


def _named(values: np.ndarray, members: Sequence[Specialist], specialists: Sequence[Specialist]) -> np.ndarray:
    """Weights with a row for every specialist, 0 for those that do not predict the subset."""
    full = np.zeros((len(specialists), values.shape[1]))
    full[[specialists.index(member) for member in members]] = values
    return full


def _one_subset(
    specialists: Sequence[Specialist],
    train: FaceSet,
    test: FaceSet,
    fold: np.ndarray,
    rows: np.ndarray,
    test_rows: np.ndarray,
    subset: int,
) -> Stacked:
    members = np.stack([s.oof.coords[rows] for s in specialists])
    sigmas = np.stack([s.oof.sigma[rows] for s in specialists])
    faces, test_faces = face_features(train.images), face_features(test.images)
    k = fold.max() + 1
    blend, blend_test = np.empty_like(train.coords), np.empty((k, *test.coords.shape), np.float32)
    stack, stack_test = blend.copy(), blend_test.copy()
    weights = _blend_weights(members, train.coords, fold, subset)
    uncertainty, kept = relative_uncertainty_by_fold(sigmas, fold), []
    for f in range(k):
        others, held = fold != f, fold == f
        start = np.empty_like(blend)
        for g in range(k):
            start[fold == g] = blended(members[:, fold == g], uncertainty[:, fold == g], weights[f, g])
        blend[held] = start[held]
        labels = train.coords[others]
        trees = Trees(subset).fit(members[:, others], sigmas[:, others], start[others], faces[others], labels)
        kept += trees.hopeless[:1]
        stack[held] = trees.correct(members[:, held], sigmas[:, held], blend[held], faces[held])
        test_members = np.stack([s.test[f].coords[test_rows] for s in specialists])
        test_sigmas = np.stack([s.test[f].sigma[test_rows] for s in specialists])
        blend_test[f] = blended(test_members, relative_uncertainty(test_sigmas), weights[f, f])
        stack_test[f] = trees.correct(test_members, test_sigmas, blend_test[f], test_faces)
    if kept:
        LOG.warning("Stack of the %d-keypoint rows: blend kept in %d of %d folds: %s", subset, len(kept), k, kept[0])
    LOG.info("Stack of the %d-keypoint rows: %d faces, %d specialists", subset, len(rows), len(specialists))
    mean = np.mean([weights[f, f].values for f in range(k)], axis=0)
    return Stacked(blend, stack, blend_test, stack_test, {subset: mean})


def _blend_weights(
    members: np.ndarray, coords: np.ndarray, fold: np.ndarray, subset: int
) -> dict[tuple[int, int], BlendWeights]:
    """The blend's weights without folds f and g, for each pair of folds.

    Fold f's trees correct the blend of fold g's rows by weights that have seen neither: their own labels would make it
    better than any blend they will ever meet, and fold f's are not theirs to know.
    """
    estimate, k = middle(members), fold.max() + 1
    weights = {}
    for f in range(k):
        for g in range(f, k):
            others = (fold != f) & (fold != g)
            found = fit_weights(members[:, others], coords[others], subset, estimate[others])
            weights[f, g] = weights[g, f] = found
    return weights


class Trees:
    """Two LightGBM models of one subset, for x and for y: all points together, told apart by a feature.

    hopeless: why an axis has no model, for each that has none; the blend stays as it is there.
    """

    def __init__(self, subset: int) -> None:
        self.subset = subset
        self.models: list[lgb.Booster | None] = []
        self.hopeless: list[str] = []

    def fit(
        self, members: np.ndarray, sigmas: np.ndarray, blend: np.ndarray, faces: np.ndarray, labels: np.ndarray
    ) -> "Trees":
        """Learn label minus blend, in pixels, clipped. Shapes as in features.point_features, labels (N, 15, 2)."""
        residual = (labels - blend)[:, POINTS[self.subset]]
        for axis in (0, 1):
            target = np.clip(residual[..., axis].reshape(-1), -CLIP, CLIP)
            known = ~np.isnan(target)
            if why := _hopeless(target[known]):
                self.hopeless.append(why)
                self.models.append(None)
                continue
            seen = point_features(members, sigmas, blend, faces, self.subset, axis)
            data = lgb.Dataset(seen[known], target[known], categorical_feature=[0])
            settings = {**SETTINGS, "seed": seed_for("stack", self.subset, axis) % 2**31}
            self.models.append(lgb.train(settings, data, num_boost_round=ROUNDS))
        return self

    def correct(self, members: np.ndarray, sigmas: np.ndarray, blend: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """The blend (N, 15, 2) plus the learnt correction, a new array."""
        corrected = blend.copy()
        points = POINTS[self.subset]
        if len(blend) == 0:
            return corrected
        for axis, model in enumerate(self.models):
            if model is None:
                continue
            seen = point_features(members, sigmas, blend, faces, self.subset, axis)
            corrected[:, points, axis] += np.asarray(model.predict(seen)).reshape(len(blend), len(points))
        return corrected


def _hopeless(target: np.ndarray) -> str | None:
    """Why nothing can be learnt of these residuals (cells,), in words; None where it can be tried."""
    if len(target) < FEWEST:
        return f"{len(target)} labelled cells to learn from, trees need {FEWEST}"
    return "the blend errs by the same everywhere" if np.ptp(target) == 0 else None
