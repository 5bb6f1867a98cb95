"""The terminal's tables beside the overview: contributions, training, calibration, worst pictures, comparison.

`spark` draws curves with block characters; without it a few of their figures stand instead, plain ASCII.
"""

from collections.abc import Sequence

from solution.ensemble import PLAIN
from solution.keypoints import SUBSETS
from solution.report.calibration import Calibration
from solution.report.cells import NONE, Grid, number, share
from solution.report.comparison import Comparison
from solution.report.content import Report
from solution.report.contributions import Contribution
from solution.report.curves import Curve, by_recipe, mean_held, mean_loss
from solution.report.pictures import Picture

BLOCKS = "▁▂▃▄▅▆▇█"
LONGEST = 24
"""Characters of a sparkline; longer curves are thinned."""

FIGURES = 6
"""Figures of a curve where it cannot be drawn."""

TOP = 5
"""Worst pictures told."""


def contributions_grid(report: Report) -> Grid:
    """By subset: the blend's RMSE once a specialist has joined, what that gains, its weight; and minutes."""
    header = ["adds to the blend"]
    for s in SUBSETS:
        header += [f"{s}: px", "gain", "weight"]
    return Grid([*header, "minutes"], [_contribution(one) for one in report.contributions])


def _contribution(one: Contribution) -> list[str]:
    row = [one.name]
    for s in SUBSETS:
        part = one.shares.get(s)
        row += [NONE] * 3 if part is None else [number(part.rmse), number(part.gain), number(part.weight, 2)]
    return [*row, number(one.minutes, 1)]


def training_grid(report: Report, spark: bool) -> Grid:
    """Held-out RMSE against epochs for each specialist, mean of its folds."""
    drawn = ["loss", "held-out"] if spark else []
    rows = [_training(name, curves, spark) for name, curves in by_recipe(report.curves).items()]
    return Grid(["training", "epochs", *drawn, "first to last, px"], rows)


def _training(name: str, curves: Sequence[Curve], spark: bool) -> list[str]:
    loss, held = mean_loss(curves), [rmse for _, rmse in mean_held(curves)]
    if spark:
        ends = " ".join(number(value) for value in (held[:1] + held[-1:] if len(held) > 1 else held))
        return [name, str(len(loss)), sparkline(loss), sparkline(held), ends or NONE]
    return [name, str(len(loss)), " ".join(number(value, 2) for value in thinned(held, FIGURES)) or NONE]


def sparkline(values: Sequence[float]) -> str:
    """The values as a line of blocks, the highest for the largest; thinned to LONGEST."""
    shown = thinned(values, LONGEST)
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    steps = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((value - low) * steps)] for value in shown)


def thinned(values: Sequence[float], count: int) -> list[float]:
    """At most `count` of the values, evenly, the first and the last included."""
    if len(values) <= count:
        return list(values)
    return [values[round(i * (len(values) - 1) / (count - 1))] for i in range(count)]


def calibration_grid(report: Report) -> Grid:
    """Found error over predicted spread, and the share of errors within two spreads, by subset."""
    header = ["uncertainty"]
    for s in SUBSETS:
        header += [f"{s}: error/spread", "in 2 sd"]
    by_name: dict[str, dict[int, Calibration]] = {}
    for one in report.calibration:
        by_name.setdefault(one.name, {})[one.subset] = one
    return Grid(header, [_calibration(name, found) for name, found in by_name.items()])


def _calibration(name: str, found: dict[int, Calibration]) -> list[str]:
    row = [name]
    for s in SUBSETS:
        row += [number(found[s].ratio, 2), share(found[s].within[1])] if s in found else [NONE] * 2
    return row


def worst_grid(report: Report) -> Grid:
    """The TOP worst pictures."""
    return Grid(
        ["worst pictures", "id", "px rms", "points", "label"],
        [_picture(one, report.points) for one in report.pictures[:TOP]],
    )


def changed_grid(report: Report, comparison: Comparison) -> Grid:
    """The TOP pictures that changed most between two runs."""
    return Grid(
        ["changed most", "id", "px rms", "other run"],
        [
            [_worst_point(one, report.points), str(one.id), number(one.rms), number(one.rms_other or 0.0)]
            for one in comparison.changed[:TOP]
        ],
    )


def _picture(one: Picture, points: tuple[str, ...]) -> list[str]:
    said = "outlier" if one.suspect else NONE
    return [_worst_point(one, points), str(one.id), number(one.rms), str(one.subset), said]


def _worst_point(one: Picture, points: tuple[str, ...]) -> str:
    return points[max(one.marks, key=lambda mark: mark.error).point]


def comparison_grid(comparison: Comparison) -> Grid:
    """Ours against the other run, a line for each predictions and subset."""
    rows = [
        [
            f"{one.name}, {one.subset}",
            number(one.ours),
            number(one.theirs),
            f"{one.point:+.3f}",
            f"{one.low:+.3f} to {one.high:+.3f}",
        ]
        for one in comparison.differences
    ]
    return Grid(["RMSE, px", "this run", "other run", "difference", "95 % interval"], rows)


def comparison_sentences(comparison: Comparison) -> list[str]:
    """What the table compares, and what has no pair."""
    lines = [
        f"Compared with {comparison.against} on the same pictures: this run minus the other, below 0 this one is "
        f"better. Lines but those over every label leave out {comparison.suspects} rows whose labels are far off from "
        "both."
    ]
    if comparison.compared == PLAIN:
        lines.append(
            "The other run is of an earlier format, whose final predictions had the labels' drift added by rank: the "
            "plain predictions of both are compared."
        )
    for names, where in ((comparison.only_ours, "this run"), (comparison.only_theirs, "the other")):
        if names:
            lines.append(f"Only in {where}: {', '.join(names)}.")
    return lines
