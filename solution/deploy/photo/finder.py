"""Finds the faces of a picture: a detector gives boxes, a landmarker reads the points in them."""

from dataclasses import dataclass

import numpy as np

from solution.data.crop import Frame
from solution.deploy.photo.detector import Detector
from solution.deploy.photo.landmarker import Landmarker, Reading


@dataclass(frozen=True)
class FinderConfig:
    """When two crops show the same face."""

    shift: float = 0.5
    """Largest distance between the crop of a box and the crop of its points, as a share of the larger side."""
    growth: float = 2.0
    """Largest ratio of the sides of these two crops."""
    same: float = 0.35
    """Two crops that are nearer than this share of the larger side show one face."""


CONFIG = FinderConfig()


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a picture."""

    box: np.ndarray
    """(4,) x, y, width, height in the picture's pixels, as the detector gave it."""
    reading: Reading


class FaceFinder:
    """Finds the faces of grey pictures and reads their points."""

    def __init__(self, detector: Detector, landmarker: Landmarker) -> None:
        self.detector, self.landmarker = detector, landmarker

    def find(self, grey: np.ndarray) -> list[Face]:
        """All faces of a picture (H, W) uint8, the largest first."""
        for boxes in self.detector.find(grey):
            frames = [self.landmarker.calibration.of_box(box) for box in boxes]
            readings = self.landmarker.read(grey, frames)
            faces = [
                Face(box, reading)
                for box, frame, reading in zip(boxes, frames, readings, strict=True)
                if self.is_face(reading, frame)
            ]
            if faces:
                return sorted(_distinct(faces), key=lambda face: -face.reading.frame.side)
        return []

    def read_whole(self, grey: np.ndarray) -> Reading:
        """The points of a picture (H, W) of one face: the least uncertain of its boxes and the whole picture."""
        calibration = self.landmarker.calibration
        boxes = next(self.detector.find(grey), np.empty((0, 4)))
        readings = self.landmarker.read(grey, [calibration.of_picture(grey), *map(calibration.of_box, boxes)])
        return min(readings, key=lambda reading: reading.uncertainty)

    def is_face(self, reading: Reading, frame: Frame) -> bool:
        """Whether a reading that started from this crop shows a face, and still the same one."""
        return reading.uncertainty <= self.landmarker.calibration.uncertainty and is_near(reading.frame, frame)


def is_near(first: Frame, second: Frame) -> bool:
    """Whether two crops can show the same face."""
    small, large = sorted([first.side, second.side])
    return bool(_distance(first, second) <= CONFIG.shift * large and large <= CONFIG.growth * small)


def is_same(first: Frame, second: Frame) -> bool:
    """Whether two crops show the same face."""
    return bool(_distance(first, second) < CONFIG.same * max(first.side, second.side))


def _distance(first: Frame, second: Frame) -> float:
    """Between the centres, in pixels."""
    return float(np.hypot(first.x - second.x, first.y - second.y))


def _distinct(faces: list[Face]) -> list[Face]:
    """The faces without repetition: of those that are the same, the one with the least uncertainty."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: face.reading.uncertainty):
        if not any(is_same(face.reading.frame, other.reading.frame) for other in kept):
            kept.append(face)
    return kept
