import warnings

import numpy as np
import pytest

from solution.ensemble.blend import BlendWeights, fit_weights
from solution.keypoints import POINTS
from tests.small import predicted, small_faces

FACES = small_faces(80, 0)
LABELS = FACES.coords


def members(*errors: float) -> np.ndarray:
    """Specialists that err by so many pixels, each in its own way: (M, N, 15, 2)."""
    return np.stack([predicted(FACES, error=error, seed=seed).coords for seed, error in enumerate(errors)])


def error(coords: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean((coords - LABELS) ** 2)))


def test_weights_are_shares_and_favour_the_better():
    given = members(1.0, 1.5, 8.0)
    values = fit_weights(given, LABELS, 15).values
    assert (values >= 0).all()
    np.testing.assert_allclose(values.sum(axis=0), 1.0)
    assert (values[0] > values[1]).all()
    assert (values[1] > values[2]).all()
    np.testing.assert_allclose(values[0] / values[1], 1.5**2, rtol=0.25)  # the best weights go with 1 / error²


def test_the_blend_is_better_than_its_best_member():
    given = members(1.0, 1.2)
    assert error(fit_weights(given, LABELS, 15).apply(given)) < 0.9 * error(given[0])


def test_one_member_is_taken_as_it_is():
    given = members(2.0)
    np.testing.assert_allclose(fit_weights(given, LABELS, 15).apply(given), given[0], rtol=1e-5)


def test_a_member_that_lacks_points_counts_only_where_it_predicts():
    given = members(1.0, 1.0, 1.0)
    given[2][:, np.setdiff1d(np.arange(15), POINTS[4])] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights = fit_weights(given, LABELS, 15)
        blend = weights.apply(given)
    np.testing.assert_allclose(weights.values.sum(axis=0), 1.0)
    assert (weights.values[2][POINTS[4]] > 0.2).all()
    assert weights.values[2].sum() == pytest.approx(weights.values[2][POINTS[4]].sum())
    assert np.isfinite(blend).all()


def test_a_hole_of_one_member_is_filled_by_the_others():
    given = members(0.1, 1.0, 1.0)
    holed = given.copy()
    holed[0, 5:10] = np.nan
    weights = fit_weights(holed, LABELS, 15)
    assert weights.values[0].min() > 0.8
    blend = weights.apply(holed)
    np.testing.assert_array_equal(blend[:5], weights.apply(given)[:5])
    assert np.abs(blend[5:10] - LABELS[5:10]).max() < 5  # a weight lost would pull it towards (0, 0)


def test_a_hole_of_the_only_one_with_weight_is_filled_too():
    given = members(0.1, 1.0, 2.0)
    given[0, 5] = np.nan
    values = np.repeat([[1.0], [0.0], [0.0]], 15, axis=1)
    np.testing.assert_allclose(BlendWeights(values).apply(given)[5], given[1:, 5].mean(axis=0), rtol=1e-5)


def test_nobody_predicts_is_nan():
    given = members(1.0, 1.0)
    given[:, :, 14] = given[:, 3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        blend = fit_weights(given, LABELS, 15).apply(given)
    assert np.isnan(blend[:, 14]).all()
    assert np.isnan(blend[3]).all()
    assert np.isfinite(np.delete(blend, 3, axis=0)[:, :14]).all()


def test_wrong_labels_buy_no_weight():
    given = members(1.0, 1.0)
    labels = LABELS.copy()
    labels[:8] += 30.0
    given[1, :8] += 30.0  # wrong the same way
    np.testing.assert_allclose(
        fit_weights(given, labels, 15).values, fit_weights(given[:, 8:], labels[8:], 15).values, atol=0.05
    )
