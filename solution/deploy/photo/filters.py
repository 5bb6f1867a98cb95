"""Filters: sunglasses, a moustache, a hat or a clown's nose, drawn on a face where its points are.

A filter is a few outlines in coordinates of the face. Their origin is an anchor on the face, x runs from the eye on the
picture's left to the other eye, y runs down, and the unit is the distance between the eyes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from solution.keypoints import FACE15, FACE68, Schema, fifteen_of
from solution.report.drawing import FRACTION_BITS, Colour

MOUTH_BELOW = 1.06
"""Distance from the eyes to the mouth of a face seen from the front, in distances between the eyes."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A filled shape."""

    points: np.ndarray
    """(N, 2) corners in coordinates of the face."""
    colour: Colour
    cover: float = 1.0
    """Opacity; 1 hides the picture below."""


@dataclass(frozen=True, eq=False)
class FaceAxes:
    """The coordinates of a face in a picture."""

    origin: np.ndarray
    """(2,) picture pixels."""
    across: np.ndarray
    """(2,) unit of x, picture pixels."""
    down: np.ndarray
    """(2,) unit of y, picture pixels."""

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) in the picture's pixels."""
        return self.origin + points[:, :1] * self.across + points[:, 1:] * self.down


def apply(name: str, colour: np.ndarray, coords: np.ndarray, schema: Schema) -> None:
    """Draw a filter, by its name, into a picture (H, W, 3), on the face with these points (K, 2), in pixels."""
    anchor, outlines = FILTERS[name]
    points = fifteen_of(coords[None])[0] if schema.name == FACE68.name else coords
    axes = anchor(dict(zip(FACE15.points, points, strict=True)))
    for outline in outlines:
        _fill(colour, axes.to_picture(outline.points), outline)


def on_eyes(points: dict[str, np.ndarray]) -> FaceAxes:
    """Axes with their origin between the eyes, from a face's fifteen points by name.

    The unit is the mean of the distance between the eyes and that to the mouth, as seen from the front: a head that
    turns makes only the first one shorter.
    """
    first, second = points["right_eye_center"], points["left_eye_center"]
    mouth = (points["mouth_center_top_lip"] + points["mouth_center_bottom_lip"]) / 2
    middle = (first + second) / 2
    along = second - first
    length = float(np.hypot(*along)) or 1.0
    size = (length + float(np.hypot(*(mouth - middle))) / MOUTH_BELOW) / 2
    across = along / length * size
    return FaceAxes(middle, across, np.array([-across[1], across[0]]))


def under_nose(points: dict[str, np.ndarray]) -> FaceAxes:
    """The same axes with their origin between the nose and the upper lip."""
    return replace(on_eyes(points), origin=0.4 * points["nose_tip"] + 0.6 * points["mouth_center_top_lip"])


def on_nose(points: dict[str, np.ndarray]) -> FaceAxes:
    """The same axes with their origin at the tip of the nose."""
    return replace(on_eyes(points), origin=points["nose_tip"])


def _fill(canvas: np.ndarray, corners: np.ndarray, outline: Outline) -> None:
    """Blend one outline into the picture, with its corners (N, 2) in picture pixels."""
    height, width = canvas.shape[:2]
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, [width, height]).tolist()
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, 0, [width, height]).tolist()
    if left >= right or top >= bottom:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    fixed = np.rint((corners - (left, top)) * 2**FRACTION_BITS).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, FRACTION_BITS)
    part = canvas[top:bottom, left:right]
    share = mask[..., None] * np.float32(outline.cover / 255)
    part[:] = np.rint(part * (1 - share) + np.array(outline.colour, np.float32) * share)


def _oval(x: float, y: float, width: float, height: float, power: float = 2.0) -> np.ndarray:
    """An oval about (x, y) as (48, 2) corners; a power above 2 makes it more like a rectangle."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    cos, sin = np.cos(turn), np.sin(turn)
    bent = np.column_stack([np.sign(cos) * np.abs(cos) ** (2 / power), np.sign(sin) * np.abs(sin) ** (2 / power)])
    return bent * (width / 2, height / 2) + (x, y)


def _curve(knots: Sequence[tuple[float, float]]) -> np.ndarray:
    """A closed smooth line through knots, eight corners for each: the spline of Catmull and Rom, 1974."""
    p = np.array(knots, float)
    before, after, beyond = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
    t = np.linspace(0, 1, 8, endpoint=False)[:, None, None]
    parts = p + t / 2 * (
        after - before + t * (2 * before - 5 * p + 4 * after - beyond + t * (3 * (p - after) + beyond - before))
    )
    return parts.transpose(1, 0, 2).reshape(-1, 2)


def _both_sides(points: np.ndarray, colour: Colour, cover: float = 1.0) -> tuple[Outline, Outline]:
    """An outline and its mirror image."""
    return Outline(points, colour, cover), Outline(points * (-1, 1), colour, cover)


def _sunglasses() -> tuple[Outline, ...]:
    black, glass, gleam = (25, 22, 20), (45, 35, 30), (150, 140, 130)
    rim, lens = _oval(-0.5, 0.06, 0.88, 0.62, 2.9), _oval(-0.5, 0.06, 0.76, 0.50, 2.7)
    arm = np.array([(-0.88, -0.10), (-1.22, -0.16), (-1.22, -0.06), (-0.88, 0.02)])
    shine = np.array([(-0.72, -0.12), (-0.58, -0.15), (-0.66, 0.18), (-0.76, 0.12)])
    bridge = _curve([(-0.14, -0.10), (0.0, -0.14), (0.14, -0.10), (0.14, -0.01), (0.0, -0.05), (-0.14, -0.01)])
    return (
        *_both_sides(arm, black),
        *_both_sides(rim, black),
        *_both_sides(lens, glass, 0.9),
        *_both_sides(shine, gleam, 0.35),
        Outline(bridge, black),
    )


def _moustache() -> tuple[Outline, ...]:
    dark, light = (28, 36, 52), (52, 66, 92)
    half = _curve(
        [(0.0, -0.11), (-0.16, -0.14), (-0.36, -0.05), (-0.52, 0.05), (-0.64, -0.02), (-0.70, -0.12), (-0.69, 0.06),
         (-0.55, 0.17), (-0.34, 0.15), (-0.14, 0.10), (0.0, 0.04)]
    )  # fmt: skip
    hair = _curve([(-0.10, -0.07), (-0.30, -0.02), (-0.48, 0.09), (-0.32, 0.05), (-0.14, 0.02)])
    return (*_both_sides(half, dark, 0.95), *_both_sides(hair, light, 0.6))


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


FILTERS: dict[str, tuple[Callable[[dict[str, np.ndarray]], FaceAxes], tuple[Outline, ...]]] = {
    "sunglasses": (on_eyes, _sunglasses()),
    "moustache": (under_nose, _moustache()),
    "hat": (on_eyes, _hat()),
    "clown": (on_nose, _clown()),
}
