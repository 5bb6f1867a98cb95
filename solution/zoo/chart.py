"""Line charts as pictures: logarithmic upwards, each line named at its end. Drawn large and shrunk: clean lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1080, 640
ZOOM = 3
LEFT, TOP, RIGHT, BOTTOM = 64, 72, 276, 56
"""Margins; the right one holds the lines' names."""

PAPER, INK, FAINT, GRID = "#ffffff", "#22262b", "#6b7280", "#e5e7eb"
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


def draw(chart: Chart) -> Image.Image:
    """The chart as an RGB picture of WIDTH × HEIGHT."""
    canvas = Image.new("RGB", (WIDTH * ZOOM, HEIGHT * ZOOM), PAPER)
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
        self._text((LEFT - 40, 14), self.chart.title, 20, INK)
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
