"""The faces of a picture: boxes from a detector, points from a landmarker, and boxes without a face thrown out."""

from dataclasses import dataclass

import numpy as np

from solution.data.crop import Frame
from solution.deploy.photo.detector import Detector
from solution.deploy.photo.landmarker import Landmarker, Reading

STRAY = 0.5
"""How far, as a share of its side, a frame may move between the box and the points: further is another thing."""

GROWTH = 2.0
"""By which factor it may grow or shrink."""

SAME = 0.35
"""Two faces nearer than this share of their side are one."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a picture. box: (4,), x, y, w, h in the picture's pixels, as the detector gave it."""

    box: np.ndarray
    reading: Reading


class FaceFinder:
    """Finds and reads the faces of grey pictures."""

    def __init__(self, detector: Detector, landmarker: Landmarker) -> None:
        self.detector, self.landmarker = detector, landmarker

    def find(self, grey: np.ndarray) -> list[Face]:
        """Every face of a picture (H, W), the largest first; empty where there is none."""
        for boxes in self.detector.find(grey):
            frames = [self.landmarker.calibration.of_box(box) for box in boxes]
            readings = self.landmarker.read(grey, frames)
            faces = [
                Face(box, reading)
                for box, frame, reading in zip(boxes, frames, readings, strict=True)
                if self.believable(reading, frame)
            ]
            if faces:
                return sorted(_distinct(faces), key=lambda face: -face.reading.frame.side)
        return []

    def read_whole(self, grey: np.ndarray) -> Reading:
        """The one face of a labelled picture (H, W): where the network doubts least, of the boxes and the whole."""
        calibration = self.landmarker.calibration
        boxes = next(self.detector.find(grey), np.empty((0, 4)))
        readings = self.landmarker.read(grey, [calibration.of_picture(grey), *map(calibration.of_box, boxes)])
        return min(readings, key=lambda reading: reading.uncertainty)

    def believable(self, reading: Reading, frame: Frame) -> bool:
        """Whether a reading that began with this frame shows a face, and the one that it began with."""
        return reading.uncertainty <= self.landmarker.calibration.uncertainty and near(reading.frame, frame)


def near(one: Frame, other: Frame) -> bool:
    """Whether two frames may be of the same face."""
    apart = np.hypot(one.x - other.x, one.y - other.y)
    sides = sorted([one.side, other.side])
    return bool(apart <= STRAY * sides[1] and sides[1] <= GROWTH * sides[0])


def same(one: Frame, other: Frame) -> bool:
    """Whether two frames show one face."""
    return bool(np.hypot(one.x - other.x, one.y - other.y) < SAME * max(one.side, other.side))


def _distinct(faces: list[Face]) -> list[Face]:
    """Each face once: of boxes that led to the same, the one that is doubted least."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: face.reading.uncertainty):
        if not any(same(face.reading.frame, other.reading.frame) for other in kept):
            kept.append(face)
    return kept
