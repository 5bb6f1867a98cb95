"""Faces that need no network: bright discs on a dark ground, with a detector and a landmarker for them."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from solution.data.crop import Frame
from solution.deploy.photo.finder import FaceFinder
from solution.deploy.photo.framing import Calibration
from solution.deploy.photo.landmarker import Reading
from solution.keypoints import FACE15

BRIGHT = 150
SIDE = 1.5
"""Side of a disc's frame in its diameters."""

SHAPE = np.array(
    [(63, 38), (33, 38), (57, 39), (70, 39), (39, 39), (26, 39), (55, 31), (75, 32), (41, 31), (21, 32), (48, 58),
     (61, 72), (35, 72), (48, 68), (48, 77)], float,
)  # fmt: skip
"""The fifteen points of a face, frame pixels."""

CALIBRATION = Calibration(SHAPE, (0.0, 0.0, SIDE), (0.0, 0.0, 1.0), np.full(15, 2.0, np.float32), 3.0)


def picture(*discs: tuple[float, float, float], size: tuple[int, int] = (240, 320)) -> np.ndarray:
    """A picture (H, W, 3) with a disc for each (x, y, radius)."""
    canvas = np.full((*size, 3), 40, np.uint8)
    for x, y, radius in discs:
        centre = (round(x * 16), round(y * 16))
        cv2.circle(canvas, centre, round(radius * 16), (230, 230, 230), cv2.FILLED, cv2.LINE_AA, 4)
    return canvas


def grey(*discs: tuple[float, float, float]) -> np.ndarray:
    """The picture (H, W) in grey."""
    return cv2.cvtColor(picture(*discs), cv2.COLOR_BGR2GRAY)


def points_of(x: float, y: float, radius: float) -> np.ndarray:
    """The fifteen points (15, 2) of a disc."""
    return Frame(x, y, SIDE * (2 * radius + 1)).to_picture(SHAPE)


class DiscDetector:
    """Finds bright things. `asked` counts the pictures."""

    def __init__(self) -> None:
        self.asked = 0

    def find(self, grey: np.ndarray) -> Iterator[np.ndarray]:
        self.asked += 1
        _, _, stats, _ = cv2.connectedComponentsWithStats((grey > BRIGHT).astype(np.uint8))
        yield stats[1:, :4].astype(float)


class DiscReader:
    """Reads the disc in a crop. Without a disc its sigma is large."""

    schema, calibration = FACE15, CALIBRATION

    def read(self, grey: np.ndarray, frames: Sequence[Frame], reads: int = 3) -> list[Reading]:
        return [self._one(grey, frame) for frame in frames]

    def _one(self, grey: np.ndarray, frame: Frame) -> Reading:
        y, x = np.nonzero(grey > BRIGHT)
        inside = (np.abs(x - frame.x) < frame.side / 2) & (np.abs(y - frame.y) < frame.side / 2)
        if not inside.any():
            return Reading(frame.to_picture(SHAPE), np.full(15, 9.0), frame, np.full(15, 9.0))
        x, y = x[inside], y[inside]
        seen = Frame((x.min() + x.max()) / 2, (y.min() + y.max()) / 2, SIDE * (np.ptp(x) + 1.0))
        return Reading(seen.to_picture(SHAPE), np.full(15, 1.0), seen, np.full(15, 1.0))


def finder() -> FaceFinder:
    return FaceFinder(DiscDetector(), DiscReader())
