import math
import warnings

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error

from solution.evaluation.metrics import (
    BOOTSTRAPS,
    FEWEST_SECTIONS,
    SECTIONS,
    bootstrap_interval,
    interval,
    paired_difference,
    pooled,
    resampled_means,
    rmse,
    weighted,
    weighted_rmse,
)
from tests.small import predicted, small_faces

BOTH = {15: 0.65, 4: 0.35}


def holed(rows: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and labels, most labels missing beyond the first five points."""
    rng = np.random.default_rng(seed)
    labels = rng.uniform(0, 95, (rows, 15, 2))
    labels[rng.random((rows, 15)) < np.where(np.arange(15) < 5, 0.05, 0.7)] = np.nan
    return np.nan_to_num(labels, nan=50.0) + rng.standard_normal(labels.shape) * np.arange(1, 16)[:, None], labels


def test_rmse_pools_all_cells():
    coords, labels = holed()
    errors = [
        (coords[i, k, axis] - labels[i, k, axis]) ** 2
        for i in range(len(labels))
        for k in range(15)
        for axis in range(2)
        if not math.isnan(labels[i, k, axis])
    ]
    assert rmse(coords, labels) == pytest.approx(math.sqrt(sum(errors) / len(errors)))


def test_the_mean_over_columns_is_another_figure():
    coords, labels = holed()
    columns = []
    for k in range(15):
        known = ~np.isnan(labels[:, k, 0])
        columns.append(root_mean_squared_error(labels[known, k], coords[known, k]))
    assert abs(rmse(coords, labels) - np.mean(columns)) > 0.3


def test_rmse_of_nothing_is_not_a_number():
    assert math.isnan(pooled(np.full((2, 15, 2), np.nan)))


def test_a_missing_prediction_is_an_error_and_no_better_score():
    coords, labels = holed()
    row, point, axis = np.argwhere(~np.isnan(labels))[0]
    coords[row, point, axis] = np.nan
    with pytest.raises(ValueError, match="1 labelled cells have no prediction"):
        rmse(coords, labels)


def test_weighting_is_over_squares_and_skips_a_subset_of_no_weight():
    assert weighted({15: 3.0, 4: 4.0}, {15: 0.5, 4: 0.5}) == pytest.approx(math.sqrt(12.5))
    assert weighted({15: 3.0, 4: math.nan}, {15: 1.0, 4: 0.0}) == 3.0


def test_with_weights_of_the_cells_the_weighted_figure_is_the_pooled_one():
    faces = small_faces(20, 30)
    coords = predicted(faces, error=2.0).coords
    cells = {s: (~np.isnan(faces.coords[faces.subset == s])).sum() for s in (15, 4)}
    weights = {s: n / sum(cells.values()) for s, n in cells.items()}
    assert weighted_rmse(coords, faces.coords, faces.subset, weights) == pytest.approx(rmse(coords, faces.coords))


def test_the_interval_contains_the_figure_and_is_narrower_with_more_pictures():
    widths = []
    for rows in (30, 300):
        faces = small_faces(rows, rows)
        coords = predicted(faces, error=2.0).coords
        low, high = bootstrap_interval(coords, faces.coords, faces.subset, BOTH)
        assert low < weighted_rmse(coords, faces.coords, faces.subset, BOTH) < high
        widths.append(high - low)
    assert 2 < widths[0] / widths[1] < 5  # about the root of ten


def test_paired_differences_show_the_better_one():
    faces = small_faces(60, 60)
    good, bad = (predicted(faces, error=e, seed=1).coords for e in (1.0, 1.1))
    point, low, high = paired_difference(good, bad, faces.coords, faces.subset, BOTH)
    assert point == pytest.approx(
        weighted_rmse(good, faces.coords, faces.subset, BOTH) - weighted_rmse(bad, faces.coords, faces.subset, BOTH)
    )
    assert low < point < high < 0
    assert high - low < 0.02  # the same errors but for a factor: pairing removes what is common to both


def test_one_subset_alone_has_an_interval_without_a_warning():
    faces = small_faces(30, 0)
    coords, other = predicted(faces, error=2.0).coords, predicted(faces, error=2.0, seed=1).coords
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = {15: 1.0, 4: 0.0}
        found = [
            *bootstrap_interval(coords, faces.coords, faces.subset, alone),
            *paired_difference(coords, other, faces.coords, faces.subset, alone),
        ]
    assert np.isfinite(found).all()


def row_cells(values: np.ndarray) -> np.ndarray:
    """One cell for each row: (N, 1, 1)."""
    return values[:, None, None].astype(float)


def drawn_means(values: np.ndarray, section: int = 1, size: int | None = None, seed: int = 0) -> np.ndarray:
    return resampled_means(row_cells(values), np.random.default_rng(seed), section, size)


def in_stretches(rows: int, stretch: int, seed: int = 0) -> np.ndarray:
    """One value for each row, the same over `stretch` neighbouring rows."""
    levels = np.random.default_rng(seed).normal(0, 1, -(-rows // stretch))
    return np.repeat(levels, stretch)[:rows]


def test_where_neighbours_err_together_sections_give_the_wider_interval():
    values = in_stretches(4000, 100)
    by_row, by_section = (drawn_means(values, section).std() for section in (1, 300))
    assert by_row == pytest.approx(values.std() / np.sqrt(4000), rel=0.1)
    assert by_section > 5 * by_row  # 40 independent stretches: 10 times, less what sections cut through


def test_where_rows_err_alone_sections_change_little():
    values = np.random.default_rng(1).normal(0, 1, 4000)
    by_row, by_section = (drawn_means(values, section).std() for section in (1, 20))
    assert by_section == pytest.approx(by_row, rel=0.2)


def test_an_interval_over_sections_contains_the_true_figure_as_often_as_it_says():
    """Rows whose errors are alike over 25 of them: an interval over single rows would promise far too much."""
    seeds, over_sections, over_rows = 60, 0, 0
    for seed in range(seeds):
        values = in_stretches(1500, 25, seed)
        low, high = interval(drawn_means(values, 75))
        over_sections += low < 0 < high
        over_rows += abs(values.mean()) < 1.96 * values.std() / np.sqrt(len(values))
    assert over_sections >= 0.85 * seeds
    assert over_rows < 0.5 * seeds


def test_sections_are_shorter_where_a_file_has_too_few_of_them():
    values = in_stretches(80, 10)
    np.testing.assert_array_equal(drawn_means(values, 300), drawn_means(values, 80 // FEWEST_SECTIONS))
    assert np.isfinite(drawn_means(values[:3], 300)).all()  # fewer rows than sections: single rows
    np.testing.assert_array_equal(drawn_means(values[:3], 300), drawn_means(values[:3], 1))


def test_the_same_draws_are_used_for_paired_figures():
    """A constant between two figures stays the same in every draw, since both see the same sections."""
    values = in_stretches(1000, 30)
    apart = drawn_means(values + 0.25, 100) - drawn_means(values, 100)
    np.testing.assert_allclose(apart, 0.25, atol=1e-9)
    assert drawn_means(values, 100, seed=1) != pytest.approx(drawn_means(values, 100), abs=1e-3)


def test_fewer_rows_drawn_than_there_are_give_a_wider_interval():
    values = in_stretches(4000, 20)
    widths = [np.subtract(*interval(drawn_means(values, 40, size))[::-1]) for size in (None, 1000, 250)]
    assert widths[1] / widths[0] == pytest.approx(2, rel=0.15)
    assert widths[2] / widths[0] == pytest.approx(4, rel=0.15)
    assert np.isfinite(drawn_means(values, 40, 0)).all()  # at least one row is drawn


def test_the_last_section_fills_what_is_left():
    """25 rows in sections of 10: two whole ones and 5 rows of a third, whatever they are."""
    rows = np.arange(100)
    means = drawn_means(rows, 10, 25)
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 100, size=(BOOTSTRAPS, 3))
    taken = (starts[:, :, None] + np.arange(10)).reshape(BOOTSTRAPS, 30)[:, :25] % 100
    np.testing.assert_allclose(means, taken.mean(axis=1))


def test_each_row_is_as_likely_as_any_other():
    """The file is a circle: the first and the last row are in as many sections as one in the middle."""
    for row in (0, 1, 50, 99):
        alone = np.where(np.arange(100) == row, 1.0, 0.0)
        assert drawn_means(alone, 10).mean() == pytest.approx(0.01, rel=0.1)
    values = np.random.default_rng(2).normal(3, 1, 1000)
    assert drawn_means(values, 100).mean() == pytest.approx(values.mean(), abs=0.01)


def test_missing_cells_count_nothing_in_a_draw():
    cells = row_cells(np.arange(200.0))
    cells[100:] = np.nan
    means = resampled_means(cells, np.random.default_rng(0), 10)
    assert means.mean() == pytest.approx(49.5, abs=1.5)


def test_an_interval_leaves_a_fortieth_on_either_side():
    assert interval(np.arange(2001.0)) == pytest.approx((50, 1950))


def test_neighbouring_4_keypoint_rows_are_resampled_together():
    """The same errors in both subsets: only the interval of the 4-keypoint rows contains the luck of sections."""
    assert SECTIONS[15] == 1 < SECTIONS[4]
    errors = 1 + 0.5 * in_stretches(3000, 150)
    labels = np.zeros((3000, 15, 2))
    coords = np.broadcast_to(errors[:, None, None], labels.shape).copy()
    width = {}
    for subset in (15, 4):
        low, high = bootstrap_interval(
            coords, labels, np.full(3000, subset), {one: float(one == subset) for one in (15, 4)}
        )
        width[subset] = high - low
    assert width[4] > 4 * width[15]
