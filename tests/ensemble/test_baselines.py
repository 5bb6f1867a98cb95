import numpy as np
import pytest

from solution.ensemble.baselines import blend_out_of_fold, forward_selection, ridge_stack
from solution.keypoints import POINTS
from tests.small import member_stack

ROWS = 300
FOLD = np.arange(ROWS) % 5


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """Labels (N, 15, 2) of 4-keypoint rows."""
    coords = np.full((ROWS, 15, 2), np.nan, np.float32)
    coords[:, POINTS[4]] = np.random.default_rng(0).uniform(20, 75, (ROWS, 4, 2))
    return coords


def members(labels: np.ndarray, *errors: float) -> np.ndarray:
    """Specialists with independent errors of so many pixels: (M, N, 15, 2)."""
    noise = [np.random.default_rng(seed).normal(0, error, labels.shape) for seed, error in enumerate(errors, 1)]
    return np.stack([labels + n for n in noise]).astype(np.float32)


def test_forward_selection_takes_the_best_first_and_a_useless_one_last(labels):
    steps = forward_selection(member_stack(members(labels, 8, 1, 1.5), 4), labels, FOLD)
    assert [step.name for step in steps] == ["m1", "m2", "m0"]
    assert steps[1].rmse < steps[0].rmse
    assert steps[2].rmse == pytest.approx(steps[1].rmse, abs=0.02)


def test_a_specialist_that_predicts_half_the_points_cannot_be_the_first(labels):
    coords = members(labels, 0.5, 2)
    coords[0][:, POINTS[4][:2]] = np.nan
    steps = forward_selection(member_stack(coords, 4), labels, FOLD)
    assert [step.name for step in steps] == ["m1", "m0"]
    assert steps[1].rmse < steps[0].rmse


def test_blend_weights_do_not_depend_on_the_labels_of_their_fold(labels):
    stack = member_stack(members(labels, 1, 2), 4)
    changed = labels.copy()
    changed[FOLD == 3] += 5
    before, after = (blend_out_of_fold(stack, values, FOLD) for values in (labels, changed))
    np.testing.assert_array_equal(before[FOLD == 3], after[FOLD == 3])


def test_gating_applies_to_the_blend(labels):
    coords, uncertainty = members(labels, 1, 1), np.ones((2, ROWS))
    coords[0, 7] += 40
    uncertainty[0, 7] = 3
    stack = member_stack(coords, 4, uncertainty)
    blend = blend_out_of_fold(stack, labels, FOLD)
    np.testing.assert_allclose(blend[7, POINTS[4]], coords[1, 7, POINTS[4]], atol=1e-3)
    assert forward_selection(stack, labels, FOLD)[-1].rmse < 1.0


def test_ridge_learns_what_a_blend_cannot(labels):
    (first,) = members(labels, 0.5)
    second = first.copy()
    shift = np.random.default_rng(4).normal(0, 1, ROWS).astype(np.float32)
    second[:, POINTS[4][0], 0] += shift  # the second disagrees there where the first errs elsewhere
    first[:, POINTS[4][1], 1] += 2 * shift
    coords = np.stack([first, second])
    blend = coords.mean(axis=0)
    corrected = ridge_stack(member_stack(coords, 4), blend, labels, FOLD)
    assert np.nanmean((corrected - labels) ** 2) < 0.7 * np.nanmean((blend - labels) ** 2)
