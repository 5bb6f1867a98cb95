"""Light on the head: a height map of soft bumps is lit from one side (Lambert). The result is a canvas of light."""

from dataclasses import dataclass

import cv2
import numpy as np

from solution.data.synthetic.anatomy import SIDES, Anatomy
from solution.data.synthetic.canvas import FINE, fine
from solution.data.synthetic.geometry import PIVOT

_STEP = 1.5
_U = np.arange(-66, 66, _STEP, dtype=np.float32)
_V = np.arange(-66, 84, _STEP, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """The light on a face."""

    direction: np.ndarray  # (3,) towards the light, of unit length, z to the viewer
    ambient: float  # light from everywhere, 0 to 1
    shine: float  # strength of highlights


def random_lamp(rng: np.random.Generator) -> Lamp:
    """Mostly from above the camera, sometimes hard from one side."""
    direction = np.array([rng.normal(0, 0.5), rng.normal(-0.5, 0.3), rng.uniform(0.6, 1.3)])
    return Lamp(
        direction=direction / np.linalg.norm(direction), ambient=rng.uniform(0.3, 0.65), shine=rng.uniform(0, 0.25)
    )


def _bumps(face: Anatomy) -> list[tuple[float, ...]]:
    """x, y, distance in front of the bare head, width, height, rise of every bump, pixels of face space."""
    nose, mouth, age = face.nose, face.mouth, face.head.age
    reach = nose.reach / 15
    out = nose.reach
    bumps: list[tuple[float, ...]] = [
        (0, nose.tip - 14, 0.35 * out, 3.2, 7.5, 5.5 * reach),
        (0, nose.tip - 6, 0.65 * out, 3.4, 5.0, 4.0 * reach),
        (0, nose.tip, 0.9 * out, 0.62 * nose.wing, 4.2, 8.0 * reach),
        (0, nose.tip + 5.5, 0.4 * out, 2.4, 3.0, -1.2),
        (0, mouth.y, 3.0, 13.5, 8.0, 3.5),
        (0, mouth.y + 4 + mouth.lower + mouth.opening, 2.0, 8.0, 2.6, -2.2),
        (0, face.head.chin - 6, 2.0, 9.0, 6.0, 4.5),
    ]
    for side in SIDES:
        x = side * face.eyes.distance / 2
        bumps += [
            (side * 0.72 * nose.wing, nose.tip + 1.5, 0.5 * out, 2.8, 2.8, 3.0),
            (x * 0.94, -1.5, 0.0, 8.0, 4.6, -4.2),
            (x, 0.5, 0.0, 5.6, 4.2, 3.0),
            (x, 6.5, 0.0, 7.0, 2.0, -0.5 - age),
            (x * 0.95, -face.brows.height - 1, 0.0, 11.0, 4.0, 2.6),
            (side * 22, 19 - 2 * mouth.smile, 0.0, 8.5, 8.0, 3.5 + 1.5 * mouth.smile),
            (side * 26, 38, 0.0, 8.0, 10.0, -2.0 + 1.5 * mouth.smile),
        ]
    return bumps


def _heights(face: Anatomy) -> np.ndarray:
    """Height of the turned head over the grid (V, U), pixels."""
    middle = -PIVOT * np.sin(face.pose.yaw) * 0.55
    across = ((_U - middle) / (face.head.half_width + 5)) ** 2
    down = ((_V - 8) / 78) ** 2
    height = 38 * np.sqrt(np.clip(1 - across[None, :] - down[:, None], 0.015, 1))
    bumps = np.array(_bumps(face))
    spots = face.pose.turn(face.head.lift(bumps[:, :2], bumps[:, 2]))
    narrow = np.cos(face.pose.yaw)
    for (u, v), (wide, high, rise) in zip(spots, bumps[:, 3:], strict=True):
        row = np.exp(-0.5 * ((_U - u) / (wide * narrow)) ** 2) * rise
        height += np.outer(np.exp(-0.5 * ((_V - v) / high) ** 2), row)
    return height.astype(np.float32)


def shading(face: Anatomy, lamp: Lamp) -> np.ndarray:
    """Light that the skin reflects per unit of its tone, (FINE, FINE) float32, about 0.2 to 1.3."""
    slope_v, slope_u = np.gradient(_heights(face), _STEP)
    length = np.sqrt(slope_u**2 + slope_v**2 + 1)
    x, y, z = lamp.direction
    facing = np.clip((z - slope_u * x - slope_v * y) / length, 0, 1)
    light = lamp.ambient + (1 - lamp.ambient) * facing + lamp.shine * facing**12
    # grid indices → turned points → picture pixels → canvas pixels, as one affine map
    corners = np.array([[0, 0], [len(_U), 0], [0, len(_V)]], np.float32)
    placed = fine(face.pose.place(corners * _STEP + (_U[0], _V[0])))
    affine = cv2.getAffineTransform(corners, placed.astype(np.float32))
    return cv2.warpAffine(light, affine, (FINE, FINE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
