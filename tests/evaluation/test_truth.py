"""The true score: pooled as Kaggle pools, with intervals, and told apart from answers that are wrong themselves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solution.data.competition import Competition
from solution.evaluation.metrics import bootstrap_interval
from solution.evaluation.summary import Truth, _true, truth_of
from solution.faces import FaceSet, Predictions
from solution.kaggle.submission import read_submission, write_submission
from tests.small import predicted, small_competition


@pytest.fixture
def case() -> tuple[Competition, FaceSet]:
    return small_competition()


def written_truth(path: Path, competition: Competition, predictions: Predictions) -> Truth | None:
    """The truth of predictions as they come back from a submission."""
    return truth_of(read_submission(write_submission(path, competition, predictions, {}), competition), competition)


def test_it_is_pooled_over_cells(tmp_path: Path, case: tuple[Competition, FaceSet]):
    competition, faces = case
    predictions = predicted(faces)
    predictions.coords[faces.subset == 15] += 1  # 3 pictures of 30 cells
    predictions.coords[faces.subset == 4] += 2  # 5 pictures of 8 cells
    truth = written_truth(tmp_path / "off.csv", competition, predictions)
    assert truth.scores[15] == pytest.approx(1, abs=1e-4)
    assert truth.scores[4] == pytest.approx(2, abs=1e-4)
    assert truth.scores["overall"] == pytest.approx(np.sqrt((90 * 1 + 40 * 4) / 130), abs=1e-4)
    assert (truth.outliers, truth.without) == (0, truth.scores)


def test_intervals_are_over_sections_of_pictures(tmp_path: Path, case: tuple[Competition, FaceSet]):
    competition, faces = case
    predictions = predicted(faces, error=1.5)
    truth = written_truth(tmp_path / "off.csv", competition, predictions)
    want = bootstrap_interval(predictions.coords, faces.coords, faces.subset, competition.weights)
    assert truth.intervals["overall"] == pytest.approx(want, abs=1e-4)
    assert all(low < truth.scores[s] < high for s, (low, high) in truth.intervals.items())
    assert set(truth.intervals) == {"overall", 15, 4}


def test_answers_that_are_wrong_themselves_are_told(tmp_path: Path, case: tuple[Competition, FaceSet]):
    competition, faces = case
    predictions = predicted(faces, error=1.0)
    predictions.coords[6] += 25
    predictions.coords[6] -= 50 * (predictions.coords[6] > 80)  # inside the picture
    truth = written_truth(tmp_path / "off.csv", competition, predictions)
    assert truth.outliers == 1
    assert truth.without["overall"] < 1.3 < truth.scores["overall"]
    low, high = truth.intervals[faces.subset[6]]  # of every answer, too: without that face 1.3 would be beyond it
    assert low < truth.scores[faces.subset[6]] < high
    assert high > 5
    assert "; without 1 whose answers are at least 10 px off" in _true(truth)
    assert "; without" not in _true(replace(truth, outliers=0))


def test_there_is_none_without_answers(tmp_path: Path, case: tuple[Competition, FaceSet]):
    competition = replace(case[0], answers=None)
    assert written_truth(tmp_path / "some.csv", competition, predicted(case[1])) is None
