"""Boxes and points drawn over a picture, each point with a ring of its standard deviation."""

from collections.abc import Sequence

import cv2
import numpy as np

from solution.deploy.photo.finder import Face
from solution.keypoints import SIZE

# Blue, green, red. Orange and sky blue are told apart by nearly every eye, on dark skin and light.
BOX, POINT, RING, OUTLINE = (0, 120, 255), (255, 200, 60), (255, 230, 160), (40, 40, 40)
SHIFT = 4  # bits of a pixel that OpenCV is given: points lie between pixels


def draw(colour: np.ndarray, faces: Sequence[Face]) -> np.ndarray:
    """A copy of a picture (H, W, 3) with its faces drawn in."""
    canvas = colour.copy()
    for face in faces:
        _draw_one(canvas, face)
    return canvas


def _draw_one(canvas: np.ndarray, face: Face) -> None:
    reading = face.reading
    size = reading.frame.side / SIZE
    thin = max(1, round(0.7 * size))
    x, y, width, height = np.rint(face.box).astype(int).tolist()
    cv2.rectangle(canvas, (x, y), (x + width - 1, y + height - 1), BOX, thin, cv2.LINE_AA)
    dot = max(1.0, (1.1 if len(reading.coords) < 30 else 0.7) * size)
    for point, sigma in zip(reading.coords, reading.sigma, strict=True):
        _circle(canvas, point, dot + sigma, RING, 1)
        _circle(canvas, point, dot + 0.6, OUTLINE, cv2.FILLED)
        _circle(canvas, point, dot, POINT, cv2.FILLED)


def _circle(canvas: np.ndarray, point: np.ndarray, radius: float, colour: tuple[int, int, int], line: int) -> None:
    x, y = np.rint(point * 2**SHIFT).astype(int).tolist()
    cv2.circle(canvas, (x, y), round(radius * 2**SHIFT), colour, line, cv2.LINE_AA, SHIFT)
