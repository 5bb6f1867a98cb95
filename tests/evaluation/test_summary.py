"""The headline figures, and the true score where the answers are known."""

from dataclasses import replace

import numpy as np
import pytest

from solution.data.competition import Competition
from solution.evaluation.expected import OutOfFold, expect
from solution.evaluation.metrics import bootstrap_interval, weighted_rmse
from solution.evaluation.summary import (
    FIGURES,
    Summary,
    Truth,
    Validation,
    intervals_of,
    scores_of,
    summarise,
    truth_of,
)
from solution.faces import FaceSet, Predictions
from solution.kaggle.submission import locations_of
from tests.small import predicted, small_competition, small_faces

WEIGHTS, SIZES, VARIANCE = {15: 0.65, 4: 0.35}, {15: 6, 4: 10}, {15: 0.1, 4: 0.2}
FACES = small_faces(12, 12)
COORDS = predicted(FACES, "stack", 1.2, 4).coords.astype(float)
KEPT = ~np.isin(FACES.ids, [2, 15])
OOF = OutOfFold(coords=COORDS, labels=FACES.coords, subset=FACES.subset, outliers=~KEPT)


def summary_of(oof: OutOfFold = OOF) -> Summary:
    return summarise("final", Validation(oof=oof, variance=VARIANCE, sizes=SIZES, weights=WEIGHTS), disagreeing=1)


def test_every_figure_has_scores_by_subset():
    summary = summary_of()
    assert [figure.key for figure in summary.figures] == [kind.key for kind in FIGURES]
    assert (summary.name, summary.outliers, summary.disagreeing) == ("final", 2, 1)
    for figure in summary.figures:
        assert set(figure.scores) == {"overall", 15, 4}
        for kind, (low, high) in figure.intervals.items():
            assert low < figure.scores[kind] < high


def test_cross_validated_figures_are_the_metrics():
    summary = summary_of()
    for key, rows in (("cv", np.ones(len(FACES), bool)), ("cv_without_outliers", KEPT)):
        arrays = COORDS[rows], FACES.coords[rows], FACES.subset[rows], WEIGHTS
        assert summary[key].scores["overall"] == pytest.approx(weighted_rmse(*arrays))
        assert summary[key].intervals["overall"] == pytest.approx(bootstrap_interval(*arrays))
        assert set(summary[key].intervals) == {"overall", 15, 4}
    assert summary["cv"].intervals != summary["cv_without_outliers"].intervals


def test_the_expected_figures_have_the_variance_and_sizes_of_the_test_file():
    summary, want = summary_of(), expect(OOF, VARIANCE, SIZES, WEIGHTS)
    expected, without = summary["expected"], summary["expected_without_outliers"]
    assert (expected.scores, expected.intervals) == (want.scores, want.intervals)
    assert (without.scores, without.intervals) == (want.without_outliers, want.without_outliers_intervals)
    assert without.scores[4] ** 2 == pytest.approx(summary["cv_without_outliers"].scores[4] ** 2 - 0.2)


def test_the_median_picture_is_the_middle_one_of_each_subset():
    errors, part = np.arange(1.0, 25.0), np.tile([True, False], 12)
    oof = replace(OOF, coords=FACES.coords + errors[:, None, None], outliers=part)
    median = summary_of(oof)["median_without_outliers"]
    assert median.scores[15] == pytest.approx(np.median(errors[:12][~part[:12]]), abs=1)
    assert median.scores[4] == pytest.approx(np.median(errors[12:][~part[12:]]), abs=1)
    assert median.scores["overall"] == pytest.approx(10)  # 65 % of the cells are in the 15-keypoint rows
    assert median.intervals == {}


def test_predictions_with_holes_are_refused():
    coords = COORDS.copy()
    coords[3] = np.nan
    with pytest.raises(ValueError, match="no prediction"):
        summary_of(replace(OOF, coords=coords))


def test_a_subset_without_a_labelled_cell_has_no_figure():
    labels = np.where((FACES.subset == 4)[:, None, None], np.nan, FACES.coords)
    arrays = FACES.coords + 1, labels, FACES.subset, {15: 1.0, 4: 0.0}, np.ones(len(FACES), bool)
    scores = scores_of(*arrays)
    assert scores["overall"] == pytest.approx(1.0)
    assert np.isnan(scores[4])
    assert set(intervals_of(*arrays)) == {"overall", 15}


@pytest.fixture
def case() -> tuple[Competition, FaceSet]:
    return small_competition()


def truth(competition: Competition, predictions: Predictions) -> Truth | None:
    """The truth of predictions with the numbers that a submission has."""
    return truth_of(competition.at_points(locations_of(competition, predictions)), competition)


def test_the_true_score_is_pooled_over_cells(case: tuple[Competition, FaceSet]):
    competition, faces = case
    predictions = predicted(faces)
    predictions.coords[faces.subset == 15] += 1  # 3 pictures of 30 cells
    predictions.coords[faces.subset == 4] += 2  # 5 pictures of 8 cells
    true = truth(competition, predictions)
    assert true.scores[15] == pytest.approx(1, abs=1e-4)
    assert true.scores[4] == pytest.approx(2, abs=1e-4)
    assert true.scores["overall"] == pytest.approx(np.sqrt((90 * 1 + 40 * 4) / 130), abs=1e-4)
    assert (true.outliers, true.without) == (0, true.scores)


def test_its_intervals_are_over_sections_of_pictures(case: tuple[Competition, FaceSet]):
    competition, faces = case
    predictions = predicted(faces, error=1.5)
    true = truth(competition, predictions)
    want = bootstrap_interval(predictions.coords, faces.coords, faces.subset, competition.weights)
    assert true.intervals["overall"] == pytest.approx(want, abs=1e-4)
    assert all(low < true.scores[s] < high for s, (low, high) in true.intervals.items())
    assert set(true.intervals) == {"overall", 15, 4}


def test_answers_that_are_wrong_are_counted(case: tuple[Competition, FaceSet]):
    competition, faces = case
    predictions = predicted(faces, error=1.0)
    predictions.coords[6] += 25
    predictions.coords[6] -= 50 * (predictions.coords[6] > 80)  # inside the picture
    true = truth(competition, predictions)
    assert true.outliers == 1
    assert true.without["overall"] < 1.3 < true.scores["overall"]
    low, high = true.intervals[faces.subset[6]]
    assert low < true.scores[faces.subset[6]] < high
    assert high > 5


def test_there_is_no_true_score_without_answers(case: tuple[Competition, FaceSet]):
    assert truth(replace(case[0], answers=None), predicted(case[1])) is None
