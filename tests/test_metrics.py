import math
import warnings

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error

from solution.metrics import (
    bootstrap_interval,
    paired_difference,
    pooled,
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


def test_a_hole_is_an_error_not_a_better_score():
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


def test_the_interval_holds_the_figure_and_narrows_with_more_pictures():
    widths = []
    for rows in (30, 300):
        faces = small_faces(rows, rows)
        coords = predicted(faces, error=2.0).coords
        low, high = bootstrap_interval(coords, faces.coords, faces.subset, BOTH)
        assert low < weighted_rmse(coords, faces.coords, faces.subset, BOTH) < high
        widths.append(high - low)
    assert 2 < widths[0] / widths[1] < 5  # about the root of ten


def test_paired_differences_know_the_better_one():
    faces = small_faces(60, 60)
    good, bad = (predicted(faces, error=e, seed=1).coords for e in (1.0, 1.1))
    point, low, high = paired_difference(good, bad, faces.coords, faces.subset, BOTH)
    assert point == pytest.approx(
        weighted_rmse(good, faces.coords, faces.subset, BOTH) - weighted_rmse(bad, faces.coords, faces.subset, BOTH)
    )
    assert low < point < high < 0
    assert high - low < 0.02  # the same errors but for a factor: pairing takes the pictures' own luck out


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
