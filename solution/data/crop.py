"""The upright square crop of a picture that a network sees, and its inverse."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from solution.keypoints import SIZE

CENTRE = (SIZE - 1) / 2
EDGE = 3  # pixels kept around a crop, so that interpolation at its edge uses the picture and not its repeated border
SMALLEST = 4.0  # shortest side of a frame, in the picture's pixels


@dataclass(frozen=True)
class Frame:
    """A square of a picture, which becomes an upright crop of SIZE × SIZE pixels."""

    x: float  # centre, pixels of the picture
    y: float
    side: float  # pixels of the picture
    angle: float = 0.0  # radians, clockwise

    @property
    def _linear(self) -> np.ndarray:
        """The frame's pixels to the picture's, (2, 2), without the shift."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.array([[cos, -sin], [sin, cos]]) * (self.side / SIZE)

    def to_picture(self, coords: np.ndarray) -> np.ndarray:
        """Coordinates (…, 2) in the frame's pixels as the picture's."""
        return (coords - CENTRE) @ self._linear.T + (self.x, self.y)

    def from_picture(self, coords: np.ndarray) -> np.ndarray:
        """Coordinates (…, 2) in the picture's pixels as the frame's."""
        return (coords - np.array([self.x, self.y])) @ np.linalg.inv(self._linear).T + CENTRE

    def crop(self, grey: np.ndarray) -> np.ndarray:
        """The crop of a grey picture (H, W), (SIZE, SIZE) uint8. Outside the picture its border is repeated."""
        part, left, top = self._part(grey)
        shrink = max(1.0, self.side / SIZE)
        height, width = (max(1, round(length / shrink)) for length in part.shape)
        ratio = np.array([part.shape[1] / width, part.shape[0] / height])
        if shrink > 1:  # averages over areas: a plain interpolation would skip pixels
            part = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        # Shrinking moves a point p of the part to (p + 0.5) / ratio - 0.5.
        linear = self._linear / ratio[:, None]
        middle = (np.array([self.x - left, self.y - top]) + 0.5) / ratio - 0.5
        matrix = np.column_stack([linear, middle - linear @ np.full(2, CENTRE)])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(part, matrix, (SIZE, SIZE), flags=flags, borderMode=cv2.BORDER_REPLICATE)

    def _part(self, grey: np.ndarray) -> tuple[np.ndarray, int, int]:
        """The part of the picture that the frame touches, and its left and top in the picture."""
        corners = self.to_picture(np.array([[0.0, 0.0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]]) - 0.5)
        edge = EDGE * max(1.0, self.side / SIZE)
        height, width = grey.shape
        low, high = np.floor(corners.min(axis=0) - edge), np.ceil(corners.max(axis=0) + edge) + 1
        left, top = np.clip(low, 0, [width - 1, height - 1]).astype(int).tolist()
        right, bottom = np.clip(high, [left + 1, top + 1], [width, height]).astype(int).tolist()
        return grey[top:bottom, left:right], left, top


def aligned(coords: np.ndarray, shape: np.ndarray) -> Frame:
    """The frame in which points (K, 2), picture pixels, best match a shape (K, 2), frame pixels.

    Least squares over shift, rotation and scale. With complex numbers this is linear regression.
    """
    ours, theirs = (points[:, 0] + 1j * points[:, 1] for points in (shape, coords))
    centred = ours - ours.mean()
    turn = np.vdot(centred, theirs - theirs.mean()) / np.vdot(centred, centred).real
    middle = theirs.mean() + turn * (CENTRE * (1 + 1j) - ours.mean())
    return Frame(float(middle.real), float(middle.imag), max(SMALLEST, float(abs(turn)) * SIZE), float(np.angle(turn)))
