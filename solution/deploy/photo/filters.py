"""Small things drawn on a face, placed, sized and turned by its points.

Each is a handful of outlines in the face's own measure: the origin lies between the eyes, x runs from the eye on the
picture's left to the other, y down the face, and 1 is the distance between the eyes. A moustache hangs at the nose.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from solution.keypoints import FACE15, FACE68, Schema, fifteen_of

MOUTH_BELOW = 1.06
"""How far the mouth lies below the eyes, seen from the front, in distances of the eyes. Turning hides width."""

SHIFT = 4  # bits of a pixel that OpenCV is given


@dataclass(frozen=True, eq=False)
class Outline:
    """A filled shape. points: (N, 2) in the face's measure. colour: blue, green, red. cover: 1 hides what is below."""

    points: np.ndarray
    colour: tuple[int, int, int]
    cover: float = 1.0


@dataclass(frozen=True, eq=False)
class Place:
    """The face's measure in a picture: its origin and its two axes, pixels."""

    origin: np.ndarray
    across: np.ndarray
    down: np.ndarray

    def of(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) of the face's measure in the picture's pixels."""
        return self.origin + points[:, :1] * self.across + points[:, 1:] * self.down


def apply(name: str, colour: np.ndarray, coords: np.ndarray, schema: Schema) -> None:
    """Draw the named filter into a picture (H, W, 3), on the face with these points (K, 2), picture pixels."""
    anchor, outlines = FILTERS[name]
    points = fifteen_of(coords[None])[0] if schema.name == FACE68.name else coords
    place = anchor(dict(zip(FACE15.points, points, strict=True)))
    for outline in outlines:
        _fill(colour, place.of(outline.points), outline)


def on_eyes(points: dict[str, np.ndarray]) -> Place:
    """The face's measure, from its fifteen points by name."""
    first, second = points["right_eye_center"], points["left_eye_center"]
    mouth = (points["mouth_center_top_lip"] + points["mouth_center_bottom_lip"]) / 2
    middle = (first + second) / 2
    along = second - first
    length = float(np.hypot(*along)) or 1.0
    size = (length + float(np.hypot(*(mouth - middle))) / MOUTH_BELOW) / 2
    across = along / length * size
    return Place(middle, across, np.array([-across[1], across[0]]))


def under_nose(points: dict[str, np.ndarray]) -> Place:
    """The same measure about a place between nose and upper lip."""
    place = on_eyes(points)
    return Place(0.4 * points["nose_tip"] + 0.6 * points["mouth_center_top_lip"], place.across, place.down)


def on_nose(points: dict[str, np.ndarray]) -> Place:
    """The same measure about the tip of the nose."""
    place = on_eyes(points)
    return Place(points["nose_tip"], place.across, place.down)


def _fill(canvas: np.ndarray, corners: np.ndarray, outline: Outline) -> None:
    """Blend one outline into the picture, within the rectangle that it touches."""
    height, width = canvas.shape[:2]
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, [width, height]).tolist()
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, 0, [width, height]).tolist()
    if left >= right or top >= bottom:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    fixed = np.rint((corners - (left, top)) * 2**SHIFT).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, SHIFT)
    part = canvas[top:bottom, left:right]
    share = mask[..., None] * np.float32(outline.cover / 255)
    part[:] = np.rint(part * (1 - share) + np.array(outline.colour, np.float32) * share)


def _oval(x: float, y: float, width: float, height: float, power: float = 2.0) -> np.ndarray:
    """A closed oval about (x, y) as (48, 2); a power above 2 makes it squarer."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    cos, sin = np.cos(turn), np.sin(turn)
    bent = np.column_stack([np.sign(cos) * np.abs(cos) ** (2 / power), np.sign(sin) * np.abs(sin) ** (2 / power)])
    return bent * (width / 2, height / 2) + (x, y)


def _curve(knots: Sequence[tuple[float, float]]) -> np.ndarray:
    """A closed smooth line through knots, (8 per knot, 2): Catmull and Rom's spline."""
    p = np.array(knots, float)
    before, after, beyond = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
    t = np.linspace(0, 1, 8, endpoint=False)[:, None, None]
    parts = p + t / 2 * (
        after - before + t * (2 * before - 5 * p + 4 * after - beyond + t * (3 * (p - after) + beyond - before))
    )
    return parts.transpose(1, 0, 2).reshape(-1, 2)


def _mirrored(points: np.ndarray) -> np.ndarray:
    return points * (-1, 1)


def _sunglasses() -> tuple[Outline, ...]:
    black, glass, gleam = (25, 22, 20), (45, 35, 30), (150, 140, 130)
    rim, lens = _oval(-0.5, 0.06, 0.88, 0.62, 2.9), _oval(-0.5, 0.06, 0.76, 0.50, 2.7)
    arm = np.array([(-0.88, -0.10), (-1.22, -0.16), (-1.22, -0.06), (-0.88, 0.02)])
    shine = np.array([(-0.72, -0.12), (-0.58, -0.15), (-0.66, 0.18), (-0.76, 0.12)])
    bridge = _curve([(-0.14, -0.10), (0.0, -0.14), (0.14, -0.10), (0.14, -0.01), (0.0, -0.05), (-0.14, -0.01)])
    sides = [(arm, black, 1.0), (rim, black, 1.0), (lens, glass, 0.9), (shine, gleam, 0.35)]
    both = [Outline(way(points), colour, cover) for points, colour, cover in sides for way in (np.asarray, _mirrored)]
    return (*both, Outline(bridge, black))


def _moustache() -> tuple[Outline, ...]:
    dark, light = (28, 36, 52), (52, 66, 92)
    half = _curve(
        [(0.0, -0.11), (-0.16, -0.14), (-0.36, -0.05), (-0.52, 0.05), (-0.64, -0.02), (-0.70, -0.12), (-0.69, 0.06),
         (-0.55, 0.17), (-0.34, 0.15), (-0.14, 0.10), (0.0, 0.04)]
    )  # fmt: skip
    hair = _curve([(-0.10, -0.07), (-0.30, -0.02), (-0.48, 0.09), (-0.32, 0.05), (-0.14, 0.02)])
    return tuple(
        Outline(way(points), colour, cover)
        for points, colour, cover in ((half, dark, 0.95), (hair, light, 0.6))
        for way in (np.asarray, _mirrored)
    )


def _hat() -> tuple[Outline, ...]:
    felt, band, under = (62, 48, 40), (40, 40, 150), (44, 34, 28)
    crown = _curve(
        [(-0.92, -0.92), (-0.90, -1.5), (-0.72, -2.02), (-0.3, -2.1), (0.0, -2.0), (0.3, -2.1), (0.72, -2.02),
         (0.90, -1.5), (0.92, -0.92), (0.0, -0.80)]
    )  # fmt: skip
    x = np.linspace(-0.935, 0.935, 16)
    hem = -0.94 + 0.13 * (1 - (x / 0.935) ** 2)
    ribbon = np.concatenate([np.column_stack([x, hem]), np.column_stack([x, hem - 0.28])[::-1]])
    return (
        Outline(_oval(0, -0.86, 3.0, 0.46), under),
        Outline(_oval(0, -0.91, 3.0, 0.40), felt),
        Outline(crown, felt),
        Outline(ribbon, band),
    )


def _clown() -> tuple[Outline, ...]:
    return (
        Outline(_oval(0, 0, 0.52, 0.50), (30, 30, 200)),
        Outline(_oval(-0.09, -0.10, 0.14, 0.11), (200, 200, 255), 0.7),
    )


FILTERS: dict[str, tuple[Callable[[dict[str, np.ndarray]], Place], tuple[Outline, ...]]] = {
    "sunglasses": (on_eyes, _sunglasses()),
    "moustache": (under_nose, _moustache()),
    "hat": (on_eyes, _hat()),
    "clown": (on_nose, _clown()),
}
