"""Pictures that are written to files: faces with their points, sheets of faces, heatmaps and line charts.

A picture is an array (H, W, 3) uint8, its channels blue, green, red. OpenCV draws faces, since a video needs many a
second; matplotlib draws charts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from solution.runtime.artifacts import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Colour = tuple[int, int, int]

# Nearly everyone can distinguish orange from sky blue, on dark skin and on light skin.
LABEL, PREDICTION = (0, 120, 255), (255, 200, 60)
SIGMA, EDGE, LINK, WHITE = (255, 230, 160), (35, 35, 35), (150, 150, 150), (255, 255, 255)
FRACTION_BITS = 4
"""OpenCV takes coordinates in units of 2**-FRACTION_BITS pixels."""


def face(
    image: np.ndarray,
    labels: np.ndarray | None = None,
    predictions: np.ndarray | None = None,
    zoom: int = 3,
    links: bool = False,
) -> np.ndarray:
    """Draw a grey picture (H, W) uint8, `zoom` times as large, with points (K, 2) in its pixels.

    Predictions are dots. Labels are rings, or dots if there are no predictions. links: join each label to its
    prediction by a line. Points that are NaN are left out.
    """
    canvas = enlarge(image, zoom)
    if labels is not None and predictions is not None and links:
        for pair in np.stack([labels, predictions], axis=1):  # (2, 2)
            if not np.isnan(pair).any():
                start, end = _fixed(_enlarged(pair, zoom)).tolist()
                cv2.line(canvas, start, end, LINK, 1, cv2.LINE_AA, FRACTION_BITS)
    for point in _known(predictions):
        dot(canvas, _enlarged(point, zoom), 0.95 * zoom, PREDICTION, 0.3 * zoom)
    for point in _known(labels):
        if predictions is None:
            dot(canvas, _enlarged(point, zoom), 0.95 * zoom, LABEL, 0.3 * zoom)
        else:
            ring(canvas, _enlarged(point, zoom), 1.7 * zoom, LABEL)
    return canvas


def mark_face(canvas: np.ndarray, box: np.ndarray, coords: np.ndarray, sigma: np.ndarray, scale: float) -> None:
    """Draw one face into a picture: its box x, y, w, h (4,), and its points (K, 2), in pixels.

    Each point has a ring around it whose distance is the point's standard deviation, sigma (K,). scale: how many
    pixels of the picture are one pixel of the network's crop; it sets the size of the dots.
    """
    x, y, width, height = np.rint(box).astype(int).tolist()
    thickness = max(1, round(0.7 * scale))
    cv2.rectangle(canvas, (x, y), (x + width - 1, y + height - 1), LABEL, thickness, cv2.LINE_AA)
    radius = max(1.0, (1.1 if len(coords) < 30 else 0.7) * scale)
    for point, deviation in zip(coords, sigma, strict=True):
        ring(canvas, point, radius + deviation, SIGMA)
        dot(canvas, point, radius, PREDICTION, 0.6)


def dot(canvas: np.ndarray, point: np.ndarray, radius: float, colour: Colour, edge: float = 0.0) -> None:
    """Draw a disc about a point (2,), with a dark edge of this width outside it. All lengths are in pixels."""
    centre = _fixed(point).tolist()
    for size, paint in ((radius + edge, EDGE), (radius, colour)) if edge else ((radius, colour),):
        cv2.circle(canvas, centre, round(size * 2**FRACTION_BITS), paint, cv2.FILLED, cv2.LINE_AA, FRACTION_BITS)


def ring(canvas: np.ndarray, point: np.ndarray, radius: float, colour: Colour) -> None:
    """Draw a circle, one pixel wide, about a point (2,). All lengths are in pixels."""
    size = round(radius * 2**FRACTION_BITS)
    cv2.circle(canvas, _fixed(point).tolist(), size, colour, 1, cv2.LINE_AA, FRACTION_BITS)


def text(canvas: np.ndarray, words: str, at: tuple[int, int], size: float, colour: Colour) -> None:
    """Write words whose lower left corner is at (x, y). size: 1 is about 22 pixels high."""
    cv2.putText(canvas, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


def fitting(words: str, width: int, size: float) -> str:
    """The start of the words that `text` writes within a width in pixels."""
    while cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 1)[0][0] > width:
        words = words[:-1]
    return words


def heat(image: np.ndarray, maps: np.ndarray, zoom: int = 3) -> np.ndarray:
    """Draw heatmaps (K, h, w), each in its own hue, over a grey picture (H, W) uint8, `zoom` times as large."""
    canvas = enlarge(image, zoom).astype(np.float32) * 0.6
    hues = np.arange(len(maps)) * 180 // max(len(maps), 1)
    colours = cv2.cvtColor(np.array([[[hue, 200, 255] for hue in hues]], np.uint8), cv2.COLOR_HSV2BGR)[0]
    for values, colour in zip(maps, colours.astype(np.float32), strict=True):
        large = cv2.resize(values.astype(np.float32), canvas.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        cover = np.clip(large / values.max(), 0, 1)[..., None]
        canvas += cover * (colour - canvas)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def enlarge(image: np.ndarray, zoom: int, interpolation: int = cv2.INTER_CUBIC) -> np.ndarray:
    """A grey picture (H, W) uint8 as a colour picture, `zoom` times as large."""
    return cv2.cvtColor(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=interpolation), cv2.COLOR_GRAY2BGR)


def sheet(tiles: Sequence[np.ndarray], columns: int, gap: int = 6, paper: Colour = WHITE) -> np.ndarray:
    """Put pictures of one size side by side in rows of `columns`, `gap` pixels of paper between them."""
    height, width = (size + gap for size in tiles[0].shape[:2])
    rows = -(-len(tiles) // columns)
    page = np.full((rows * height - gap, columns * width - gap, 3), paper, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = i // columns * height, i % columns * width
        page[top : top + height - gap, left : left + width - gap] = tile
    return page


def save(path: Path, picture: np.ndarray) -> Path:
    """Write a picture as a PNG file, atomically. The same picture gives the same bytes. Returns the path."""
    _, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    write_bytes(path, data.tobytes())
    return path


def _known(points: np.ndarray | None) -> np.ndarray:
    """The points (K, 2) without those that are NaN."""
    return np.empty((0, 2)) if points is None else points[~np.isnan(points).any(axis=1)]


def _enlarged(points: np.ndarray, zoom: int) -> np.ndarray:
    """Points in the pixels of the enlarged picture: a pixel's centre becomes the centre of zoom × zoom pixels."""
    return (points + 0.5) * zoom - 0.5


def _fixed(points: np.ndarray) -> np.ndarray:
    """Points as the integers that OpenCV takes, in 2**-FRACTION_BITS pixels."""
    return np.rint(points * 2**FRACTION_BITS).astype(int)


CHART_SIZE = (1080, 640)
"""Width and height of a chart in pixels."""
AXES = (0.06, 0.0875, 0.685, 0.80)
"""Left, bottom, width and height of a chart's axes, as shares of the chart. The curves' names are right of them."""
NAME_SPACING = 0.035
"""Smallest distance between two curves' names, as a share of the axes' height."""
TICKS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Ticks of the logarithmic axis within a power of ten."""
INK, FAINT, GRID = "#22262b", "#6b7280", "#e5e7eb"


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    points: Sequence[tuple[float, float]]
    """(x, y) in rising x; y is above 0."""
    colour: str
    bold: bool = False


@dataclass(frozen=True)
class Chart:
    """A line chart whose x axis starts at 0 and whose y axis is logarithmic."""

    title: str
    subtitle: str
    x_title: str
    curves: Sequence[Curve]


def line_chart(chart: Chart) -> np.ndarray:
    """Draw a chart as a picture of CHART_SIZE. The name of each curve, with its last y, is at the curve's end."""
    import matplotlib.style  # here, since it takes a second that only a chart should cost
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.style.context("default"):  # the user's own settings do not change a chart
        figure = Figure((CHART_SIZE[0] / 100, CHART_SIZE[1] / 100), dpi=100)
        canvas = FigureCanvasAgg(figure)
        figure.text(0.022, 0.975, chart.title, fontsize=14, color=INK, va="top")
        figure.text(0.022, 0.93, chart.subtitle, fontsize=9.5, color=FAINT, va="top")
        axes = figure.add_axes(AXES)
        for curve in chart.curves:
            x, y = np.transpose(curve.points)
            width, size = (2.4, 5.0) if curve.bold else (1.4, 3.5)
            axes.plot(x, y, "o-", color=curve.colour, lw=width, ms=size, clip_on=False)
        _style(axes, chart)
        _name_curves(axes, chart.curves)
        canvas.draw()
        return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., 2::-1])


def _style(axes: "Axes", chart: Chart) -> None:
    """Scales, ticks and grid."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    y = [point[1] for curve in chart.curves for point in curve.points]
    axes.set_yscale("log")
    axes.set(xlabel=chart.x_title, ylim=(min(y) / 1.08, max(y) * 1.08))
    axes.set_xlim(0, max(point[0] for curve in chart.curves for point in curve.points))
    axes.yaxis.set_major_locator(LogLocator(subs=TICKS))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["left", "top", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.xaxis.label.set_color(FAINT)
    axes.tick_params(axis="both", colors=FAINT)
    axes.tick_params(axis="y", length=0)


def _name_curves(axes: "Axes", curves: Sequence[Curve]) -> None:
    """Write the curves' names right of the axes, each joined to the end of its curve."""
    ends = np.array([curve.points[-1] for curve in curves])
    heights = axes.transAxes.inverted().transform(axes.transData.transform(ends))[:, 1]
    for curve, end, height in zip(curves, ends, keep_apart(heights, NAME_SPACING), strict=True):
        axes.annotate(
            f"{curve.name}  {end[1]:.2f}",
            xy=(float(end[0]), float(end[1])),
            xytext=(1.035, height),
            textcoords="axes fraction",
            va="center",
            color=curve.colour,
            fontsize=9,
            fontweight="bold" if curve.bold else "normal",
            arrowprops={"arrowstyle": "-", "color": curve.colour, "lw": 0.6, "relpos": (0, 0.5)},
            annotation_clip=False,
        )


def keep_apart(places: np.ndarray, spacing: float, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Places (N,), moved as little as needed so that neighbours are `spacing` apart, between low and high."""
    order = np.argsort(places, kind="stable")
    steps = spacing * np.arange(len(places))
    moved = np.maximum.accumulate(np.maximum(places[order] - steps, low))  # upwards, away from the one below
    highest = high - steps[-1]
    result = np.empty(len(places))
    result[order] = np.minimum(moved, highest) + steps
    return result
