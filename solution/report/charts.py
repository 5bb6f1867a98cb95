"""The page's charts as plotly figures. The colours suit a light and a dark page; the page colours text and grid.

`meta` of a trace names the switch of the page that shows it: {"fold": 0} or {"subset": 15}.
"""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from solution.evaluation.calibration import Calibration
from solution.evaluation.error_tables import WEIGHTED
from solution.evaluation.evaluation import TOGETHER
from solution.evaluation.summary import Figure
from solution.keypoints import SUBSETS
from solution.report.comparison import Comparison
from solution.report.report import FIRST_PRIVATE, Contribution, Report
from solution.specialists.history import Curve, by_recipe, mean_held

PALETTE = (
    *("#4a86e8", "#dd7433", "#2aa085", "#b46bd6", "#bf9a1f"),
    *("#dc5c86", "#7a8b99", "#6fa83a", "#45b0d0", "#a9714b", "#8f8ae6", "#5f9e7f"),
)
"""Colours that differ on white and on near black; the first five are those of the folds."""

GREY = "#8a8f98"
PARTS: dict[str | int, str] = {"overall": "both", 15: "15-keypoint rows", 4: "4-keypoint rows"}
TICKS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 3, 4, 5, 7, 10, 14, 20, 30, 50)
COARSE = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
"""Pixels that logarithmic axes name: close together for a short axis, and coarse for a long one."""

ROW = 62
"""Height of a line with three intervals, screen pixels."""


def charts(report: Report) -> dict[str, dict[str, Any]]:
    """Every chart as plotly's JSON, by the name of its place in the page."""
    figures = {"standing": headline(report.figures, report.drawn)}
    figures |= {f"added-{s}": added(report.contributions, s) for s in SUBSETS}
    figures |= {"curves-all": all_curves(report.curves)}
    figures |= {f"curves-{name}": curves(folds) for name, folds in by_recipe(report.curves).items()}
    figures["calibration"] = calibration(report.evaluation.calibration)
    if report.comparison is not None:
        figures["comparison"] = comparison(report.comparison)
    return {name: figure.to_plotly_json() for name, figure in figures.items()}


def headline(figures: Sequence[Figure], drawn: bool) -> go.Figure:
    """The headline as points with intervals, one line for each figure, one colour for each subset."""
    lines = [figure for figure in figures if figure.short]
    figure = go.Figure()
    for at, (part, title) in enumerate(PARTS.items()):
        known = [(i, line) for i, line in enumerate(lines) if part in line.scores]
        figure.add_scatter(
            name=title,
            x=[_round(line.scores[part]) for _, line in known],
            y=[i + _offset(at) for i, _ in known],
            error_x=_bars([(line.scores[part], line.intervals.get(part)) for _, line in known], PALETTE[at]),
            mode="markers",
            marker={"color": PALETTE[at], "size": 10},
            text=[line.title for _, line in known],
            hovertemplate=f"%{{text}}<br>{title}: %{{x:.3f}} px<extra></extra>",
        )
    _lines(figure, [line.short for line in lines], "RMSE, px")
    if not drawn:
        # beside the expected score only: the leaderboard shows no figure of the other kinds
        _upright(figure, FIRST_PRIVATE, 1, f"Kaggle's first place, {FIRST_PRIVATE:.3f}")
    return figure


def added(contributions: Sequence[Contribution], subset: int) -> go.Figure:
    """The blend's RMSE as specialists join, the most useful first."""
    joined = sorted((c for c in contributions if subset in c.shares), key=lambda c: c.shares[subset].step)
    figure = go.Figure()
    figure.add_scatter(
        x=[part.name for part in joined],
        y=[_round(part.shares[subset].rmse) for part in joined],
        mode="lines+markers",
        line={"color": PALETTE[SUBSETS.index(subset) + 1], "width": 2},
        marker={"size": 8},
        hovertemplate="with %{x}: %{y:.3f} px<extra></extra>",
    )
    figure.update_layout(**_layout(260), xaxis={"type": "category", "tickangle": -35}, yaxis={"title": "px"})
    return figure


def all_curves(all_folds: Sequence[Curve]) -> go.Figure:
    """Held-out RMSE of every specialist, mean over the folds."""
    figure = go.Figure()
    for at, (name, folds) in enumerate(by_recipe(all_folds).items()):
        held = mean_held(folds)
        figure.add_scatter(
            name=name,
            x=[number for number, _ in held],
            y=[_round(rmse) for _, rmse in held],
            mode="lines+markers",
            line={"color": PALETTE[at % len(PALETTE)], "width": 2},
            marker={"size": 6},
            hovertemplate=f"{name}, epoch %{{x}}: %{{y:.3f}} px<extra></extra>",
        )
    figure.update_layout(
        **_layout(420), xaxis={"title": "epoch", "rangemode": "tozero"}, yaxis=_log_axis("held-out, px", TICKS)
    )
    return figure


def curves(folds: Sequence[Curve]) -> go.Figure:
    """One specialist: held-out RMSE above, loss below, one colour for each fold."""
    figure = go.Figure()
    for curve in folds:
        colour = PALETTE[curve.fold % len(PALETTE)]
        common = {"legendgroup": str(curve.fold), "line": {"color": colour, "width": 2}, "meta": {"fold": curve.fold}}
        held = [(epoch.number, epoch.held) for epoch in curve.epochs if epoch.held is not None]
        figure.add_scatter(
            name=f"fold {curve.fold}",
            x=[number for number, _ in held],
            y=[_round(value) for _, value in held],
            mode="lines+markers",
            marker={"size": 6},
            hovertemplate=f"fold {curve.fold}, epoch %{{x}}: %{{y:.3f}} px<extra></extra>",
            **common,
        )
        x, y = _broken(curve)
        figure.add_scatter(
            x=x,
            y=y,
            yaxis="y2",
            mode="lines+markers",
            marker={"size": 3},
            showlegend=False,
            hovertemplate=f"fold {curve.fold}, epoch %{{x}}: loss %{{y:.4g}}<extra></extra>",
            **common,
        )
    figure.update_layout(
        **_layout(420),
        xaxis={"title": "epoch", "rangemode": "tozero", "anchor": "y2"},
        yaxis={"title": "held-out, px", "domain": [0.54, 1]},
        yaxis2={**_log_axis("loss"), "domain": [0, 0.46], "anchor": "x"},
    )
    return figure


def _broken(curve: Curve) -> tuple[list[int | None], list[float | None]]:
    """Epochs and losses, with a gap between the phases of a training, because these have different losses."""
    x: list[int | None] = []
    y: list[float | None] = []
    phase = curve.epochs[0].phase if curve.epochs else ""
    for epoch in curve.epochs:
        if epoch.phase != phase:
            x.append(None)
            y.append(None)
            phase = epoch.phase
        x.append(epoch.number)
        y.append(_round(epoch.loss))
    return x, y


def calibration(parts: Sequence[Calibration]) -> go.Figure:
    """Error against predicted sigma, one line for each specialist. On the diagonal both are equal."""
    figure = go.Figure()
    names = list(dict.fromkeys(part.name for part in parts))
    for part in parts:
        together = part.name == TOGETHER
        figure.add_scatter(
            name=part.name,
            x=[_round(value) for value in part.predicted],
            y=[_round(value) for value in part.found],
            mode="lines+markers",
            line={"color": PALETTE[names.index(part.name) % len(PALETTE)], "width": 4 if together else 1.5},
            marker={"size": 8 if together else 5},
            meta={"subset": part.subset},
            visible=part.subset == SUBSETS[0],
            hovertemplate=f"{part.name}: predicted %{{x:.2f}} px, error %{{y:.2f}} px<extra></extra>",
        )
    values = [value for part in parts for value in (*part.predicted, *part.found) if value > 0]
    if values:
        ends = [_round(min(values)), _round(max(values))]
        figure.add_scatter(
            x=ends, y=ends, mode="lines", line={"color": GREY, "dash": "dot"}, name="error = sigma", hoverinfo="skip"
        )
    axes = {"xaxis": _log_axis("predicted sigma, px", COARSE), "yaxis": _log_axis("error, px", COARSE)}
    figure.update_layout(**_layout(460), **axes)
    return figure


def comparison(both: Comparison) -> go.Figure:
    """Differences with intervals, one line for each predictions, one colour for each subset.

    Below 0 this run is better. Trainings that are the same in both runs are left out.
    """
    shown = [part for part in both.differences if part.low < part.high] or both.differences
    names = list(dict.fromkeys(part.name for part in shown))
    figure = go.Figure()
    for at, (subset, title) in enumerate(((WEIGHTED, "both"), ("15", PARTS[15]), ("4", PARTS[4]))):
        parts = [part for part in shown if part.subset == subset]
        figure.add_scatter(
            name=title,
            x=[_round(part.point) for part in parts],
            y=[names.index(part.name) + _offset(at) for part in parts],
            error_x=_bars([(part.point, (part.low, part.high)) for part in parts], PALETTE[at]),
            mode="markers",
            marker={"color": PALETTE[at], "size": 9},
            text=[part.name for part in parts],
            hovertemplate=f"%{{text}}<br>{title}: %{{x:+.3f}} px<extra></extra>",
        )
    _lines(figure, names, "this run minus the other, px")
    _upright(figure, 0.0, len(names))
    return figure


def _lines(figure: go.Figure, titles: Sequence[str], unit: str) -> None:
    """Lay out a figure whose lines are numbered from the top."""
    figure.update_layout(
        **_layout(110 + ROW * len(titles)),
        xaxis={"title": unit, "zeroline": False},
        yaxis={
            "tickvals": list(range(len(titles))),
            "ticktext": list(titles),
            "range": [len(titles) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )


def _upright(figure: go.Figure, x: float, lines: int, name: str = "") -> None:
    """A dotted upright line as a reference, in the legend if it has a name."""
    figure.add_scatter(
        x=[x, x],
        y=[-0.5, lines - 0.5],
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        name=name,
        showlegend=bool(name),
        hoverinfo="skip",
    )


def _bars(values: Sequence[tuple[float, tuple[float, float] | None]], colour: str) -> dict[str, Any]:
    """Error bars from (point, interval); none where there is no interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [_round(interval[1] - point) if interval else None for point, interval in values],
        "arrayminus": [_round(point - interval[0]) if interval else None for point, interval in values],
        "color": colour,
        "thickness": 2,
        "width": 4,
    }


def _offset(at: int) -> float:
    """Distance of the part `at` of three from the middle of its line."""
    return (at - 1) * 0.22


def _log_axis(title: str, ticks: Sequence[float] = ()) -> dict[str, Any]:
    """A logarithmic axis with these ticks, or plotly's."""
    at = {"tickvals": list(ticks)} if ticks else {"dtick": "D2"}
    return {"title": title, "type": "log", "tickformat": ".3~g", **at}


def _layout(height: int) -> dict[str, Any]:
    return {
        "template": None,
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 28, "b": 8, "pad": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "dragmode": False,
        "hovermode": "closest",
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    }


def _round(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
