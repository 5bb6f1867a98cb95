"""The stack: LightGBM learns the correction to the blend from the specialists' out-of-fold predictions.

Every fold has its own pipeline. The specialists, blend weights and trees of fold f are fitted without the labels of the
rows of fold f. The trees learn to correct blends, and the weights of each blend are fitted without the rows that the
trees correct. A pipeline makes its out-of-fold rows and its test predictions in exactly the same way, so
cross-validation measures the error to expect on test faces. The submission is the mean of the k pipelines.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import lightgbm as lgb
import numpy as np

from solution.ensemble.blend import BlendWeights, fit_weights
from solution.ensemble.config import CONFIG, EnsembleConfig, StackerConfig
from solution.ensemble.features import picture_features, point_features
from solution.ensemble.gating import blended
from solution.ensemble.members import MemberStack
from solution.faces import FaceSet, FoldTable
from solution.keypoints import SUBSETS
from solution.runtime.device import LOG, seed_for
from solution.specialists.cross_validation import Specialist


@dataclass(frozen=True, eq=False)
class Stacked:
    """Blend and stack of all faces, or of one subset's, in pixels. NaN where no specialist predicts."""

    blend: np.ndarray  # (N, 15, 2), out-of-fold
    stack: np.ndarray  # (N, 15, 2), out-of-fold
    blend_test: np.ndarray  # (k, T, 15, 2): the test predictions of each fold's pipeline
    stack_test: np.ndarray  # (k, T, 15, 2)
    weights: dict[int, dict[str, float]]
    """By subset and specialist, the mean weight in the blend, over folds and points."""

    members: dict[int, MemberStack]
    """By subset, the out-of-fold predictions that are combined; none for a subset that no specialist predicts."""


def stack_all(
    specialists: Sequence[Specialist],
    train: FaceSet,
    test: FaceSet,
    table: FoldTable,
    config: EnsembleConfig = CONFIG,
) -> Stacked:
    """Blend and stack both subsets."""
    blend, blend_test = np.full_like(train.coords, np.nan), np.full((table.k, *test.coords.shape), np.nan, np.float32)
    stacked = Stacked(blend, blend.copy(), blend_test, blend_test.copy(), {}, {})
    for subset in SUBSETS:
        rows, test_rows = train.subset == subset, test.subset == subset
        stacked.weights[subset] = dict.fromkeys((s.recipe.name for s in specialists), 0.0)
        covering = [s for s in specialists if subset in s.recipe.subsets]
        if not covering:
            continue
        members = MemberStack.out_of_fold(covering, rows, table.fold[rows], subset)
        tests = [MemberStack.of_test(covering, test_rows, fold, subset) for fold in range(table.k)]
        part = _stack_subset(members, tests, train.take(rows), test.take(test_rows), table.fold[rows], config)
        stacked.blend[rows], stacked.stack[rows] = part.blend, part.stack
        stacked.blend_test[:, test_rows], stacked.stack_test[:, test_rows] = part.blend_test, part.stack_test
        stacked.weights[subset].update(part.weights[subset])
        stacked.members[subset] = members
    return stacked


def _stack_subset(
    members: MemberStack,
    tests: Sequence[MemberStack],
    train: FaceSet,
    test: FaceSet,
    fold: np.ndarray,
    config: EnsembleConfig,
) -> Stacked:
    """The pipelines of one subset: its faces, their out-of-fold members, and the k folds' members of its test faces."""
    subset, labels = members.subset, train.coords
    pictures, test_pictures = picture_features(train.images), picture_features(test.images)
    blend, blend_test = np.empty_like(labels), np.empty((len(tests), *test.coords.shape), np.float32)
    stack, stack_test = blend.copy(), blend_test.copy()
    weights, kept = _weights_without(members, labels, fold, config), []
    for f, test_members in enumerate(tests):
        held, others = fold == f, fold != f
        start = np.empty_like(blend)  # (N, 15, 2): what fold f's trees correct
        for g in range(len(tests)):
            start[fold == g] = blended(members.take(fold == g), weights[f, g], config.gating)
        trees = Trees(subset, config.stacker).fit(members.take(others), start[others], pictures[others], labels[others])
        kept += trees.untrained[:1]
        blend[held] = start[held]
        stack[held] = trees.correct(members.take(held), blend[held], pictures[held])
        blend_test[f] = blended(test_members, weights[f, f], config.gating)
        stack_test[f] = trees.correct(test_members, blend_test[f], test_pictures)
    if kept:
        LOG.warning(
            "Stack of the %d-keypoint rows: blend kept in %d of %d folds: %s", subset, len(kept), len(tests), kept[0]
        )
    LOG.info("Stack of the %d-keypoint rows: %d faces, %d specialists", subset, len(labels), len(members))
    mean = BlendWeights(np.mean([weights[f, f].values for f in range(len(tests))], axis=0)).mean()
    named = {subset: dict(zip(members.names, mean.tolist(), strict=True))}
    return Stacked(blend, stack, blend_test, stack_test, named, {subset: members})


def _weights_without(
    members: MemberStack, labels: np.ndarray, fold: np.ndarray, config: EnsembleConfig
) -> dict[tuple[int, int], BlendWeights]:
    """The blend's weights without folds f and g, for each pair of folds.

    Fold f's trees correct the blend of fold g's rows, made by weights that have seen neither fold. Weights that have
    seen fold g's labels would make that blend better than any blend of new faces.
    """
    median, k = members.median(), fold.max() + 1
    weights = {}
    for f in range(k):
        for g in range(f, k):
            rows = (fold != f) & (fold != g)
            weights[f, g] = fit_weights(members.take(rows), labels[rows], config.blend, median[rows])
            weights[g, f] = weights[f, g]
    return weights


class Trees:
    """Two LightGBM models of one subset, for x and for y. Each has all points; a feature has the point's number."""

    def __init__(self, subset: int, config: StackerConfig = CONFIG.stacker) -> None:
        self.subset = subset
        self.config = config
        self.models: list[lgb.Booster | None] = []
        self.untrained: list[str] = []
        """Why an axis has no model, for each that has none. The blend is not corrected there."""

    def fit(self, members: MemberStack, blend: np.ndarray, pictures: np.ndarray, labels: np.ndarray) -> "Trees":
        """Learn labels minus blend, both (N, 15, 2) in pixels; pictures (N, 3) from `picture_features`."""
        residual = (labels - blend)[:, members.points]
        for axis in (0, 1):
            target = np.clip(residual[..., axis].reshape(-1), -self.config.clip, self.config.clip)
            known = ~np.isnan(target)
            if reason := self._why_untrained(target[known]):
                self.untrained.append(reason)
                self.models.append(None)
                continue
            features = point_features(members, blend, pictures, axis)
            data = lgb.Dataset(features[known], target[known], categorical_feature=[0])
            settings = {**asdict(self.config.trees), "seed": seed_for("stack", self.subset, axis) % 2**31}
            self.models.append(lgb.train(settings, data, num_boost_round=self.config.rounds))
        return self

    def correct(self, members: MemberStack, blend: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        """The blend (N, 15, 2) plus the learnt correction, a new array."""
        corrected = blend.copy()
        for axis, model in enumerate(self.models):
            if model is not None and len(blend):
                features = point_features(members, blend, pictures, axis)
                correction = np.asarray(model.predict(features)).reshape(len(blend), len(members.points))
                corrected[:, members.points, axis] += correction
        return corrected

    def _why_untrained(self, target: np.ndarray) -> str | None:
        """Why nothing can be learnt from these residuals (cells,); None where it can be tried."""
        if len(target) < self.config.fewest:
            return f"{len(target)} labelled cells to learn from, trees need {self.config.fewest}"
        return "the blend has the same error everywhere" if np.ptp(target) == 0 else None
