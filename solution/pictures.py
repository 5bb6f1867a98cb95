"""Faces with their points, heatmaps and curves as pictures to look at. All (H, W, 3) uint8, blue-green-red."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from solution.artefacts import write_bytes

# Orange and sky blue are told apart by nearly every eye, on dark skin and light.
LABEL, PREDICTED = (0, 120, 255), (255, 200, 60)
PAPER, INK, RULE = (255, 255, 255), (70, 70, 70), (225, 225, 225)
EDGE = (30, 30, 30)
FINE = 4
"""Bits of the fraction that cv2 draws circles and lines at."""


def face(
    image: np.ndarray, labels: np.ndarray | None = None, predicted: np.ndarray | None = None, zoom: int = 3
) -> np.ndarray:
    """A grey picture (H, W) uint8, `zoom` times as large, with points (K, 2) in its pixels, NaN left out.

    Labels are rings where predictions, which are dots, are drawn with them; alone they are dots.
    """
    canvas = _enlarged(image, zoom)
    for point in _known(predicted):
        _dot(canvas, point, zoom, PREDICTED)
    for point in _known(labels):
        if predicted is None:
            _dot(canvas, point, zoom, LABEL)
        else:
            cv2.circle(canvas, _fine(point, zoom), round(1.7 * zoom * 2**FINE), LABEL, 1, cv2.LINE_AA, FINE)
    return canvas


def heat(image: np.ndarray, maps: np.ndarray, zoom: int = 3) -> np.ndarray:
    """A grey picture (H, W) uint8, `zoom` times as large, below heatmaps (K, h, w), each in a hue of its own."""
    canvas = _enlarged(image, zoom).astype(np.float32) * 0.6
    hues = np.arange(len(maps)) * 180 // max(len(maps), 1)
    colours = cv2.cvtColor(np.array([[[hue, 200, 255] for hue in hues]], np.uint8), cv2.COLOR_HSV2BGR)[0]
    for share, colour in zip(maps, colours.astype(np.float32), strict=True):
        spread = cv2.resize(share.astype(np.float32), canvas.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        cover = np.clip(spread / share.max(), 0, 1)[..., None]
        canvas += cover * (colour - canvas)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def sheet(tiles: Sequence[np.ndarray], columns: int, gap: int = 6) -> np.ndarray:
    """Pictures of one size side by side in rows of `columns`, `gap` pixels of paper between them."""
    height, width = (size + gap for size in tiles[0].shape[:2])
    rows = -(-len(tiles) // columns)
    page = np.full((rows * height - gap, columns * width - gap, 3), PAPER, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // columns * height, place % columns * width
        page[top : top + height - gap, left : left + width - gap] = tile
    return page


def curve(values: Sequence[float], title: str, width: int = 480, height: int = 240) -> np.ndarray:
    """A line through values that belong to 1, 2, …, from 0 upwards, with its scale; NaN left out."""
    page = np.full((height, width, 3), PAPER, np.uint8)
    left, right, top, bottom = 44, width - 12, 30, height - 26
    known = [(place, value) for place, value in enumerate(values, 1) if not np.isnan(value)]
    most = max(value for _, value in known)

    def at(place: float, value: float) -> tuple[int, int]:
        along = (place - 1) / max(len(values) - 1, 1)
        return round(left + along * (right - left)), round(bottom - value / most * (bottom - top))

    for share in (0, 0.5, 1):
        cv2.line(page, at(1, share * most), at(len(values), share * most), RULE, 1)
        _write(page, f"{share * most:.1f}", (8, at(1, share * most)[1] + 4))
    for place in (1, len(values)):
        _write(page, str(place), (at(place, 0)[0] - 4, height - 8))
    points = [at(*one) for one in known]
    cv2.polylines(page, [np.array(points)], False, LABEL, 2, cv2.LINE_AA)
    for point in points:
        cv2.circle(page, point, 3, LABEL, cv2.FILLED, cv2.LINE_AA)
    _write(page, title, (left, 18))
    return page


def save(path: Path, picture: np.ndarray) -> Path:
    """Write a picture as PNG, atomically; its path."""
    coded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    write_bytes(path, coded.tobytes())
    return path


def _enlarged(image: np.ndarray, zoom: int) -> np.ndarray:
    return cv2.cvtColor(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)


def _known(points: np.ndarray | None) -> np.ndarray:
    """Those of the points (K, 2) that are there."""
    return np.empty((0, 2)) if points is None else points[~np.isnan(points).any(axis=1)]


def _dot(canvas: np.ndarray, point: np.ndarray, zoom: int, colour: tuple[int, int, int]) -> None:
    """A dot with a dark edge, to be seen on any skin."""
    for radius, paint in ((1.25, EDGE), (0.95, colour)):
        cv2.circle(canvas, _fine(point, zoom), round(radius * zoom * 2**FINE), paint, cv2.FILLED, cv2.LINE_AA, FINE)


def _fine(point: np.ndarray, zoom: int) -> tuple[int, int]:
    """Where a point lies in the enlargement, in 2**-FINE pixels: a pixel's centre becomes the centre of zoom pixels."""
    x, y = np.rint(((point + 0.5) * zoom - 0.5) * 2**FINE).astype(int).tolist()
    return x, y


def _write(page: np.ndarray, text: str, at: tuple[int, int]) -> None:
    cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1, cv2.LINE_AA)
