"""Out-of-fold predictions of small random faces, and the report that comes of them without any run on disk."""

from pathlib import Path

import numpy as np
import pytest

from solution.evaluation.ensemble_variance import EnsembleVariance
from solution.evaluation.error_tables import Tables, make_tables
from solution.evaluation.summary import Summary, summarise
from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import FACE15, IN_FOUR
from solution.report.report import Report
from tests.evaluation.label_errors.conftest import singles, truth  # noqa: F401 - fixtures
from tests.report.cases import CHOICE, SIZES, WEIGHTS, only, report_of
from tests.small import predicted, small_faces, small_folds


@pytest.fixture
def faces() -> FaceSet:
    return small_faces(12, 12)


@pytest.fixture
def table(faces: FaceSet) -> FoldTable:
    return small_folds(faces)


@pytest.fixture
def oof(faces: FaceSet) -> list[Predictions]:
    every = np.arange(FACE15.size)
    order = np.random.default_rng(9).permutation(len(faces))
    return [
        only(predicted(faces, "unet_15", 1.0, 1), faces.subset == 15, every),
        only(predicted(faces, "eyes", 0.1, 2), faces.subset > 0, IN_FOUR),
        predicted(faces, "blend", 1.5, 3),
        only(predicted(faces, "stack", 1.2, 4), order, every),
    ]


@pytest.fixture
def outliers(faces: FaceSet) -> np.ndarray:
    return np.isin(faces.ids, [2, 15])


@pytest.fixture
def tables(faces: FaceSet, table: FoldTable, oof: list[Predictions], outliers: np.ndarray) -> Tables:
    return make_tables(faces, table, oof, WEIGHTS, outliers)


@pytest.fixture
def summary(faces: FaceSet, oof: list[Predictions], outliers: np.ndarray) -> Summary:
    return summarise(
        faces,
        oof[3],
        WEIGHTS,
        outliers=outliers,
        variance=EnsembleVariance({15: 0.1, 4: 0.2}, 0),
        sizes=SIZES,
        choice=CHOICE,
        added={15: [["unet_15", 1.09], ["eyes", 1.07]], 4: [["eyes", 1.4]]},
        seconds={"unet_15": 1020.0, "eyes": 75.0},
        submission=Path("submissions/real/best.csv"),
        drawn=False,
    )


@pytest.fixture
def report(
    faces: FaceSet,
    table: FoldTable,
    oof: list[Predictions],
    outliers: np.ndarray,
    tables: Tables,
    summary: Summary,
) -> Report:
    return report_of(faces, table, oof, outliers, tables, summary)
