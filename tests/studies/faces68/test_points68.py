"""The 68-point scheme through the parts that it shares with the competition's fifteen."""

import numpy as np
import pytest
import torch

from solution import recipes
from solution.faces import FaceSet
from solution.keypoints import FACE15, FACE68, SHARED, fifteen_of, mirror
from solution.recipe import SCALES, Augmentation
from solution.specialists.landmarks.augment import Augmenter
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.landmarks.predict import QUICK, predict_with
from tests.sketches import face68, sketch

POINTS = face68() * 14 + (47.5, 34)


def faces(count: int = 4) -> FaceSet:
    images = np.repeat(sketch(POINTS, (96, 96))[None], count, axis=0)
    coords = np.repeat(POINTS[None], count, axis=0).astype(np.float32)
    return FaceSet(np.arange(count), images, coords, FACE68, np.full(count, 68, np.int8))


def test_schemas_are_found_by_name():
    assert FACE68.points == tuple(map(str, range(68)))
    assert FACE15.partners == ()


def test_partners_swap_sides_and_the_middle_stays():
    partner = FACE68.mirror
    np.testing.assert_array_equal(partner[partner], np.arange(68))
    assert np.flatnonzero(partner == np.arange(68)).tolist() == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    pairs = {
        0: 16,
        17: 26,
        21: 22,
        31: 35,
        36: 45,
        37: 44,
        39: 42,
        40: 47,
        41: 46,
        48: 54,
        49: 53,
        59: 55,
        60: 64,
        67: 65,
    }
    assert {one: partner[one] for one in pairs} == pairs


def test_a_symmetric_face_is_its_own_mirror_image():
    coords = POINTS[None]
    np.testing.assert_allclose(mirror(coords, FACE68), coords, atol=1e-9)


def test_the_fifteen_lie_where_their_names_say():
    fifteen = dict(zip(FACE15.points, fifteen_of(POINTS[None])[0], strict=True))
    assert tuple(SHARED) == FACE15.points
    np.testing.assert_allclose(fifteen["nose_tip"], POINTS[30])
    np.testing.assert_allclose(fifteen["left_eye_center"], POINTS[42:48].mean(axis=0))
    for point, (x, y) in fifteen.items():
        side = {"left": 1, "right": -1}.get(next((w for w in point.split("_") if w in ("left", "right")), ""), 0)
        assert np.sign(round(x - 47.5, 6)) == side, point
        assert ("mouth" in point) == (y > 50), point


def test_one_set_of_fifteen_mirrors_as_the_68_do():
    skewed = POINTS[None] + np.random.default_rng(0).normal(0, 2, (1, 68, 2))
    np.testing.assert_allclose(fifteen_of(mirror(skewed, FACE68)), mirror(fifteen_of(skewed)))


@pytest.mark.parametrize("scale", SCALES)
def test_the_network_answers_all_68(scale: str):
    recipe = recipes.load("unet_68").at(scale)
    net = LandmarkNet(recipe).eval()
    shown = faces(2)
    with torch.inference_mode():
        coords, sigma = net(torch.from_numpy(shown.images), torch.from_numpy(shown.subset))
    assert coords.shape == (2, 68, 2)
    assert sigma.shape == (2, 68)
    assert coords.isfinite().all()
    assert sigma.isfinite().all()


class Exact(torch.nn.Module):
    """Answers with the points of the face it is shown, mirrored where it is shown mirrored: left of it is darker."""

    def forward(self, images: torch.Tensor, subset: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        plain = torch.from_numpy(SKEWED)
        turned = torch.from_numpy(mirror(SKEWED, FACE68))
        dark_left = images[:, :, :48].float().mean((1, 2)) < images[:, :, 48:].float().mean((1, 2))
        return torch.where(dark_left[:, None, None], plain, turned).float(), torch.ones(len(images), 68)


SKEWED = (POINTS + np.random.default_rng(0).normal(0, 2, (68, 2)))[None].astype(np.float32)


def test_both_views_agree_in_the_pictures_own_points():
    shown = faces(2)
    images = shown.images.copy()
    images[:, :, :30] //= 3
    shown = FaceSet(shown.ids, images, shown.coords, FACE68, shown.subset)
    found = predict_with(Exact(), LabelOffset(schema=FACE68), shown, torch.device("cpu"), config=QUICK)
    np.testing.assert_allclose(found.coords, np.repeat(SKEWED, 2, axis=0), atol=1e-4)
    np.testing.assert_allclose(found.sigma, 1.0, atol=1e-4)


def test_augmentation_swaps_partners():
    shown = faces(40)
    still = Augmentation(rotation=0, scale=0, shift=0, light=0)
    augment = Augmenter(still, FACE68)
    augment.seed(1)
    coords = np.repeat(SKEWED, 40, axis=0)
    _, varied, flipped = augment(shown.images, coords)
    assert 5 < flipped.sum() < 35
    np.testing.assert_allclose(varied[flipped], np.repeat(mirror(SKEWED, FACE68), flipped.sum(), axis=0), atol=1e-3)
    np.testing.assert_allclose(varied[~flipped], coords[~flipped], atol=1e-3)


def test_the_mirror_offset_is_learnt_for_68_points():
    offset = LabelOffset(schema=FACE68)
    subset = np.full(200, 68, np.int8)
    mirrored = np.arange(200) % 2 == 0
    for _ in range(8):
        left = 1.5 - offset.values[0]
        offset.watch(np.where(mirrored[:, None], -left, left), subset, mirrored)
        offset.update()
    np.testing.assert_allclose(offset.values[0], 1.5, atol=0.01)
    assert (offset.values[1] == 0).all()
