from pathlib import Path

import numpy as np

from solution.data.crop import Frame
from solution.deploy.photo.framing import Calibration, margins, mean_shape, picture_boxes, read_calibration
from solution.deploy.photo.landmarker import Reading
from solution.studies.faces68.train import SIGMA_FIT, fitted
from tests.deploy.photo.fakes import CALIBRATION, SHAPE


def test_it_comes_back_from_disk(tmp_path: Path):
    CALIBRATION.write(tmp_path)
    again = read_calibration(tmp_path)
    for name, value in vars(CALIBRATION).items():
        np.testing.assert_allclose(getattr(again, name), value)


def test_a_box_and_a_picture_become_frames():
    calibration = Calibration(SHAPE, (0.1, -0.2, 1.5), (0.0, 0.05, 0.6), np.ones(15), 3.0)
    frame = calibration.of_box(np.array([10.0, 20, 41, 41]))
    np.testing.assert_allclose((frame.x, frame.y, frame.side), (30 + 4.1, 40 - 8.2, 61.5))
    frame = calibration.of_picture(np.zeros((101, 201), np.uint8))
    np.testing.assert_allclose((frame.x, frame.y, frame.side), (100, 50 + 5.05, 60.6))


def test_margins_are_what_of_box_applies():
    rng = np.random.default_rng(0)
    boxes = np.column_stack([rng.uniform(0, 100, (30, 2)), *[rng.uniform(40, 90, 30)] * 2])
    calibration = Calibration(SHAPE, (0.07, 0.11, 1.3), (0, 0, 1), np.ones(15), 3.0)
    frames = [calibration.of_box(box) for box in boxes]
    boxes[0] = (0, 0, 500, 500)  # one wrong box moves no median
    np.testing.assert_allclose(margins(frames, boxes), (0.07, 0.11, 1.3), atol=1e-6)


def test_margins_of_pictures_are_what_of_picture_applies():
    images = [np.zeros(size, np.uint8) for size in ((80, 120), (150, 90), (60, 60))]
    calibration = Calibration(SHAPE, (0, 0, 1), (0.02, 0.05, 0.6), np.ones(15), 3.0)
    found = margins([calibration.of_picture(image) for image in images], picture_boxes(images))
    np.testing.assert_allclose(found, (0.02, 0.05, 0.6), atol=1e-6)


def test_the_mean_of_one_face_in_many_places_is_that_face():
    rng = np.random.default_rng(0)
    frames = [
        Frame(*rng.uniform(50, 200, 2), rng.uniform(40, 200), turn)
        for some in rng.normal(0, 0.2, 9)
        for turn in (some, -some)  # upright on the whole, as the mean is to be
    ]
    shape = mean_shape(np.stack([frame.to_picture(SHAPE) for frame in frames]), 0.72)
    low, high = shape.min(axis=0), shape.max(axis=0)
    np.testing.assert_allclose((high - low).max(), 0.72 * 96)
    np.testing.assert_allclose((low + high) / 2, 47.5)
    ratio = (high - low).max() / np.ptp(SHAPE, axis=0).max()
    np.testing.assert_allclose(shape - shape[0], (SHAPE - SHAPE[0]) * ratio, atol=0.5)


def test_two_thirds_of_the_errors_lie_within_the_fitted_deviation():
    rng = np.random.default_rng(0)
    frame, true = Frame(50, 50, 96), np.array([0.5, 1.0, 3.0] * 5)
    labels = np.tile(SHAPE, (500, 1, 1))
    readings = [
        Reading(face + rng.normal(0, true[:, None], (15, 2)), np.full(15, 2.0), frame, np.full(15, 2.0))
        for face in labels
    ]
    calibration = fitted(CALIBRATION, readings, labels)
    np.testing.assert_allclose(calibration.sigma_scale * 2.0, true, rtol=0.1)
    assert calibration.uncertainty == 2.0 * SIGMA_FIT.room
