"""What may be done to the training rows of one fold before an ablation trains on them. None of it sees a held-out row.

Each row filter takes the training as the recipe itself would do it, the run's data and the jobs that label the test
pictures, and gives the rows to train on.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from solution.evaluation.outliers import is_outlier
from solution.faces import FaceSet
from solution.keypoints import SUBSETS
from solution.runtime.errors import UserError
from solution.specialists.job import Job, RunData
from solution.specialists.landmarks.predict import predict
from solution.specialists.training import Training, load_part

TEACHERS = {"15": ("cascade_15", "timm_15"), "4": ("unet_4", "timm_4"), "all": ("unet_all", "timm_all")}
"""The specialists, by a recipe's rows, whose mean labels the test pictures."""

RowFilter = Callable[[Training, RunData, Sequence[Job]], FaceSet]


def as_given(training: Training, data: RunData, teachers: Sequence[Job] = ()) -> FaceSet:
    """The rows as they are."""
    return training.train


def sane(training: Training, data: RunData, teachers: Sequence[Job] = ()) -> FaceSet:
    """Without the rows whose labels lie far from what the network says that this one starts from.

    It has been trained on these rows; labels that are 10 px wrong it has not learnt.
    """
    if training.parent is None:
        raise UserError(f"{training.title}: expected a recipe with a parent, whose network judges the labels")
    found = predict(training.parent, training.train, training.device)
    return training.train.take(~is_outlier(found.coords, training.train.coords))


def duplicates(training: Training, data: RunData, teachers: Sequence[Job] = ()) -> FaceSet:
    """Identical pictures of one subset all labelled with the mean of their labels, cell by cell."""
    group = data.table.group[np.isin(data.table.ids, training.train.ids)]
    coords = training.train.coords.copy()
    alike = group * (max(SUBSETS) + 1) + training.train.subset  # two sources put points at different places
    for one in np.flatnonzero(np.bincount(alike) > 1):
        rows = np.flatnonzero(alike == one)
        known = ~np.isnan(coords[rows])
        mean = np.nansum(coords[rows], axis=0) / np.maximum(known.sum(axis=0), 1)
        coords[rows] = np.where(known, mean, np.nan)
    return replace(training.train, coords=coords)


def pseudo(training: Training, data: RunData, teachers: Sequence[Job] = ()) -> FaceSet:
    """With the test pictures, labelled by the mean of this fold's finished specialists: no held-out row taught them."""
    said = [load_part(teacher.folder, teacher.recipe.name, "test") for teacher in teachers]
    test = data.competition.test
    test = test.take(np.isin(test.subset, training.recipe.subsets))
    assert all((one.ids == test.ids).all() for one in said)
    parts = training.train, replace(test, ids=-1 - test.ids, coords=np.mean([one.coords for one in said], axis=0))
    return replace(
        training.train,
        ids=np.concatenate([part.ids for part in parts]),
        images=np.concatenate([part.images for part in parts]),
        coords=np.concatenate([part.coords for part in parts]),
        subset=np.concatenate([part.subset for part in parts]),
    )


ROW_FILTERS: dict[str, RowFilter] = {f.__name__: f for f in (as_given, sane, duplicates, pseudo)}
