import numpy as np
import pytest

from solution.ensemble.baselines import blend_out_of_fold, forward_selection, ridge_stack
from solution.keypoints import POINTS

ROWS = 300
SURE = np.ones((3, ROWS))  # nobody doubts more than another


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, np.ndarray]:
    """Labels (N, 15, 2) of 4-keypoint rows, and which fold holds each out."""
    rng = np.random.default_rng(0)
    labels = np.full((ROWS, 15, 2), np.nan, np.float32)
    labels[:, POINTS[4]] = rng.uniform(20, 75, (ROWS, 4, 2))
    return labels, np.arange(ROWS) % 5


def member(labels: np.ndarray, noise: float, seed: int) -> np.ndarray:
    return (labels + np.random.default_rng(seed).normal(0, noise, labels.shape)).astype(np.float32)


def test_forward_selection_takes_the_best_first_and_a_useless_one_last(faces):
    labels, fold = faces
    members = np.stack([member(labels, 8, 1), member(labels, 1, 2), member(labels, 1.5, 3)])
    steps = forward_selection(["useless", "good", "fair"], members, SURE[:3], labels, fold, 4)
    assert [step.name for step in steps] == ["good", "fair", "useless"]
    assert steps[1].rmse < steps[0].rmse
    assert steps[2].rmse == pytest.approx(steps[1].rmse, abs=0.02)


def test_one_that_predicts_half_the_points_may_join_but_not_begin(faces):
    labels, fold = faces
    half = member(labels, 0.5, 1)
    half[:, POINTS[4][:2]] = np.nan
    steps = forward_selection(["half", "whole"], np.stack([half, member(labels, 2, 2)]), SURE[:2], labels, fold, 4)
    assert [step.name for step in steps] == ["whole", "half"]
    assert steps[1].rmse < steps[0].rmse


def test_blend_never_learns_from_its_own_fold(faces):
    labels, fold = faces
    members = np.stack([member(labels, 1, 1), member(labels, 2, 2)])
    before = blend_out_of_fold(members, SURE[:2], labels, fold, 4)
    changed = labels.copy()
    changed[fold == 3] += 5
    after = blend_out_of_fold(members, SURE[:2], changed, fold, 4)
    np.testing.assert_array_equal(before[fold == 3], after[fold == 3])


def test_whoever_has_lost_a_face_is_left_out_of_the_blend(faces):
    labels, fold = faces
    members, uncertainty = np.stack([member(labels, 1, 1), member(labels, 1, 2)]), SURE[:2].copy()
    members[0, 7] += 40
    uncertainty[0, 7] = 3
    blend = blend_out_of_fold(members, uncertainty, labels, fold, 4)
    np.testing.assert_allclose(blend[7, POINTS[4]], members[1, 7, POINTS[4]], atol=1e-3)
    steps = forward_selection(["one", "other"], members, uncertainty, labels, fold, 4)
    assert steps[-1].rmse < 1.0


def test_ridge_learns_what_a_blend_cannot(faces):
    labels, fold = faces
    off = member(labels, 0.5, 1)
    marker = off.copy()
    shift = np.random.default_rng(4).normal(0, 1, ROWS).astype(np.float32)
    marker[:, POINTS[4][0], 0] += shift  # the second member disagrees where the first errs, the other way round
    off[:, POINTS[4][1], 1] += 2 * shift
    members = np.stack([off, marker])
    blend = members.mean(axis=0)
    corrected = ridge_stack(members, blend, labels, fold, 4)
    error = [np.nanmean((found - labels) ** 2) for found in (blend, corrected)]
    assert error[1] < 0.7 * error[0]
