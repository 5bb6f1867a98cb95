"""Errors by fold, subset and keypoint."""

from dataclasses import replace

import numpy as np
import pytest

from solution.evaluation.error_tables import Score, make_errors
from solution.evaluation.evaluation import Evaluation
from solution.evaluation.metrics import rmse, weighted_rmse
from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import FACE15, IN_FOUR
from tests.report.cases import WEIGHTS, only
from tests.small import predicted


def score(scores: tuple[Score, ...], name: str, subset: str, part: str = "all") -> Score:
    (only_one,) = (s for s in scores if (s.name, s.subset, s.part) == (name, subset, part))
    return only_one


def test_scores_are_the_metrics(
    evaluation: Evaluation, faces: FaceSet, table: FoldTable, oof: list[Predictions]
) -> None:
    blend, folds = oof[2].coords.astype(float), evaluation.errors.folds
    for fold in ("0", "1", "2", "all"):
        rows = np.ones(len(faces), bool) if fold == "all" else table.fold == int(fold)
        for subset in (15, 4):
            at = rows & (faces.subset == subset)
            found = score(folds, "blend", str(subset), fold)
            assert found.rmse == pytest.approx(rmse(blend[at], faces.coords[at]))
            assert (found.cells, found.coverage) == ((~np.isnan(faces.coords[at])).sum(), 1)
        want = weighted_rmse(blend[rows], faces.coords[rows], faces.subset[rows], WEIGHTS)
        assert score(folds, "blend", "weighted", fold).rmse == pytest.approx(want)
    at = faces.subset == 15
    for k, point in enumerate(FACE15.points):
        want = rmse(blend[at][:, k], faces.coords[at][:, k])
        assert score(evaluation.errors.keypoints, "blend", "15", point).rmse == pytest.approx(want)


def test_every_fold_subset_and_keypoint_has_a_score(evaluation: Evaluation) -> None:
    errors = evaluation.errors
    assert errors.names == ["unet_15", "eyes", "blend", "stack"]
    assert len(errors.folds) == 4 * 3 * 4
    assert len(errors.keypoints) == 4 * (15 + 4)
    assert {s.part for s in errors.keypoints if s.subset == "4"} == {FACE15.points[k] for k in IN_FOUR}


def test_the_order_of_rows_does_not_matter(evaluation: Evaluation, faces: FaceSet) -> None:
    at = faces.subset == 4
    want = rmse(predicted(faces, "stack", 1.2, 4).coords[at].astype(float), faces.coords[at])
    assert score(evaluation.errors.folds, "stack", "4").rmse == pytest.approx(want)


def test_a_specialist_is_scored_on_what_it_predicts(evaluation: Evaluation, faces: FaceSet) -> None:
    folds = evaluation.errors.folds
    elsewhere = score(folds, "unet_15", "4")
    assert np.isnan(elsewhere.rmse)
    assert elsewhere.coverage == 0
    assert np.isnan(score(folds, "unet_15", "weighted").rmse)
    eyes = score(folds, "eyes", "15")
    coords, at = predicted(faces, "eyes", 0.1, 2).coords.astype(float), faces.subset == 15
    assert eyes.rmse == pytest.approx(rmse(coords[at][:, IN_FOUR], faces.coords[at][:, IN_FOUR]))
    assert eyes.coverage == pytest.approx(4 / 15)
    assert eyes.cells == 12 * 8
    assert score(folds, "eyes", "weighted").coverage == pytest.approx(0.65 * 4 / 15 + 0.35)


def test_only_full_scores_compete(evaluation: Evaluation) -> None:
    best = {s.subset: s.name for s in evaluation.errors.folds if s.best and s.part == "all"}
    assert best == {"15": "unet_15", "4": "eyes", "weighted": "stack"}
    by_point = {s.part: s.name for s in evaluation.errors.keypoints if s.best and s.subset == "15"}
    assert by_point["nose_tip"] == "eyes"
    assert by_point["mouth_left_corner"] != "eyes"


def test_outliers_stay_in_the_main_score(
    evaluation: Evaluation,
    faces: FaceSet,
    table: FoldTable,
    oof: list[Predictions],
    outliers: np.ndarray,
) -> None:
    plain = make_errors(faces, table, oof, WEIGHTS, np.zeros(len(faces), bool))
    np.testing.assert_array_equal([s.rmse for s in plain.folds], [s.rmse for s in evaluation.errors.folds])
    np.testing.assert_array_equal([s.rmse for s in plain.folds], [s.rmse_without_outliers for s in plain.folds])
    at = (faces.subset == 4) & ~outliers
    found = score(evaluation.errors.folds, "blend", "4")
    assert found.rmse_without_outliers == pytest.approx(rmse(oof[2].coords[at].astype(float), faces.coords[at]))
    assert found.rmse_without_outliers != found.rmse


def test_weights_that_do_not_add_up_exactly_leave_coverage_whole(
    faces: FaceSet, table: FoldTable, oof: list[Predictions]
) -> None:
    errors = make_errors(faces, table, oof[2:], {15: 0.7, 4: 0.1 + 0.2 - 1e-16}, np.zeros(len(faces), bool))
    assert score(errors.folds, "stack", "weighted").coverage == 1


def test_predictions_of_other_faces_are_refused(faces: FaceSet, table: FoldTable, oof: list[Predictions]) -> None:
    nothing = np.zeros(len(faces), bool)
    stranger, twice = replace(oof[2], ids=oof[2].ids + 1), only(oof[2], np.array([0, 0]), IN_FOUR)
    for predictions, message in (
        ([oof[2], oof[2]], "different names"),
        ([stranger], "exactly once"),
        ([twice], "at most once"),
    ):
        with pytest.raises(ValueError, match=message):
            make_errors(faces, table, predictions, WEIGHTS, nothing)
