"""Points in a frame and back, and in a heatmap and back."""

import numpy as np
import pytest
import torch

from solution.keypoints import SIZE
from solution.studies.baselines.crops import Cropped, Whole
from solution.studies.baselines.heads import Maps, Points


def blob(x: float, y: float) -> np.ndarray:
    """A picture with a soft bright spot at (x, y)."""
    places = np.arange(SIZE)
    return (255 * np.exp(-((places - x) ** 2 + (places[:, None] - y) ** 2) / 18)).astype(np.uint8)


def centre(image: np.ndarray) -> np.ndarray:
    """The centre of a picture's brightness, in units of a picture 96 pixels wide."""
    places = np.arange(len(image))
    found = np.array([(image.sum(axis) * places).sum() / image.sum() for axis in (0, 1)])
    return (found + 0.5) * SIZE / len(image) - 0.5


@pytest.mark.parametrize("frame", [Whole(), Cropped(enlarged=250, side=227), Cropped(enlarged=120, side=100)])
def test_points_go_where_the_picture_goes(frame: Whole | Cropped):
    points = np.array([[[40.3, 52.6]], [[60.0, 44.0]], [[35.5, 61.1]]], np.float32)
    images = np.stack([blob(x, y) for x, y in points[:, 0].tolist()])
    varied, moved = frame.vary(images, points, np.random.default_rng(0))
    assert varied.shape == (3, frame.side, frame.side)
    np.testing.assert_allclose([centre(image) for image in varied.astype(float)], moved[:, 0], atol=0.1)
    still = np.array([[centre(image)] for image in frame.still(images).astype(float)])
    np.testing.assert_allclose(frame.back(still), points, atol=0.1)


def test_crops_are_cut_anywhere_and_missing_points_stay_missing():
    points = np.full((50, 2, 2), 48.0, np.float32)
    points[:, 1] = np.nan
    _, moved = Cropped().vary(np.zeros((50, SIZE, SIZE), np.uint8), points, np.random.default_rng(0))
    assert len(np.unique(moved[:, 0, 0])) > 15
    assert np.ptp(moved[:, 0]) > 8
    assert np.isnan(moved[:, 1]).all()


@pytest.mark.parametrize("size", [96, 48])
def test_maps_are_read_where_they_were_drawn(size: int):
    maps = Maps(size=size, sigma=3.0)
    points = 20 + 50 * torch.rand(40, 3, 2, generator=torch.Generator().manual_seed(0))
    drawn = maps.targets(points)
    assert drawn.shape == (40, 3, size, size)
    assert drawn.amax() <= 1
    read = maps.read(drawn)
    torch.testing.assert_close(read["arg-max"], points, atol=0.5 * 96 / size + 1e-3, rtol=0)
    torch.testing.assert_close(read["average"], points, atol=0.2 * 96 / size, rtol=0)
    assert (read["average"] - points).square().mean() < 0.3 * (read["arg-max"] - points).square().mean()


def test_a_map_without_a_peak_is_read_finitely():
    raw = -torch.rand(2, 3, 24, 24)
    read = Maps(size=24, sigma=3.0).read(raw)
    assert torch.equal(read["average"], read["arg-max"])
    assert torch.isfinite(Maps(size=24, sigma=3.0).read(torch.zeros(1, 1, 24, 24))["average"]).all()


@pytest.mark.parametrize(("output", "shape"), [(Points(), (2, 3, 2)), (Maps(size=24, sigma=3.0), (2, 3, 24, 24))])
def test_unlabelled_points_do_not_count(output: Points | Maps, shape: tuple[int, ...]):
    raw, points = torch.rand(shape), 96 * torch.rand(2, 3, 2)
    points[1, 1:] = torch.nan
    alone = [output.loss(raw[i : i + 1, k : k + 1], points[i : i + 1, k : k + 1]) for i, k in
             ((0, 0), (0, 1), (0, 2), (1, 0))]  # fmt: skip
    torch.testing.assert_close(output.loss(raw, points), torch.stack(alone).mean())
    assert output.loss(raw, torch.full_like(points, torch.nan)) == 0


def test_perfect_outputs_have_no_loss():
    points = 96 * torch.rand(2, 3, 2)
    maps = Maps(size=24, sigma=3.0)
    assert maps.loss(maps.targets(points), points) == 0
    raw = (points - 47.5) / 48
    assert Points().loss(raw, points) < 1e-10
    torch.testing.assert_close(Points().read(raw)["direct"], points)
