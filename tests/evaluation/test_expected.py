"""What a submission should score: the point, what its interval contains, and how often the true score is in it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from solution.evaluation import expected
from solution.evaluation.expected import Expected, OutOfFold, expect
from solution.evaluation.metrics import bootstrap_interval, rmse, weighted, weighted_rmse
from solution.evaluation.outliers import is_outlier
from solution.keypoints import IN_FOUR, SUBSETS
from tests.small import predicted, small_faces

WEIGHTS = {15: 0.65, 4: 0.35}
NO_VARIANCE = {15: 0.0, 4: 0.0}
SIZES = {15: 150, 4: 250}
KINDS = ("overall", 15, 4)


def out_of_fold(
    rows15: int = 300, rows4: int = 500, wrong: tuple[int, ...] = (), error: float = 1.5, off: float = 20.0
) -> OutOfFold:
    """Small faces predicted with normal errors; the labels of `wrong` rows are `off` px off in each coordinate."""
    faces = small_faces(rows15, rows4)
    coords, labels = predicted(faces, error=error).coords.astype(float), faces.coords.astype(float)
    labels[list(wrong)] += off
    outliers = np.zeros(len(faces), bool)
    outliers[list(wrong)] = True
    return OutOfFold(coords=coords, labels=labels, subset=faces.subset, outliers=outliers)


def clean(oof: OutOfFold) -> OutOfFold:
    """Only the rows that are no outliers."""
    kept = ~oof.outliers
    return OutOfFold(
        coords=oof.coords[kept], labels=oof.labels[kept], subset=oof.subset[kept], outliers=oof.outliers[kept]
    )


def cv_of(oof: OutOfFold) -> dict[int, float]:
    """The cross-validated RMSE of each subset's rows that are no outliers."""
    kept = clean(oof)
    return {s: rmse(kept.coords[kept.subset == s], kept.labels[kept.subset == s]) for s in SUBSETS}


def width(found: Expected, kind: str | int = "overall") -> float:
    low, high = found.intervals[kind]
    return high - low


def clean_width(found: Expected, kind: str | int = "overall") -> float:
    low, high = found.without_outliers_intervals[kind]
    return high - low


def test_the_point_is_the_squared_error_of_cross_validation_less_the_pipelines_variance():
    oof = out_of_fold()
    cv = cv_of(oof)
    found = expect(oof, {15: 0.3, 4: 0.5}, SIZES, WEIGHTS)
    assert found.scores[15] == pytest.approx(math.sqrt(cv[15] ** 2 - 0.3))
    assert found.scores[4] == pytest.approx(math.sqrt(cv[4] ** 2 - 0.5))
    assert found.scores["overall"] == pytest.approx(weighted({s: found.scores[s] for s in SUBSETS}, WEIGHTS))
    alone = expect(oof, NO_VARIANCE, SIZES, WEIGHTS)
    want = weighted_rmse(oof.coords, oof.labels, oof.subset, WEIGHTS)
    assert alone.scores["overall"] == pytest.approx(want)


def test_without_outliers_both_figures_agree():
    found = expect(out_of_fold(), {15: 0.1, 4: 0.2}, SIZES, WEIGHTS)
    assert found.scores == found.without_outliers
    assert set(found.intervals) == set(KINDS)


def test_a_wrong_label_is_possible_where_no_training_row_has_one():
    found = expect(out_of_fold(), {15: 0.1, 4: 0.2}, SIZES, WEIGHTS)
    for kind in KINDS:
        low, high = found.without_outliers_intervals[kind]
        assert found.intervals[kind][0] == pytest.approx(low, rel=0.01)
        assert found.intervals[kind][1] > high


def test_farther_outliers_have_a_longer_tail():
    near, far = (expect(out_of_fold(wrong=(3, 77, 150), off=off), NO_VARIANCE, SIZES, WEIGHTS) for off in (12.0, 40.0))
    assert far.intervals["overall"][1] > near.intervals["overall"][1]


def test_outliers_are_pooled_over_both_subsets():
    """Three wrong labels in the 15-keypoint rows are as likely in the test's 4-keypoint rows."""
    oof = out_of_fold(wrong=(3, 77, 150))
    cv = cv_of(oof)
    found = expect(oof, {15: 0.3, 4: 0.5}, SIZES, WEIGHTS)
    squares = np.nanmean((oof.coords - oof.labels)[oof.outliers] ** 2, axis=(1, 2))
    assert squares == pytest.approx([400] * 3, rel=0.1)
    added = 3 / 800 * squares.mean()
    for s, variance in ((15, 0.3), (4, 0.5)):
        assert found.without_outliers[s] == pytest.approx(math.sqrt(cv[s] ** 2 - variance))
        assert found.scores[s] ** 2 == pytest.approx(cv[s] ** 2 - variance + added)
    elsewhere = expect(out_of_fold(wrong=(3, 400, 700)), {15: 0.3, 4: 0.5}, SIZES, WEIGHTS)
    for s in SUBSETS:
        assert elsewhere.scores[s] == pytest.approx(found.scores[s], rel=0.02)


def test_intervals_contain_the_point():
    for wrong in ((), (3, 77, 400)):
        found = expect(out_of_fold(wrong=wrong), {15: 0.1, 4: 0.2}, SIZES, WEIGHTS)
        for kind in KINDS:
            low, high = found.intervals[kind]
            assert low < found.scores[kind] < high
            low, high = found.without_outliers_intervals[kind]
            assert low < found.without_outliers[kind] < high


def test_wrong_labels_widen_the_interval_upwards():
    oof = out_of_fold(wrong=(3, 77, 400))
    found = expect(oof, NO_VARIANCE, SIZES, WEIGHTS)
    for kind in KINDS:
        (low, high), (clean_low, clean_high) = found.intervals[kind], found.without_outliers_intervals[kind]
        assert abs(low - clean_low) < 0.1  # a test file may have none of them
        assert high - clean_high > 0.2
    assert found.without_outliers == pytest.approx(expect(clean(oof), NO_VARIANCE, SIZES, WEIGHTS).scores)


def test_a_smaller_test_file_has_the_wider_interval():
    oof = out_of_fold(wrong=(3, 77, 400))
    large, small = (expect(oof, NO_VARIANCE, sizes, WEIGHTS) for sizes in ({15: 600, 4: 1000}, {15: 60, 4: 100}))
    for kind in KINDS:
        assert width(small, kind) > 1.5 * width(large, kind)
    assert small.scores == large.scores


def test_an_endless_test_file_still_has_the_chance_of_the_training_rows():
    """So it is as wide as that of cross-validation, and wider by the root of 2 where both files are as large."""
    oof = out_of_fold()
    low, high = bootstrap_interval(oof.coords, oof.labels, oof.subset, WEIGHTS)
    endless = expect(oof, NO_VARIANCE, {15: 10**7, 4: 10**7}, WEIGHTS)
    assert clean_width(endless) == pytest.approx(high - low, rel=0.1)
    same = expect(oof, NO_VARIANCE, {15: 300, 4: 500}, WEIGHTS)
    assert clean_width(same) == pytest.approx(math.sqrt(2) * (high - low), rel=0.15)


def test_errors_that_neighbours_share_widen_the_interval_of_4_keypoint_rows():
    oof = out_of_fold(rows15=1600, rows4=1600)
    shared = np.repeat(np.linspace(-1.5, 1.5, 16)[np.random.default_rng(0).permutation(16)], 100)
    for s in SUBSETS:
        rows = oof.subset == s
        oof.coords[rows] = oof.labels[rows] + 1 + shared[:, None, None]
        oof.coords[rows] = np.where(np.isnan(oof.coords[rows]), 48, oof.coords[rows])
    found = expect(oof, NO_VARIANCE, {15: 400, 4: 400}, WEIGHTS)
    assert clean_width(found, 4) > 3 * clean_width(found, 15)


def test_a_variance_above_the_error_gives_no_score_below_0():
    found = expect(out_of_fold(), {15: 100.0, 4: 0.0}, SIZES, WEIGHTS)
    assert found.scores[15] == 0
    assert found.without_outliers_intervals[15] == (0, 0)
    assert found.scores["overall"] > 0


@pytest.mark.parametrize("absent", SUBSETS)
def test_a_subset_without_rows_has_no_figure(absent: int):
    whole = out_of_fold(wrong=(3, 400))
    kept = whole.subset != absent
    oof = OutOfFold(
        coords=whole.coords[kept], labels=whole.labels[kept], subset=whole.subset[kept], outliers=whole.outliers[kept]
    )
    there = 19 - absent
    only = expect(oof, NO_VARIANCE, {**SIZES, absent: 0}, {there: 1.0, absent: 0.0})
    assert math.isnan(only.scores[absent])
    assert math.isnan(only.without_outliers[absent])
    assert only.scores["overall"] == only.scores[there]
    assert set(only.intervals) == set(only.without_outliers_intervals) == {"overall", there}
    assert only.intervals["overall"] == only.intervals[there]
    asked = expect(oof, NO_VARIANCE, SIZES, WEIGHTS)  # the test file asks for what no training row shows
    assert math.isnan(asked.scores["overall"])
    assert set(asked.intervals) == {there}


def test_a_subset_of_no_test_picture_has_a_figure_and_no_interval():
    oof = out_of_fold()
    found = expect(oof, NO_VARIANCE, {15: 150, 4: 0}, {15: 1.0, 4: 0.0})
    assert found.scores[4] == pytest.approx(cv_of(oof)[4])
    assert set(found.intervals) == {"overall", 15}
    nothing = expect(oof, NO_VARIANCE, {15: 0, 4: 0}, WEIGHTS)
    assert nothing.intervals == nothing.without_outliers_intervals == {}
    assert nothing.scores["overall"] > 1


def test_rows_without_a_label_count_nothing():
    oof = out_of_fold()
    bare = OutOfFold(
        coords=np.concatenate([oof.coords, np.full((50, 15, 2), 48.0)]),
        labels=np.concatenate([oof.labels, np.full((50, 15, 2), np.nan)]),
        subset=np.concatenate([oof.subset, np.full(50, 4)]),
        outliers=np.concatenate([oof.outliers, np.zeros(50, bool)]),
    )
    assert expect(bare, NO_VARIANCE, SIZES, WEIGHTS) == expect(oof, NO_VARIANCE, SIZES, WEIGHTS)


def test_a_labelled_row_without_a_prediction_is_refused():
    oof = out_of_fold()
    oof.coords[5, 0, 0] = np.nan
    with pytest.raises(ValueError, match="no prediction"):
        expect(oof, NO_VARIANCE, SIZES, WEIGHTS)


TRAIN, TEST = {15: 800, 4: 4000}, {15: 300, 4: 1000}
VARIANCE = {15: 0.2, 4: 0.3}
WRONG = 1 / 400
"""Share of the rows with a wrong label; the competition's own training file has 1 in 1,200."""


@dataclass
class World:
    """Labelled rows and a test file of one kind of labellers, drawn anew for each seed."""

    oof: OutOfFold
    truth: Mapping[str | int, float]
    truth_without: Mapping[str | int, float]


def world(seed: int) -> World:
    """15-keypoint rows err each alone. 4-keypoint rows also have an error that 60 neighbours share. A fold's pipeline
    errs by VARIANCE more than the mean of all pipelines, whose errors are the test file's.
    """
    rng = np.random.default_rng(seed)
    train = {s: errors(rng, s, TRAIN[s]) + rng.normal(0, math.sqrt(VARIANCE[s]), (TRAIN[s], 15, 2)) for s in SUBSETS}
    test = {s: errors(rng, s, TEST[s]) for s in SUBSETS}
    coords = np.concatenate([train[s] for s in SUBSETS])
    labels = np.zeros_like(coords)
    subset = np.repeat(SUBSETS, [TRAIN[s] for s in SUBSETS])
    labels[np.ix_(subset == 4, np.setdiff1d(np.arange(15), IN_FOUR))] = np.nan
    labels += wrong_by(rng, len(labels))
    oof = OutOfFold(coords=coords, labels=labels, subset=subset, outliers=is_outlier(coords, labels))
    test[4] = test[4][:, list(IN_FOUR)]
    without = {s: math.sqrt(np.mean(test[s] ** 2)) for s in SUBSETS}
    every = {s: math.sqrt(np.mean((test[s] + wrong_by(rng, TEST[s])) ** 2)) for s in SUBSETS}
    found = [{"overall": weighted(scores, WEIGHTS), **scores} for scores in (every, without)]
    return World(oof, *found)


def errors(rng: np.random.Generator, subset: int, rows: int) -> np.ndarray:
    """(rows, 15, 2) px."""
    own = rng.normal(0, 1, (rows, 15, 2)) * rng.lognormal(0, 0.3, (rows, 1, 1))
    if subset == 15:
        return own
    start = rng.integers(0, 60)
    return own + np.repeat(rng.normal(0, 1.0, (rows // 60 + 2, 15, 2)), 60, axis=0)[start : start + rows]


def wrong_by(rng: np.random.Generator, rows: int) -> np.ndarray:
    """How far each row's labels are off, (rows, 1, 1) px: 0 but for a few."""
    return np.where(rng.random((rows, 1, 1)) < WRONG, rng.uniform(12, 30, (rows, 1, 1)), 0.0)


SEEDS = 60


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [world(seed) for seed in range(SEEDS)]


def test_the_true_score_is_inside_as_often_as_the_interval_says(worlds: list[World]):
    inside, inside_without = (dict.fromkeys(KINDS, 0) for _ in range(2))
    off = []
    for made in worlds:
        found = expect(made.oof, VARIANCE, TEST, WEIGHTS)
        for kind in KINDS:
            low, high = found.intervals[kind]
            inside[kind] += low <= made.truth[kind] <= high
            low, high = found.without_outliers_intervals[kind]
            inside_without[kind] += low <= made.truth_without[kind] <= high
        off.append(found.scores["overall"] ** 2 - made.truth["overall"] ** 2)
    assert min(inside.values()) >= 0.88 * SEEDS, inside
    assert min(inside_without.values()) >= 0.88 * SEEDS, inside_without
    assert abs(np.mean(off)) < 3 * np.std(off) / math.sqrt(SEEDS)  # and the point is not off to one side


def test_an_interval_over_a_few_rows_would_miss_it_too_often(worlds: list[World], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(expected, "SECTIONS", {15: 1, 4: 3})
    inside = 0
    for made in worlds:
        low, high = expect(made.oof, VARIANCE, TEST, WEIGHTS).without_outliers_intervals[4]
        inside += low <= made.truth_without[4] <= high
    assert inside < 0.75 * SEEDS, inside
