"""Test pictures that are byte-identical to labelled training pictures: how many, and what those labels are worth.

They are counted, and used for nothing but to find where the test pictures stand, unless --use-duplicates asks for a
third submission. In it the prediction of such a test picture is blended with the mean label of its duplicates, by one
weight for each subset. This may be against the spirit of a competition: it answers from having met the picture, not
from reading the face.

The training file has duplicates of its own, labelled independently of each other, in one fold: out-of-fold predictions
show what a label is worth where no network has met the picture. Most of the folds' pipelines have been trained on the
duplicate of a test picture, so there the label could be worth less. On two hold-outs whose duplicates stayed in the
training file it was not (docs/experiments.md); `MET` takes a fifth off the weight all the same.
"""

from dataclasses import dataclass, replace

import numpy as np

from solution.data.competition import Competition
from solution.data.folds import duplicates_across
from solution.evaluation.metrics import rmse
from solution.evaluation.outliers import is_outlier
from solution.evaluation.summary import Worth
from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import SUBSETS

CLIP = 6.0  # px: a larger difference is a slip of a labeller or a lost network, and would rule the squares
PULL = 50.0  # px² towards the prediction alone: a single pair of duplicates decides nothing

MET = {15: 0.0, 4: 0.8}
"""By subset, the share of the out-of-fold weight that is used where most pipelines have met the duplicate: less than
the hold-outs ask for, as a caution. The 15-keypoint rows have one pair of duplicates, which shows nothing."""


@dataclass(frozen=True, eq=False)
class DuplicateLabels:
    """What the training labels say of test pictures. worth: by subset, those without training duplicates left out.

    test: (T, 15, 2) pixels, the mean label of each test picture's duplicates; NaN where it has none that can be used.
    """

    worth: dict[int, Worth]
    test: np.ndarray

    @property
    def used(self) -> int:
        """Number of test pictures whose predictions are blended with labels."""
        return int(np.isfinite(self.test).any(axis=(1, 2)).sum())

    def blend(self, predictions: Predictions, test: FaceSet) -> Predictions:
        """The test predictions, in the test file's order, moved towards the labels where there are any."""
        used = {s: one.weight for s, one in self.worth.items() if one.wins}
        weight = np.array([used.get(s, 0.0) for s in test.subset.tolist()])
        return replace(predictions, coords=_moved(predictions.coords, self.test, weight))


def in_test(competition: Competition) -> int:
    """Number of test pictures that are byte-identical to a labelled one, of whichever subset."""
    return len(np.unique(duplicates_across(competition.train, competition.test)[:, 0]))


def learn(competition: Competition, table: FoldTable, oof: np.ndarray) -> DuplicateLabels:
    """The duplicates' labels and their weights, from out-of-fold predictions (N, 15, 2) in pixels.

    Only duplicates of one subset count, since the subsets' labels follow different habits, and none whose labels lie
    far from their own prediction.
    """
    train, test = competition.train, competition.test
    outliers = is_outlier(oof, train.coords)
    pairs = duplicates_across(train, train)
    own = _mean_labels(train, train, pairs[pairs[:, 0] != pairs[:, 1]], outliers)
    judged = np.isfinite(own).any(axis=(1, 2)) & ~outliers
    worth = {}
    for subset in SUBSETS:
        rows = judged & (train.subset == subset)
        if rows.any():
            worth[subset] = _worth(oof[rows], own[rows], train.coords[rows], table.fold[rows], MET[subset])
    found = _mean_labels(test, train, duplicates_across(train, test), outliers)
    found[~np.isin(test.subset, [s for s in worth if worth[s].wins])] = np.nan
    return DuplicateLabels(worth, found)


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


def _worth(oof: np.ndarray, duplicates: np.ndarray, labels: np.ndarray, fold: np.ndarray, met: float) -> Worth:
    """Weight and figures of one subset's rows with a duplicate; all (N, 15, 2), fold (N,)."""
    held = np.array([_weight(*(part[fold != f] for part in (oof, duplicates, labels))) for f in range(fold.max() + 1)])
    unmet = _weight(oof, duplicates, labels)
    return Worth(
        weight=met * unmet,
        unmet=unmet,
        rows=len(labels),
        alone=rmse(oof, labels),
        blended=rmse(_moved(oof, duplicates, met * held[fold]), labels),
    )


def _weight(oof: np.ndarray, duplicates: np.ndarray, labels: np.ndarray) -> float:
    """The least-squares weight of the duplicates' labels beside the predictions, 0 to 1; 0 without a row."""
    known = np.isfinite(duplicates) & np.isfinite(labels)
    towards, missing = (np.clip((part - oof)[known], -CLIP, CLIP) for part in (duplicates, labels))
    return float(np.clip(towards @ missing / (towards @ towards + PULL), 0.0, 1.0))


def _moved(coords: np.ndarray, duplicates: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Predictions (N, 15, 2) moved by each row's weight (N,) towards the labels; as they are where these are NaN."""
    moved = coords + weight[:, None, None] * (duplicates - coords)
    return np.where(np.isnan(duplicates), coords, moved).astype(np.float32)
