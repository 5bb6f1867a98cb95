from collections.abc import Iterator

import numpy as np
import pytest

from solution.data.crop import Frame
from solution.deploy.photo.detector import DetectorConfig, HaarDetector
from solution.deploy.photo.finder import FaceFinder, is_near, is_same
from tests.deploy.photo.fakes import DiscDetector, DiscReader, finder, grey, points_of


class Boxes:
    """Gives these batches. `asked` counts the requests."""

    def __init__(self, *batches: list[tuple[float, float, float, float]]) -> None:
        self.batches, self.asked = batches, 0

    def find(self, grey: np.ndarray) -> Iterator[np.ndarray]:
        for batch in self.batches:
            self.asked += 1
            yield np.array(batch, float).reshape(-1, 4)


def test_every_face_is_read_the_largest_first():
    faces = finder().find(grey((80, 90, 20), (220, 120, 35)))
    assert len(faces) == 2
    for face, disc in zip(faces, ((220, 120, 35), (80, 90, 20)), strict=True):
        np.testing.assert_allclose(face.reading.coords, points_of(*disc), atol=0.7)


@pytest.mark.parametrize(
    ("boxes", "faces"),
    [
        pytest.param([], [], id="no box"),
        pytest.param([(60, 70, 41, 41), (200, 20, 40, 40)], [[60, 70, 41, 41]], id="a box without a face"),
        pytest.param([(100, 70, 41, 41)], [], id="points too far from their box"),
        pytest.param([(60, 70, 41, 41), (62, 72, 41, 41)], [[60, 70, 41, 41]], id="two boxes of one face"),
    ],
)
def test_a_face_has_one_box(boxes: list[tuple[float, float, float, float]], faces: list[list[float]]):
    found = FaceFinder(Boxes(boxes), DiscReader()).find(grey((80, 90, 20)))
    assert [face.box.tolist() for face in found] == faces


def test_later_batches_are_asked_for_only_without_a_face():
    boxes = Boxes([(200, 20, 40, 40)], [(60, 70, 41, 41)], [(0, 0, 10, 10)])
    assert len(FaceFinder(boxes, DiscReader()).find(grey((80, 90, 20)))) == 1
    assert boxes.asked == 2


def test_a_labelled_picture_is_read_where_the_uncertainty_is_least():
    shot = grey((80, 90, 20))
    for boxes in (Boxes([(200, 20, 40, 40)]), Boxes([]), Boxes()):
        reading = FaceFinder(boxes, DiscReader()).read_whole(shot)
        np.testing.assert_allclose(reading.coords, points_of(80, 90, 20), atol=0.7)


def test_near_and_same():
    frame = Frame(100, 100, 50)
    near = [is_near(frame, other) for other in (Frame(120, 100, 60), Frame(140, 100, 60), Frame(100, 100, 101))]
    assert near == [True, False, False]
    assert [is_same(frame, other) for other in (Frame(110, 100, 50), Frame(130, 100, 50))] == [True, False]


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


@pytest.mark.parametrize("size", [(10, 300), (1, 1)])
def test_a_picture_smaller_than_any_face_is_not_searched(size: tuple[int, int]):
    assert list(HaarDetector().find(np.zeros(size, np.uint8))) == []


def test_a_grey_wall_has_no_boxes():
    batches = list(HaarDetector().find(np.full((100, 120), 90, np.uint8)))
    assert [batch.shape for batch in batches] == [(0, 4)] * len(DetectorConfig().views)
