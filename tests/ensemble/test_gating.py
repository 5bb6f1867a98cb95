"""The blend of a face leaves out a specialist that has missed the face, and keeps one that merely disagrees."""

import numpy as np
import pytest

from solution.ensemble.blend import BlendWeights
from solution.ensemble.config import CONFIG
from solution.ensemble.gating import mask_outlier_members
from solution.ensemble.members import relative_uncertainty
from tests.small import member_stack

FACES, MISSED = 20, 7
FAR, UNSURE = CONFIG.gating.distance + 1, CONFIG.gating.ratio


def weights(*values: float) -> BlendWeights:
    return BlendWeights(np.repeat(np.array(values)[:, None], 15, axis=1))


EVEN = weights(0.5, 0.5, 0.0)


def members(distance: float) -> np.ndarray:
    """Three specialists with the same predictions, except the second one's of one face."""
    coords = np.random.default_rng(0).uniform(20, 70, (1, FACES, 15, 2)).repeat(3, axis=0).astype(np.float32)
    coords[1, MISSED, :, 0] += distance
    return coords


def mask(coords: np.ndarray, second: float, blend: BlendWeights = EVEN) -> np.ndarray:
    """The masked coords where the second specialist has this relative uncertainty on that face."""
    uncertainty = np.ones((3, FACES))
    uncertainty[1, MISSED] = second
    return mask_outlier_members(member_stack(coords, uncertainty=uncertainty), blend)


def test_an_uncertain_specialist_far_from_the_surest_one_is_masked_on_that_face():
    coords = members(FAR)
    masked = mask(coords, UNSURE)
    assert np.isnan(masked[1, MISSED]).all()
    np.testing.assert_array_equal(np.delete(masked[1], MISSED, axis=0), np.delete(coords[1], MISSED, axis=0))
    np.testing.assert_array_equal(masked[[0, 2]], coords[[0, 2]])
    np.testing.assert_allclose(EVEN.apply(masked), coords[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("distance", "second", "blend"),
    [
        (FAR - 2, 3.0, EVEN),
        (FAR, UNSURE - 0.05, EVEN),
        (50.0, 9.0, weights(1, 0, 0)),
        (50.0, 9.0, weights(0, 0, 0)),
    ],
    ids=["not far", "not unsure", "one leading specialist", "no leading specialist"],
)
def test_nothing_is_masked_unless_all_conditions_hold(distance: float, second: float, blend: BlendWeights):
    coords = members(distance)
    np.testing.assert_array_equal(mask(coords, second, blend), coords)


def test_a_specialist_without_weight_neither_decides_nor_is_masked():
    coords = members(0.0)
    coords[2] += 40
    uncertainty = np.ones((3, FACES))
    uncertainty[2] = 0.1
    np.testing.assert_array_equal(mask_outlier_members(member_stack(coords, uncertainty=uncertainty), EVEN), coords)


def test_points_that_the_surest_one_does_not_predict_are_kept():
    coords = members(FAR)
    coords[0, :, 4:] = np.nan
    masked = mask(coords, UNSURE)
    assert np.isnan(masked[1, MISSED, :4]).all()
    assert not np.isnan(EVEN.apply(masked)).any()


def test_no_face_is_masked_where_there_is_none_or_where_no_sigma_is_known():
    coords = members(50.0)
    assert mask_outlier_members(member_stack(coords[:, :0]), EVEN).shape == (3, 0, 15, 2)
    unknown = relative_uncertainty(np.full((3, FACES, 15), np.nan))
    np.testing.assert_array_equal(mask_outlier_members(member_stack(coords, uncertainty=unknown), EVEN), coords)


def test_uncertainty_is_relative_to_the_specialists_usual_sigma():
    sigma = np.ones((2, FACES, 15)) * np.array([1.0, 5.0])[:, None, None]
    sigma[1, MISSED] = 15.0
    sigma[0, :, 4:] = np.nan
    expected = np.ones((2, FACES))
    expected[1, MISSED] = 3.0
    np.testing.assert_allclose(relative_uncertainty(sigma), expected)
