"""Out-of-fold predictions of small random faces, and their report, without any run on disk."""

import numpy as np
import pytest

from solution.evaluation.evaluation import Evaluation
from solution.evaluation.expected import OutOfFold
from solution.evaluation.summary import Summary, Validation, summarise
from solution.faces import FaceSet, FoldTable, Predictions, aligned
from solution.keypoints import FACE15, IN_FOUR
from solution.report.report import Report
from tests.evaluation.label_errors.conftest import singles, truth  # noqa: F401 - fixtures
from tests.report.cases import SIZES, WEIGHTS, evaluation_of, only, report_of
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
def summary(faces: FaceSet, oof: list[Predictions], outliers: np.ndarray) -> Summary:
    rows = OutOfFold(coords=aligned(faces, oof[3]), labels=faces.coords, subset=faces.subset, outliers=outliers)
    validation = Validation(oof=rows, variance={15: 0.1, 4: 0.2}, sizes=SIZES, weights=WEIGHTS)
    return summarise("stack", validation, disagreeing=0)


@pytest.fixture
def evaluation(
    faces: FaceSet, table: FoldTable, oof: list[Predictions], outliers: np.ndarray, summary: Summary
) -> Evaluation:
    return evaluation_of(faces, table, oof, outliers, summary)


@pytest.fixture
def report(faces: FaceSet, evaluation: Evaluation) -> Report:
    return report_of(faces, evaluation)
