"""Pictures to look at: faces with their points, heatmaps and curves, and line charts with a logarithmic scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from solution.runtime.artifacts import write_bytes

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


WIDTH, HEIGHT = 1080, 640
ZOOM = 3
LEFT, TOP, RIGHT, BOTTOM = 64, 72, 276, 56
"""Margins; the right one holds the lines' names."""

CHART_PAPER, CHART_INK, FAINT, GRID = "#ffffff", "#22262b", "#6b7280", "#e5e7eb"
SPACING = 18
"""Between two names, at least."""

STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Where ticks may stand within a power of ten."""


@dataclass(frozen=True)
class Curve:
    """One line: its name, (x, y) points in rising x, y above 0, a colour, and whether it is drawn thick."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str
    bold: bool = False


@dataclass(frozen=True)
class Chart:
    """What a chart says: y is logarithmic, x starts at 0."""

    title: str
    subtitle: str
    x_title: str
    curves: Sequence[Curve]


def draw_chart(chart: Chart) -> Image.Image:
    """The chart as an RGB picture of WIDTH × HEIGHT."""
    canvas = Image.new("RGB", (WIDTH * ZOOM, HEIGHT * ZOOM), CHART_PAPER)
    _Drawing(canvas, chart).everything()
    return canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def ticks(low: float, high: float) -> list[float]:
    """Round values from `low` to `high` (both above 0) for a logarithmic axis."""
    powers = range(int(log10(low)) - 2, int(log10(high)) + 2)
    return [value for power in powers for step in STEPS if low <= (value := step * 10.0**power) <= high]


def even_ticks(high: float) -> list[float]:
    """Round values from 0 to `high`, five to ten of them."""
    step = next(s for p in range(-6, 12) for m in (1, 2, 5) if high / (s := m * 10.0**p) <= 8)
    return [i * step for i in range(int(high / step + 1e-9) + 1)]


def spread_out(places: Sequence[float], spacing: float, low: float, high: float) -> list[float]:
    """The places moved as little as needs be so that each lies `spacing` from the next, within low and high."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [0.0] * len(places)
    before = low - spacing
    for i in order:
        before = moved[i] = max(places[i], before + spacing)
    after = high + spacing
    for i in reversed(order):
        after = moved[i] = min(moved[i], after - spacing)
    return moved


class _Drawing:
    """One chart on its way onto a canvas; all sizes in pixels of the finished picture."""

    def __init__(self, canvas: Image.Image, chart: Chart) -> None:
        self.pen, self.chart = ImageDraw.Draw(canvas), chart
        xs, ys = ([point[axis] for curve in chart.curves for point in curve.points] for axis in (0, 1))
        self.most = max(xs)
        self.low, self.high = min(ys) / 1.08, max(ys) * 1.08

    def everything(self) -> None:
        """Titles, axes, lines, names."""
        self._text((LEFT - 40, 14), self.chart.title, 20, CHART_INK)
        self._text((LEFT - 40, 42), self.chart.subtitle, 13, FAINT)
        self._axes()
        for curve in self.chart.curves:
            self._line([self._at(point) for point in curve.points], curve.colour, 3.2 if curve.bold else 1.8)
            for point in curve.points:
                self._dot(self._at(point), curve.colour, 3.2 if curve.bold else 2.4)
        self._names()

    def _axes(self) -> None:
        for value in ticks(self.low, self.high):
            y = self._at((0, value))[1]
            self._line([(LEFT, y), (WIDTH - RIGHT, y)], GRID, 1)
            self._text((LEFT - 8, y), f"{value:g}", 13, FAINT, "rm")
        for value in even_ticks(self.most):
            x = self._at((value, self.high))[0]
            self._line([(x, HEIGHT - BOTTOM), (x, HEIGHT - BOTTOM + 5)], FAINT, 1)
            self._text((x, HEIGHT - BOTTOM + 10), f"{value:g}", 13, FAINT, "ma")
        self._line([(LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM)], FAINT, 1)
        self._text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8), self.chart.x_title, 13, FAINT, "md")

    def _names(self) -> None:
        ends = [self._at(curve.points[-1]) for curve in self.chart.curves]
        heights = spread_out([y for _, y in ends], SPACING, TOP, HEIGHT - BOTTOM)
        for curve, (x, y), height in zip(self.chart.curves, ends, heights, strict=True):
            label = WIDTH - RIGHT + 30
            self._line([(x + 5, y), (label - 12, height), (label - 5, height)], curve.colour, 0.8)
            name = f"{curve.name}  {curve.points[-1][1]:.2f}"
            self._text((label, height), name, 14, curve.colour, "lm", stroke=0.3 if curve.bold else 0.0)

    def _at(self, point: tuple[float, float]) -> tuple[float, float]:
        share = log10(point[1] / self.low) / log10(self.high / self.low)
        x = LEFT + point[0] / self.most * (WIDTH - LEFT - RIGHT)
        return x, HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def _line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        scaled = [(x * ZOOM, y * ZOOM) for x, y in points]
        self.pen.line(scaled, fill=colour, width=round(width * ZOOM), joint="curve")

    def _dot(self, at: tuple[float, float], colour: str, radius: float) -> None:
        self.pen.circle((at[0] * ZOOM, at[1] * ZOOM), radius * ZOOM, fill=colour)

    def _text(
        self, at: tuple[float, float], text: str, size: int, colour: str, anchor: str = "la", stroke: float = 0.0
    ) -> None:
        font = ImageFont.load_default(size * ZOOM)
        place = (at[0] * ZOOM, at[1] * ZOOM)
        self.pen.text(place, text, colour, font, anchor=anchor, stroke_width=stroke * ZOOM, stroke_fill=colour)
