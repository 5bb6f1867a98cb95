import numpy as np
import pytest

from solution.keypoints import FACE15
from solution.recipe import Augmentation
from solution.specialists.landmarks.augment import Augmenter

STILL = {"mirror": False, "rotation": 0.0, "scale": 0.0, "shift": 0.0, "light": 0.0}
NOSE = FACE15.points.index("nose_tip")
LEFT_EYE, RIGHT_EYE = FACE15.points.index("left_eye_center"), FACE15.points.index("right_eye_center")
Y, X = np.mgrid[:96, :96]


def dots(count: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Dark pictures with one soft bright dot, and coords that hold it as the left eye centre alone."""
    at = np.random.default_rng(seed).uniform(30, 65, (count, 2))
    squared = (X - at[:, 0, None, None]) ** 2 + (Y - at[:, 1, None, None]) ** 2
    coords = np.full((count, FACE15.size, 2), np.nan, np.float32)
    coords[:, LEFT_EYE] = at
    return (220 * np.exp(-squared / 2 / 1.5**2)).astype(np.uint8), coords


def found(images: np.ndarray) -> np.ndarray:
    """The place of the dot in each picture, (N, 2) pixels."""
    bright = np.where(images > 25, images, 0).astype(float)
    mass = bright.sum(axis=(1, 2))
    return np.stack([(bright * X).sum(axis=(1, 2)) / mass, (bright * Y).sum(axis=(1, 2)) / mass], axis=1)


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"rotation": 30.0}, 2.0),
        ({"scale": 0.2}, 0.8),
        ({"shift": 0.1}, 2.0),
        ({"elastic": 1.5}, 0.5),
        ({"rotation": 20.0, "scale": 0.15, "shift": 0.1, "elastic": 2.0}, 3.0),
    ],
)
def test_picture_and_points_move_together(change: dict, moves: float):
    images, coords = dots()
    augment = Augmenter(Augmentation(**{**STILL, **change}))
    augment.seed(1)
    varied, points, _ = augment(images, coords)
    apart = found(varied) - points[:, LEFT_EYE]
    assert np.sqrt((apart**2).mean()) < 0.2
    assert np.abs(apart.mean(axis=0)).max() < 0.05
    assert np.sqrt(((points - coords)[:, LEFT_EYE] ** 2).sum(axis=1).mean()) > moves


def test_mirroring_swaps_the_names_and_says_which():
    images, coords = dots()
    augment = Augmenter(Augmentation(**{**STILL, "mirror": True}))
    augment.seed(1)
    varied, points, mirrored = augment(images, coords)
    assert 10 < mirrored.sum() < 50
    assert np.isnan(points[mirrored][:, LEFT_EYE]).all()
    assert np.isnan(points[~mirrored][:, RIGHT_EYE]).all()
    np.testing.assert_allclose(points[mirrored][:, RIGHT_EYE], found(varied[mirrored]), atol=0.1)
    np.testing.assert_allclose(points[mirrored][:, RIGHT_EYE, 0], 95 - coords[mirrored][:, LEFT_EYE, 0], atol=1e-3)
    np.testing.assert_array_equal(varied[~mirrored], images[~mirrored])


@pytest.mark.parametrize("elastic", [0.0, 2.0])
def test_unlabelled_points_stay_unlabelled(elastic: float):
    images, coords = dots()
    coords[:, NOSE] = (48.0, 50.0)
    coords[3, NOSE, 1] = np.nan
    augment = Augmenter(Augmentation(elastic=elastic))
    augment.seed(1)
    _, points, mirrored = augment(images, coords)
    eye = np.where(mirrored, RIGHT_EYE, LEFT_EYE)
    rows = np.arange(len(points))
    assert np.isfinite(points[rows, eye]).all()
    assert np.isnan(points[3, NOSE]).all()  # x alone would be turned as if y were 0
    assert np.isfinite(np.delete(points[:, NOSE], 3, axis=0)).all()
    assert np.isfinite(points).all(axis=2).sum() == 2 * len(points) - 1


def test_points_that_leave_the_picture_are_no_labels():
    images, coords = dots(200)
    coords[:, NOSE] = (93.0, 48.0)
    augment = Augmenter(Augmentation(**{**STILL, "shift": 0.1}))
    augment.seed(1)
    _, points, _ = augment(images, coords)
    out = np.isnan(points[:, NOSE]).any(axis=1)
    assert 40 < out.sum() < 160
    assert np.isnan(points[out][:, NOSE]).all()
    assert points[~out][:, NOSE].max() < 95.5


def test_a_seed_gives_the_same_again_and_another_seed_does_not():
    images, coords = dots(8)
    results = []
    for seed in (5, 5, 6):
        augment = Augmenter(Augmentation(elastic=1.0))
        augment(images, coords)  # what went before must not matter
        augment.seed(seed)
        results.append(augment(images, coords))
    for one, same, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)


def test_inputs_are_not_changed():
    images, coords = dots(8)
    before = images.copy(), coords.copy()
    augment = Augmenter(Augmentation(elastic=1.0))
    varied, points, _ = augment(images, coords)
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(coords, before[1])
    assert (varied.dtype, points.dtype) == (np.uint8, np.float32)
