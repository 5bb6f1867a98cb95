"""Whoever has lost a face is left out of its blend; whoever merely disagrees is not."""

import numpy as np
import pytest

from solution.ensemble.blend import BlendWeights
from solution.ensemble.gating import FAR_APART, SURER, mask_outlier_members, relative_uncertainty

EVEN = BlendWeights(np.repeat([[0.5], [0.5], [0.0]], 15, axis=1))
FACES = 20
LOST = 7


def members(apart: float) -> np.ndarray:
    """Three specialists of one opinion, but for the second's about one face."""
    given = np.random.default_rng(0).uniform(20, 70, (1, FACES, 15, 2)).repeat(3, axis=0).astype(np.float32)
    given[1, LOST, :, 0] += apart
    return given


def uncertainty(second: float) -> np.ndarray:
    values = np.ones((3, FACES))
    values[1, LOST] = second
    return values


def test_the_surest_is_believed_where_another_lies_far_off():
    given = members(FAR_APART + 1)
    settled = mask_outlier_members(given, uncertainty(SURER), EVEN)
    assert np.isnan(settled[1, LOST]).all()
    np.testing.assert_array_equal(np.delete(settled[1], LOST, axis=0), np.delete(given[1], LOST, axis=0))
    np.testing.assert_array_equal(settled[[0, 2]], given[[0, 2]])
    np.testing.assert_allclose(EVEN.apply(settled), given[0], rtol=1e-5)


@pytest.mark.parametrize(("apart", "second"), [(FAR_APART - 1, 3.0), (FAR_APART + 1, SURER - 0.05)])
def test_nobody_is_left_out_for_less(apart: float, second: float):
    given = members(apart)
    np.testing.assert_array_equal(mask_outlier_members(given, uncertainty(second), EVEN), given)


def test_a_specialist_without_weight_is_neither_believed_nor_left_out():
    given = members(0.0)
    given[2] += 40
    sure = np.ones((3, FACES))
    sure[2] = 0.1
    np.testing.assert_array_equal(mask_outlier_members(given, sure, EVEN), given)


def test_what_the_surest_does_not_predict_is_kept():
    given = members(FAR_APART + 1)
    given[0, :, 4:] = np.nan
    settled = mask_outlier_members(given, uncertainty(SURER), EVEN)
    assert np.isnan(settled[1, LOST, :4]).all()
    assert not np.isnan(EVEN.apply(settled)).any()


def test_one_alone_and_nobody_are_left_as_they_are():
    given = members(50.0)
    alone = BlendWeights(np.repeat([[1.0], [0.0], [0.0]], 15, axis=1))
    for weights in (alone, BlendWeights(np.zeros((3, 15)))):
        np.testing.assert_array_equal(mask_outlier_members(given, uncertainty(9.0), weights), given)
    assert mask_outlier_members(given[:, :0], uncertainty(9.0)[:, :0], EVEN).shape == (3, 0, 15, 2)


def test_without_any_spread_nobody_is_surer():
    given = members(50.0)
    unknown = relative_uncertainty(np.full((3, FACES, 15), np.nan))
    np.testing.assert_array_equal(mask_outlier_members(given, unknown, EVEN), given)


def test_doubt_is_measured_by_what_is_usual_for_a_specialist():
    sigmas = np.ones((2, FACES, 15)) * np.array([1.0, 5.0])[:, None, None]
    sigmas[1, LOST] = 15.0
    sigmas[0, :, 4:] = np.nan
    expected = np.ones((2, FACES))
    expected[1, LOST] = 3.0
    np.testing.assert_allclose(relative_uncertainty(sigmas), expected)
