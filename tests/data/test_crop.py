import numpy as np
import pytest

from solution.data.crop import CENTRE, Frame, aligned

FRAMES = [
    Frame(200.0, 150.0, 96.0),
    Frame(200.3, 150.8, 60.0, 0.3),
    Frame(210.0, 140.0, 180.0, -0.5),
    Frame(400.0, 300.0, 700.0, 0.2),
]


@pytest.mark.parametrize("frame", FRAMES)
def test_coordinates_come_back(frame: Frame):
    coords = np.random.default_rng(0).uniform(-50, 500, (20, 2))
    np.testing.assert_allclose(frame.to_picture(frame.from_picture(coords)), coords)
    np.testing.assert_allclose(frame.to_picture(np.full(2, CENTRE)), (frame.x, frame.y))


@pytest.mark.parametrize("frame", FRAMES)
def test_a_crop_agrees_with_the_coordinates(frame: Frame):
    for target in ((30.0, 40.0), (70.0, 25.0), (47.5, 80.0)):
        at = frame.to_picture(np.array(target))
        y, x = np.mgrid[:800, :900]
        width = 3 * frame.side / 96
        blob = 255 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 2 / width**2)
        crop = frame.crop(np.rint(blob).astype(np.uint8)).astype(float)
        y, x = np.mgrid[:96, :96]
        seen = np.array([(x * crop).sum(), (y * crop).sum()]) / crop.sum()
        np.testing.assert_allclose(seen, target, atol=0.05)


def test_a_large_face_is_averaged_not_sampled():
    stripes = np.zeros((960, 960), np.uint8)
    stripes[:, ::2] = 200
    crop = Frame(479.5, 479.5, 960.0).crop(stripes)
    assert np.abs(crop.astype(int) - 100).max() <= 1


@pytest.mark.parametrize(
    "frame", [Frame(0, 0, 300), Frame(-500, 40, 90), Frame(40, 5000, 90, 1.0), Frame(5, 5, 40000.0), Frame(3, 3, 4)]
)
def test_beyond_the_picture_its_border_is_repeated(frame: Frame):
    grey = np.full((50, 70), 123, np.uint8)
    crop = frame.crop(grey)
    assert crop.shape == (96, 96)
    assert (crop == 123).all()


def test_a_picture_of_one_pixel_has_a_crop():
    assert (Frame(0, 0, 10).crop(np.full((1, 1), 9, np.uint8)) == 9).all()


@pytest.mark.parametrize("frame", FRAMES)
def test_points_lead_back_to_their_frame(frame: Frame):
    shape = np.random.default_rng(1).uniform(10, 85, (15, 2))
    found = aligned(frame.to_picture(shape), shape)
    np.testing.assert_allclose(list(vars(found).values()), list(vars(frame).values()))


def test_alignment_is_the_best_in_least_squares():
    rng = np.random.default_rng(2)
    shape = rng.uniform(10, 85, (15, 2))
    points = FRAMES[1].to_picture(shape) + rng.normal(0, 2, (15, 2))
    best = aligned(points, shape)
    error = ((best.to_picture(shape) - points) ** 2).sum()
    for change in ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 0.02)):
        for sign in (1, -1):
            values = np.array(list(vars(best).values())) + sign * np.array(change)
            assert ((Frame(*values).to_picture(shape) - points) ** 2).sum() > error
