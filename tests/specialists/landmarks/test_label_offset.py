from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from solution.data.reader import read_competition
from solution.data.synthetic import DrawnSettings, write_drawn
from solution.keypoints import FACE15, POINTS
from solution.recipe import Augmentation, Optimiser
from solution.specialists.landmarks import train
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.predict import read_label_offset
from solution.specialists.training import Training
from tests.small import small_faces
from tests.tiny_recipes import BASE

PLANTED = 3.0


def test_removing_and_restoring_are_each_others_undoing():
    faces = small_faces(4, 4)
    offset = LabelOffset(np.random.default_rng(0).normal(0, 2, (2, 15)))
    bare = offset.remove(faces.coords, faces.subset)
    np.testing.assert_allclose(offset.restore(bare, faces.subset), faces.coords, atol=1e-4)
    np.testing.assert_array_equal(bare[..., 1], faces.coords[..., 1])
    np.testing.assert_allclose((faces.coords - bare)[5, POINTS[4], 0], offset.values[1, POINTS[4]], atol=1e-5)
    np.testing.assert_allclose((faces.coords - bare)[2, :, 0], np.broadcast_to(offset.values[0], 15), atol=1e-5)


def test_a_perfectly_symmetric_network_shows_the_offset():
    """Residuals as a network gives them that predicts the symmetric places: the offset, its sign turned by a mirror."""
    truth = np.array([[0.5] * 15, [1.3] * 15])
    offset = LabelOffset()
    rng = np.random.default_rng(0)
    for _ in range(8):
        subset, mirrored = rng.choice([15, 4], 64), rng.random(64) < 0.5
        left = (truth - offset.values)[(subset == 4).astype(int)]
        residual = np.where(mirrored[:, None], -left, left)
        residual[subset == 4] = np.where(np.isin(np.arange(15), POINTS[4]), residual[subset == 4], np.nan)
        offset.watch(residual, subset, mirrored)
        offset.update()
    np.testing.assert_allclose(offset.values[0], 0.5, atol=0.01)
    np.testing.assert_allclose(offset.values[1, POINTS[4]], 1.3, atol=0.01)
    assert np.abs(offset.values[1, np.setdiff1d(np.arange(15), POINTS[4])]).max() == 0


def test_a_networks_own_error_is_no_offset():
    offset = LabelOffset()
    wrong = np.random.default_rng(0).normal(0, 1, 15)
    residual, subset = np.tile(wrong, (8, 1)), np.full(8, 15)
    offset.watch(residual, subset, np.arange(8) < 4)
    offset.update()
    np.testing.assert_allclose(offset.values, offset.values[:, FACE15.mirror], atol=1e-6)
    assert np.abs(offset.values[0]).max() < 1e-6


def test_without_mirrored_pictures_nothing_is_learnt():
    offset = LabelOffset()
    offset.watch(np.full((8, 15), 2.0), np.full(8, 15), np.zeros(8, bool))
    offset.update()
    assert np.abs(offset.values).max() == 0


def test_an_absurd_label_counts_as_four_pixels():
    offset = LabelOffset()
    for mirrored, sign in ((False, 1), (True, -1)):
        offset.watch(np.full((1, 15), sign * 500.0), np.array([15]), np.array([mirrored]))
    offset.update()
    np.testing.assert_allclose(offset.values[0], 0.7 * 4, atol=1e-5)


def test_a_training_finds_the_planted_offset(tmp_path: Path):
    settings = DrawnSettings(train15=90, train4=120, test15=1, test4=1)
    write_drawn(tmp_path / "faces", settings)
    faces = read_competition(tmp_path / "faces", tmp_path / "cache").train
    coords = faces.coords.copy()
    coords[..., 0] += PLANTED
    recipe = replace(
        BASE,
        epochs=16,
        loss="huber",
        model_args={"widths": (8, 16, 16), "depth": 1, "stride": 4},
        augmentation=Augmentation(rotation=5.0, scale=0.05, shift=0.03),
        optimiser=Optimiser(lr=1e-2),
    )
    labelled = replace(faces, coords=coords)
    none = labelled.take(np.zeros(len(faces), bool))
    folder = tmp_path / "job"
    folder.mkdir()
    train.train(Training(recipe, 0, folder, labelled, none, torch.device("cpu"), {}))
    found = read_label_offset(folder).values
    assert found[0].mean() == pytest.approx(PLANTED + settings.offset15, abs=0.5)
    assert found[1, POINTS[4]].mean() == pytest.approx(PLANTED + settings.offset4, abs=0.5)
