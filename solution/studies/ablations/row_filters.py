"""What may be done to the training rows of one fold before an ablation trains on them. None of it sees a held-out row.

Each row filter takes the job as the recipe itself would do it and what the run shares, and gives the rows to train on.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from solution.evaluation.outliers import is_outlier
from solution.faces import FaceSet
from solution.keypoints import SUBSETS
from solution.runtime.errors import UserError
from solution.specialists.cross_validation import Workbench, load_part
from solution.specialists.job import Job
from solution.specialists.landmarks.predict import predict

TEACHERS = {"15": ("cascade_15", "timm_15"), "4": ("unet_4", "timm_4"), "all": ("unet_all", "timm_all")}
"""The specialists, by a recipe's rows, whose mean labels the test pictures."""

RowFilter = Callable[[Job, Workbench], FaceSet]


def as_given(job: Job, bench: Workbench) -> FaceSet:
    """The rows as they are."""
    return job.train


def sane(job: Job, bench: Workbench) -> FaceSet:
    """Without the rows whose labels lie far from what the network says that this one starts from.

    It has been trained on these rows; labels that are 10 px wrong it has not learnt.
    """
    if job.parent is None:
        raise UserError(f"{job.title}: expected a recipe that starts from another, whose network judges the labels")
    found = predict(job.parent, job.train, job.device)
    return job.train.take(~is_outlier(found.coords, job.train.coords))


def duplicates(job: Job, bench: Workbench) -> FaceSet:
    """Identical pictures of one subset all labelled with the mean of their labels, cell by cell."""
    group = bench.table.group[np.isin(bench.table.ids, job.train.ids)]
    coords = job.train.coords.copy()
    alike = group * (max(SUBSETS) + 1) + job.train.subset  # two sources put points at different places
    for one in np.flatnonzero(np.bincount(alike) > 1):
        rows = np.flatnonzero(alike == one)
        known = ~np.isnan(coords[rows])
        mean = np.nansum(coords[rows], axis=0) / np.maximum(known.sum(axis=0), 1)
        coords[rows] = np.where(known, mean, np.nan)
    return replace(job.train, coords=coords)


def pseudo(job: Job, bench: Workbench) -> FaceSet:
    """With the test pictures, labelled by the mean of this fold's finished specialists: no held-out row taught them."""
    rows = job.recipe.rows
    folders = {name: bench.workspace.fold(name, job.fold) for name in TEACHERS[rows]}
    said = [load_part(folder, name, "test") for name, folder in folders.items()]
    test = bench.competition.test
    test = test.take(np.isin(test.subset, job.recipe.subsets))
    assert all((one.ids == test.ids).all() for one in said)
    parts = job.train, replace(test, ids=-1 - test.ids, coords=np.mean([one.coords for one in said], axis=0))
    return replace(
        job.train,
        ids=np.concatenate([part.ids for part in parts]),
        images=np.concatenate([part.images for part in parts]),
        coords=np.concatenate([part.coords for part in parts]),
        subset=np.concatenate([part.subset for part in parts]),
    )


ROW_FILTERS: dict[str, RowFilter] = {f.__name__: f for f in (as_given, sane, duplicates, pseudo)}
