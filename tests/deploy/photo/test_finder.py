from collections.abc import Iterator

import cv2
import numpy as np

from solution.data.crop import Frame
from solution.deploy.photo.detector import DetectorConfig, HaarDetector
from solution.deploy.photo.finder import FaceFinder, is_near, is_same
from tests.deploy.photo.fakes import DiscDetector, DiscReader, finder, picture, points_of


class Boxes:
    """Gives these batches and counts how many were asked for."""

    def __init__(self, *batches: list[tuple[float, float, float, float]]) -> None:
        self.batches, self.asked = batches, 0

    def find(self, grey: np.ndarray) -> Iterator[np.ndarray]:
        for batch in self.batches:
            self.asked += 1
            yield np.array(batch, float).reshape(-1, 4)


def grey(*discs: tuple[float, float, float]) -> np.ndarray:
    return cv2.cvtColor(picture(*discs), cv2.COLOR_BGR2GRAY)


def test_every_face_is_read_the_largest_first():
    faces = finder().find(grey((80, 90, 20), (220, 120, 35)))
    assert len(faces) == 2
    for face, disc in zip(faces, ((220, 120, 35), (80, 90, 20)), strict=True):
        np.testing.assert_allclose(face.reading.coords, points_of(*disc), atol=0.7)


def test_no_face_is_no_face():
    assert finder().find(grey()) == []


def test_a_box_without_a_face_is_thrown_out():
    boxes = Boxes([(60, 70, 41, 41), (200, 20, 40, 40)])
    faces = FaceFinder(boxes, DiscReader()).find(grey((80, 90, 20)))
    assert [face.box.tolist() for face in faces] == [[60, 70, 41, 41]]


def test_a_box_whose_points_wandered_off_is_thrown_out():
    far = Boxes([(100, 70, 41, 41)])  # the disc touches its frame, and lies elsewhere
    assert FaceFinder(far, DiscReader()).find(grey((80, 90, 20))) == []


def test_two_boxes_of_one_face_are_one():
    twice = Boxes([(60, 70, 41, 41), (62, 72, 41, 41)])
    assert len(FaceFinder(twice, DiscReader()).find(grey((80, 90, 20)))) == 1


def test_later_batches_are_asked_for_only_without_a_face():
    boxes = Boxes([(200, 20, 40, 40)], [(60, 70, 41, 41)], [(0, 0, 10, 10)])
    assert len(FaceFinder(boxes, DiscReader()).find(grey((80, 90, 20)))) == 1
    assert boxes.asked == 2


def test_a_labelled_picture_is_read_where_it_is_doubted_least():
    shot = grey((80, 90, 20))
    for boxes in (Boxes([(200, 20, 40, 40)]), Boxes([]), Boxes()):
        reading = FaceFinder(boxes, DiscReader()).read_whole(shot)
        np.testing.assert_allclose(reading.coords, points_of(80, 90, 20), atol=0.7)


def test_near_and_same():
    one = Frame(100, 100, 50)
    assert is_near(one, Frame(120, 100, 60))
    assert not is_near(one, Frame(140, 100, 60))
    assert not is_near(one, Frame(100, 100, 101))
    assert is_same(one, Frame(110, 100, 50))
    assert not is_same(one, Frame(130, 100, 50))


class Cascade:
    """Sees the bright thing in what it is shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, ...]] = []

    def detectMultiScale(self, image: np.ndarray, scale: float, neighbours: int, minSize: tuple) -> np.ndarray:  # noqa: N802, N803
        self.shown.append(image.shape)
        return next(DiscDetector().find(image))


def test_boxes_are_in_the_pictures_own_pixels_however_it_is_searched():
    detector = HaarDetector(DetectorConfig(longest=160))
    detector._cascade = Cascade()
    batches = list(detector.find(grey((80, 90, 20))))
    assert detector._cascade.shown[0] == (120, 160)
    assert set(detector._cascade.shown[1:]) == {(200, 240)}
    assert len(batches) == len(DetectorConfig().views)
    for (box,) in batches:
        np.testing.assert_allclose(box[:2] + (box[2:] - 1) / 2, (80, 90), atol=2.5)
        np.testing.assert_allclose(box[2:], (41, 41), atol=6)


def test_a_picture_smaller_than_any_face_is_not_searched():
    assert list(HaarDetector().find(np.zeros((10, 300), np.uint8))) == []
    assert list(HaarDetector().find(np.zeros((1, 1), np.uint8))) == []


def test_a_grey_wall_has_no_boxes():
    batches = list(HaarDetector().find(np.full((100, 120), 90, np.uint8)))
    assert [batch.shape for batch in batches] == [(0, 4)] * len(DetectorConfig().views)
