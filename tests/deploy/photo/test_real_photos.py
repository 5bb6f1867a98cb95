"""What `photo` promises, on real photos where there are any: 60 with one labelled face each, 68 points."""

import io
import zipfile

import cv2
import numpy as np
import pytest

from solution.data.crop import aligned
from solution.data.images import decode
from solution.deploy.photo.detector import VIDEO, HaarDetector
from solution.deploy.photo.finder import Face, FaceFinder
from solution.deploy.photo.landmarker import open_landmarker
from solution.deploy.photo.tracking import Tracker
from solution.keypoints import FACE68, fifteen_of
from solution.studies.faces68.nme import interocular
from tests.places import SHARED

PHOTOS = SHARED / "photos" / "photos.zip"
EVERY = 4
"""Of the photos, which share is looked at: the first, the fifth, …"""

pytestmark = pytest.mark.skipif(not PHOTOS.is_file(), reason="the real photos are not in ../shared/photos")


def photos(every: int = EVERY) -> list[tuple[np.ndarray, np.ndarray]]:
    """Grey photos and their 68 points."""
    with zipfile.ZipFile(PHOTOS) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[::every]
        return [
            (
                decode(name, archive.read(name)).grey,
                np.loadtxt(io.StringIO(archive.read(name.replace(".jpg", ".csv")).decode()), delimiter=",", skiprows=1),
            )
            for name in names
        ]


def of_labels(faces: list[Face], labels: np.ndarray, shape: np.ndarray) -> Face | None:
    """The face that was labelled, out of those found: its middle lies within, and it is about as large."""
    want = aligned(labels, shape)
    for face in faces:
        frame = face.reading.frame
        apart = np.hypot(frame.x - want.x, frame.y - want.y)
        if apart < 0.3 * want.side and 0.5 < frame.side / want.side < 2:
            return face
    return None


def errors(points: int) -> tuple[float, float, float]:
    """Share of labelled faces found; median error of the points as a share of the inter-ocular distance; strays."""
    finder = FaceFinder(HaarDetector(), open_landmarker(points))
    distances, shots, boxes = [], photos(), 0
    for grey, labels in shots:
        faces = finder.find(grey)
        boxes += len(faces)
        targets = labels if points == 68 else fifteen_of(labels[None])[0]
        face = of_labels(faces, targets, finder.landmarker.calibration.shape)
        if face is not None:
            eyes = interocular(labels[None], FACE68)[0]
            distances.append(np.linalg.norm(face.reading.coords - targets, axis=1) / eyes)
    return len(distances) / len(shots), float(np.median(distances)), (boxes - len(distances)) / len(shots)


@pytest.mark.parametrize("points", [15, 68])
def test_faces_are_found_and_their_points_read(points: int):
    found, median, strays = errors(points)
    assert found >= 0.9
    assert median <= 0.05
    assert strays <= 0.2


def test_a_face_that_drifts_through_a_video_is_followed():
    grey, _ = photos()[0]
    landmarker = open_landmarker(15)
    tracker = Tracker(FaceFinder(HaarDetector(VIDEO), landmarker))
    width = grey.shape[1]
    shots = []
    for step in range(45):  # the photo drifts by two pixels a frame
        move = np.float32([[640 / width, 0, 2 * step - 40], [0, 640 / width, 0]])
        shots.append(cv2.warpAffine(grey, move, (640, 480), borderMode=cv2.BORDER_REPLICATE))
    followed = [tracker.step(shot, 1 / 25) for shot in shots]
    assert all(len(faces) == 1 for faces in followed)
    drift = followed[-1][0].face.reading.coords - followed[0][0].face.reading.coords
    np.testing.assert_allclose(np.median(drift, axis=0), (88, 0), atol=6)
