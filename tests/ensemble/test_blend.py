import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from solution.ensemble.blend import BlendWeights, fit_weights
from solution.keypoints import POINTS
from tests.small import member_stack, predicted, small_faces

FACES = small_faces(80, 0)
LABELS = FACES.coords


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def members(*errors: float) -> np.ndarray:
    """Specialists with independent errors of so many pixels: (M, N, 15, 2)."""
    return np.stack([predicted(FACES, error=error, seed=seed).coords for seed, error in enumerate(errors)])


def fit(coords: np.ndarray, labels: np.ndarray = LABELS) -> BlendWeights:
    return fit_weights(member_stack(coords), labels)


def error(coords: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean((coords - LABELS) ** 2)))


def test_weights_are_shares_and_favour_the_better():
    values = fit(members(1.0, 1.5, 8.0)).values
    assert (values >= 0).all()
    np.testing.assert_allclose(values.sum(axis=0), 1.0)
    assert (values[:-1] > values[1:]).all()
    np.testing.assert_allclose(values[0] / values[1], 1.5**2, rtol=0.25)  # the best weights go with 1 / error²


def test_the_blend_is_better_than_its_best_member():
    coords = members(1.0, 1.2)
    assert error(fit(coords).apply(coords)) < 0.9 * error(coords[0])


def test_the_blend_of_one_member_is_that_member():
    coords = members(2.0)
    np.testing.assert_allclose(fit(coords).apply(coords), coords[0], rtol=1e-5)


def test_a_member_that_lacks_points_has_weight_only_where_it_predicts():
    coords = members(1.0, 1.0, 1.0)
    coords[2][:, np.setdiff1d(np.arange(15), POINTS[4])] = np.nan
    weights = fit(coords)
    np.testing.assert_allclose(weights.values.sum(axis=0), 1.0)
    assert (weights.values[2][POINTS[4]] > 0.2).all()
    assert weights.values[2].sum() == pytest.approx(weights.values[2][POINTS[4]].sum())
    assert np.isfinite(weights.apply(coords)).all()


def test_the_others_fill_a_hole_of_one_member():
    coords = members(0.1, 1.0, 1.0)
    holed = coords.copy()
    holed[0, 5:10] = np.nan
    weights = fit(holed)
    assert weights.values[0].min() > 0.8
    blend = weights.apply(holed)
    np.testing.assert_array_equal(blend[:5], weights.apply(coords)[:5])
    assert np.abs(blend[5:10] - LABELS[5:10]).max() < 5  # without scaling, the lost weight pulls it towards (0, 0)


def test_members_without_weight_fill_a_hole_of_the_only_one_with_weight():
    coords = members(0.1, 1.0, 2.0)
    coords[0, 5] = np.nan
    values = np.repeat([[1.0], [0.0], [0.0]], 15, axis=1)
    np.testing.assert_allclose(BlendWeights(values).apply(coords)[5], coords[1:, 5].mean(axis=0), rtol=1e-5)


def test_the_blend_is_nan_where_no_member_predicts():
    coords = members(1.0, 1.0)
    coords[:, :, 14] = coords[:, 3] = np.nan
    blend = fit(coords).apply(coords)
    assert np.isnan(blend[:, 14]).all()
    assert np.isnan(blend[3]).all()
    assert np.isfinite(np.delete(blend, 3, axis=0)[:, :14]).all()


def test_wrong_labels_give_no_weight_to_a_member_with_the_same_error():
    coords = members(1.0, 1.0)
    labels = LABELS.copy()
    labels[:8] += 30.0
    coords[1, :8] += 30.0
    np.testing.assert_allclose(fit(coords, labels).values, fit(coords[:, 8:], labels[8:]).values, atol=0.05)
