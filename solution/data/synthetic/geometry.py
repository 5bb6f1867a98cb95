"""From face space to the picture: turning (yaw, pitch) in space, then placing (roll, scale, shift).

Face space is in pixels of an average face. Its origin is midway between the eyes. x points to the picture's right, y
points down, and z points from the middle of the head towards the viewer. "Turned" points are the (u, v) of points after
turning and before placing.
"""

from dataclasses import dataclass

import numpy as np

PIVOT = 36.0  # depth (z) that stays in place when the head turns: the plane of the face, because crops follow the face


@dataclass(frozen=True, kw_only=True)
class Pose:
    """A head's direction and place. Angles in radians; centre: the face's origin in the picture, (x, y) in pixels."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    centre: tuple[float, float]  # pixels of the picture

    def turn(self, points: np.ndarray) -> np.ndarray:
        """Face space (N, 3) to turned (N, 2)."""
        x, y, z = points[:, 0], points[:, 1], points[:, 2] - PIVOT
        u = x * np.cos(self.yaw) + z * np.sin(self.yaw)
        behind = z * np.cos(self.yaw) - x * np.sin(self.yaw)
        return np.stack([u, y * np.cos(self.pitch) + behind * np.sin(self.pitch)], axis=1)

    @property
    def matrix(self) -> np.ndarray:
        """The affine map from turned points to picture pixels, (2, 3)."""
        c, s = self.scale * np.cos(self.roll), self.scale * np.sin(self.roll)
        return np.array([[c, -s, self.centre[0]], [s, c, self.centre[1]]])

    def place(self, turned: np.ndarray) -> np.ndarray:
        """Turned (N, 2) to picture pixels (N, 2)."""
        matrix = self.matrix
        return turned @ matrix[:, :2].T + matrix[:, 2]

    def project(self, points: np.ndarray) -> np.ndarray:
        """Face space (N, 3) to picture pixels (N, 2)."""
        return self.place(self.turn(points))


def shifted(points: np.ndarray, x: float, y: float) -> np.ndarray:
    """Points (N, 2) moved by (x, y), a new array."""
    return points + np.array([x, y])


def superellipse(width: float, height: float, power: float, start: float, stop: float, n: int = 24) -> np.ndarray:
    """Points on |x / width|^power + |y / height|^power = 1 from angle `start` to `stop` (radians), (n, 2)."""
    angle = np.linspace(start, stop, n)
    c, s = np.cos(angle), np.sin(angle)
    x = width * np.sign(c) * np.abs(c) ** (2 / power)
    return np.stack([x, height * np.sign(s) * np.abs(s) ** (2 / power)], axis=1)
