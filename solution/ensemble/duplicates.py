"""Test pictures that are byte-identical to labelled training pictures: their number, and the worth of those labels.

They are counted, and they show where the test pictures stand. Nothing else uses them unless --use-duplicates asks for a
third submission. In it the prediction of such a test picture is blended with the mean label of its duplicates, by one
weight for each subset. This may be against the spirit of a competition: the answer comes from knowing the picture, not
from reading the face.

The training file has duplicates of its own, labelled independently of each other and in one fold. So out-of-fold
predictions show the worth of a label where no network has learnt from the picture. Most of the folds' pipelines have
learnt from the duplicate of a test picture, so its label could be worth less. On two hold-outs it was not worth less
(docs/experiments.md).
"""

from dataclasses import dataclass, replace

import numpy as np

from solution.data.competition import Competition
from solution.data.folds import duplicates_across
from solution.ensemble.config import DuplicatesConfig
from solution.evaluation.metrics import rmse
from solution.evaluation.outliers import is_outlier
from solution.evaluation.summary import Worth
from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import SUBSETS

CONFIG = DuplicatesConfig()


@dataclass(frozen=True, eq=False)
class DuplicateLabels:
    """The labels of the test pictures' duplicates, and how much they are worth."""

    worth: dict[int, Worth]  # by subset; a subset without duplicates in the training file is left out
    test: np.ndarray  # (T, 15, 2) pixels, the mean label of each test picture's duplicates; NaN where none can be used

    @property
    def used(self) -> int:
        """Number of test pictures whose predictions are blended with labels."""
        return int(np.isfinite(self.test).any(axis=(1, 2)).sum())

    def blend(self, predictions: Predictions, test: FaceSet) -> Predictions:
        """The test predictions, in the test file's order, moved towards the labels where there are any."""
        used = {s: worth.weight for s, worth in self.worth.items() if worth.wins}
        weight = np.array([used.get(s, 0.0) for s in test.subset.tolist()])
        return replace(predictions, coords=_moved(predictions.coords, self.test, weight))


def in_test(competition: Competition) -> int:
    """Number of test pictures that are byte-identical to a labelled one of any subset."""
    return len(np.unique(duplicates_across(competition.train, competition.test)[:, 0]))


def learn(
    competition: Competition, table: FoldTable, oof: np.ndarray, config: DuplicatesConfig = CONFIG
) -> DuplicateLabels:
    """The duplicates' labels and their weights, from out-of-fold predictions (N, 15, 2) in pixels.

    A duplicate of the other subset does not count, since the subsets have different label biases. A duplicate whose
    label is an outlier does not count either.
    """
    train, test = competition.train, competition.test
    outliers = is_outlier(oof, train.coords)
    pairs = duplicates_across(train, train)
    labels = _mean_labels(train, train, pairs[pairs[:, 0] != pairs[:, 1]], outliers)
    usable = np.isfinite(labels).any(axis=(1, 2)) & ~outliers
    worth = {}
    for subset in SUBSETS:
        rows = usable & (train.subset == subset)
        if rows.any():
            worth[subset] = _worth(
                oof[rows], labels[rows], train.coords[rows], table.fold[rows], config.share(subset), config
            )
    test_labels = _mean_labels(test, train, duplicates_across(train, test), outliers)
    test_labels[~np.isin(test.subset, [s for s in worth if worth[s].wins])] = np.nan
    return DuplicateLabels(worth, test_labels)


def _mean_labels(faces: FaceSet, train: FaceSet, pairs: np.ndarray, outliers: np.ndarray) -> np.ndarray:
    """Mean label (N, 15, 2) of each face's duplicates, from pairs (face, training row); NaN where no duplicate is
    labelled.
    """
    row, duplicate = pairs[(faces.subset[pairs[:, 0]] == train.subset[pairs[:, 1]]) & ~outliers[pairs[:, 1]]].T
    labels = train.coords[duplicate]
    total, count = np.zeros((2, *faces.coords.shape))
    np.add.at(total, row, np.nan_to_num(labels))
    np.add.at(count, row, ~np.isnan(labels))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _worth(
    oof: np.ndarray,
    duplicates: np.ndarray,
    labels: np.ndarray,
    fold: np.ndarray,
    share: float,
    config: DuplicatesConfig,
) -> Worth:
    """Weight and figures of one subset's rows with a duplicate; all (N, 15, 2), fold (N,)."""
    without = share * weights_without(oof, duplicates, labels, fold, config)
    weight = _weight(oof, duplicates, labels, config)
    return Worth(
        weight=share * weight,
        unmet=weight,
        rows=len(labels),
        alone=rmse(oof, labels),
        blended=rmse(_moved(oof, duplicates, without[fold]), labels),
    )


def weights_without(
    oof: np.ndarray, duplicates: np.ndarray, labels: np.ndarray, fold: np.ndarray, config: DuplicatesConfig = CONFIG
) -> np.ndarray:
    """For each fold the weight that the rows of the other folds give, (k,). Arguments as in `_worth`."""
    others = [fold != f for f in range(fold.max() + 1)]
    return np.array([_weight(oof[rows], duplicates[rows], labels[rows], config) for rows in others])


def _weight(oof: np.ndarray, duplicates: np.ndarray, labels: np.ndarray, config: DuplicatesConfig) -> float:
    """The least-squares weight of the duplicates' labels beside the predictions, 0 to 1; 0 without a row."""
    known = np.isfinite(duplicates) & np.isfinite(labels)
    towards, missing = (np.clip((part - oof)[known], -config.clip, config.clip) for part in (duplicates, labels))
    return float(np.clip(towards @ missing / (towards @ towards + config.ridge), 0.0, 1.0))


def _moved(coords: np.ndarray, duplicates: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Predictions (N, 15, 2) moved towards the duplicates' labels by each row's weight (N,), unless these are NaN."""
    moved = coords + weight[:, None, None] * (duplicates - coords)
    return np.where(np.isnan(duplicates), coords, moved).astype(np.float32)
