"""The canvas on which faces are drawn. It is SUPER times finer than the picture and draws lines, polygons and textures.

Polygons and lines have soft edges. Tones are float32 amounts of light: 0 is black, and about 1 is white. All positions
and widths are in picture pixels.
"""

from functools import cache
from math import ceil, floor, sqrt

import cv2
import numpy as np

from solution.keypoints import SIZE

SUPER = 2  # canvas pixels per picture pixel, along each axis
FINE = SIZE * SUPER
_SHIFT = 4  # fractional bits of OpenCV's integer drawing coordinates
_TEXTURE_SIZE = 512

Roi = tuple[slice, slice]


class Canvas:
    """A picture in progress."""

    def __init__(self, light: np.ndarray) -> None:
        self.light = light  # (FINE, FINE) float32

    def fill(
        self,
        polygon: np.ndarray,
        tone: float | np.ndarray = 0.0,
        *,
        gain: float = 0.0,
        alpha: float = 1.0,
        soft: float = 0.0,
        within: np.ndarray | None = None,
    ) -> None:
        """Inside the polygon (N, 2) light becomes gain · light + tone, by `alpha`, over an edge `soft` pixels wide.

        tone may be a whole canvas, (FINE, FINE). `within`: a second polygon that clips the first.
        """
        corners = fine(polygon)
        roi = _roi(corners, 3 * soft)
        if roi is None:
            return
        mask = _polygon_mask(corners, roi, soft)
        if within is not None:
            mask *= _polygon_mask(fine(within), roi, 0.3)
        self._blend(roi, mask, tone, gain, alpha)

    def stroke(
        self,
        line: np.ndarray,
        width: float,
        tone: float = 0.0,
        *,
        gain: float = 0.0,
        alpha: float = 1.0,
        soft: float = 0.0,
    ) -> None:
        """The same along an open line (N, 2) of `width` pixels."""
        corners = fine(line)
        roi = _roi(corners, width + 3 * soft)
        if roi is None:
            return
        mask = np.zeros((roi[0].stop - roi[0].start, roi[1].stop - roi[1].start), np.uint8)
        thickness = max(1, round(width * SUPER))
        cv2.polylines(mask, [_fixed(corners, roi)], False, 255, thickness, cv2.LINE_AA, _SHIFT)
        self._blend(roi, _softened(mask, soft), tone, gain, alpha)

    def _blend(self, roi: Roi, mask: np.ndarray, tone: float | np.ndarray, gain: float, alpha: float) -> None:
        light = self.light[roi]
        target = tone[roi] if isinstance(tone, np.ndarray) else np.float32(tone)
        light += np.float32(alpha) * mask * (np.float32(gain - 1) * light + target)


def fine(points: np.ndarray) -> np.ndarray:
    """Picture pixels to canvas pixels; in both, whole numbers are the centres of pixels."""
    return (points + 0.5) * SUPER - 0.5


def _roi(corners: np.ndarray, border: float) -> Roi | None:
    """The part of the canvas around points (N, 2) in canvas pixels, `border` picture pixels wider; None if outside."""
    reach = border * SUPER + 2
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    rows = slice(max(floor(top - reach), 0), min(ceil(bottom + reach), FINE))
    columns = slice(max(floor(left - reach), 0), min(ceil(right + reach), FINE))
    return None if rows.stop <= rows.start or columns.stop <= columns.start else (rows, columns)


def _fixed(corners: np.ndarray, roi: Roi) -> np.ndarray:
    """Canvas pixels relative to the part, as OpenCV's fixed-point numbers."""
    local = corners - (roi[1].start, roi[0].start)
    return np.round(local * (1 << _SHIFT)).astype(np.int32)


def _polygon_mask(corners: np.ndarray, roi: Roi, soft: float) -> np.ndarray:
    mask = np.zeros((roi[0].stop - roi[0].start, roi[1].stop - roi[1].start), np.uint8)
    cv2.fillPoly(mask, [_fixed(corners, roi)], 255, cv2.LINE_AA, _SHIFT)
    return _softened(mask, soft)


def _softened(mask: np.ndarray, soft: float) -> np.ndarray:
    """A mask of 0 to 1, float32, blurred: two box filters, ten times as fast as a Gaussian of their deviation."""
    side = 2 * round((sqrt(6 * (soft * SUPER) ** 2 + 1) - 1) / 2) + 1
    if side > 1:
        mask = cv2.blur(cv2.blur(mask, (side, side)), (side, side))
    return mask.astype(np.float32) / np.float32(255)


@cache
def _textures() -> dict[str, np.ndarray]:
    """Noise of deviation 1 made once, (_TEXTURE_SIZE, _TEXTURE_SIZE) each: pictures take random cut-outs."""
    rng = np.random.default_rng(20)
    layers = {
        "strands": _noise(rng, 0.5, 6) + _noise(rng, 1.6, 12),
        "curls": _noise(rng, 1.6, 1.6) + 0.7 * _noise(rng, 0.7, 0.7),
        "spots": _noise(rng, 3, 3),
        "grain": _noise(rng, 0.4, 0.4),
    }
    return {name: layer / layer.std() for name, layer in layers.items()}


def _noise(rng: np.random.Generator, across: float, down: float) -> np.ndarray:
    """Smooth noise of deviation 1, its grain `across` and `down` picture pixels wide."""
    white = rng.standard_normal((_TEXTURE_SIZE, _TEXTURE_SIZE), dtype=np.float32)
    smooth = cv2.GaussianBlur(white, (0, 0), across * SUPER, sigmaY=down * SUPER)
    return smooth / smooth.std()


def texture(name: str, rng: np.random.Generator) -> np.ndarray:
    """A random cut-out of a texture, (FINE, FINE) float32, mean about 0, deviation about 1. Read only: a view."""
    row, column = rng.integers(0, _TEXTURE_SIZE - FINE, size=2)
    return _textures()[name][row : row + FINE, column : column + FINE]
