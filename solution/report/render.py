"""The report's figures as tables of text, for Markdown and the terminal, and as sheets, for the page.

A figure has three decimals. Brackets stand round a figure over a part of the labelled cells only, which cannot be
compared; a dash stands where there is none. `spark` draws curves with block characters; without it a few of their
figures stand instead, plain ASCII.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from solution.ensemble.selection import PLAIN
from solution.evaluation.calibration import Calibration
from solution.evaluation.error_tables import ALL, WEIGHTED, Tables
from solution.evaluation.headline import Figure
from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.evaluation.summary import Summary, closing, headline
from solution.evaluation.worst_faces import Picture
from solution.keypoints import SUBSETS
from solution.report.comparison import Comparison
from solution.report.provenance import Provenance
from solution.report.report import Contribution, Report
from solution.runtime.artifacts import write_text
from solution.specialists.history import Curve, by_recipe, mean_held, mean_loss

NONE = "-"
LEGEND = (
    "RMSE in pixels over all labelled cells of the 15-keypoint rows, of the 4-keypoint rows, and of both, weighted by "
    "the share of asked cells. (In brackets: over the part of the cells that the specialist predicts, "
    f"not comparable.) Without outliers: less those whose labels are {OUTLIERS_IN_WORDS}."
)

Mark = Callable[[str], str]
"""How the best figure of its kind is made to stand out."""


@dataclass(frozen=True)
class Grid:
    """A table of text: the first column names the row, the others hold figures."""

    header: list[str]
    rows: list[list[str]]


def overview(tables: Tables, summary: Summary, mark: Mark) -> Grid:
    """One row for each predictions: RMSE by subset, weighted, weighted without outliers, coverage, minutes."""
    folds = tables.folds[tables.folds["fold"] == ALL]
    columns = [*(str(s) for s in SUBSETS), WEIGHTED]
    cells = _pivot(folds, "subset", mark)
    over_all = folds[folds["subset"] == WEIGHTED].set_index("name")
    rows = [
        [
            name,
            *(cells[name, column] for column in columns),
            number(over_all["rmse_without_outliers"].loc[name]),
            share(over_all["coverage"].loc[name]),
            number(summary.seconds.get(name, math.nan) / 60, 1),
        ]
        for name in tables.names
    ]
    return Grid(["predictions", *columns, "w/o outliers", "coverage", "minutes"], rows)


def by_fold(tables: Tables, subset: str, mark: Mark) -> Grid:
    """One row for each predictions, one column for each fold, and all folds with and without outliers."""
    folds = tables.folds[tables.folds["subset"] == subset]
    columns = list(folds["fold"].unique())
    cells = _pivot(folds, "fold", mark)
    over_all = folds[folds["fold"] == ALL].set_index("name")
    rows = [
        [
            name,
            *(cells[name, column] for column in columns),
            number(over_all["rmse_without_outliers"].loc[name]),
            share(over_all["coverage"].loc[name]),
        ]
        for name in tables.names
    ]
    header = [column if column == ALL else f"fold {column}" for column in columns]
    return Grid(["predictions", *header, "w/o outliers", "coverage"], rows)


def by_keypoint(tables: Tables, subset: str, mark: Mark) -> Grid:
    """One row for each keypoint, one column for each predictions."""
    keypoints = tables.keypoints[tables.keypoints["subset"] == subset]
    cells = _pivot(keypoints, "point", mark)
    points = keypoints["point"].unique()
    return Grid(
        ["keypoint", *tables.names], [[point, *(cells[name, point] for name in tables.names)] for point in points]
    )


def _pivot(frame: pd.DataFrame, column: str, mark: Mark) -> dict[tuple[str, str], str]:
    """The figure of each (name, column) as text."""
    figures = zip(frame["name"], frame[column], frame["rmse"], frame["coverage"], frame["best"], strict=True)
    return {(name, at): figure(value, covered, mark if best else str) for name, at, value, covered, best in figures}


def figure(value: float, coverage: float, mark: Mark) -> str:
    """The figure of a table: marked if it is over all labelled cells, else in brackets."""
    text = number(value)
    return mark(text) if coverage == 1 or text == NONE else f"({text})"


def number(value: float, decimals: int = 3) -> str:
    """The figure with its decimals, or a dash."""
    return NONE if math.isnan(value) else f"{value:.{decimals}f}"


def share(value: float) -> str:
    """The share in per cent, or a dash."""
    return NONE if math.isnan(value) else f"{value:.0%}"


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
    said = "outlier" if one.outlier else NONE
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
        f"better. Lines but those over every label leave out {comparison.outliers} rows whose labels are far off from "
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


def write_report(folder: Path, tables: Tables, summary: Summary) -> None:
    """Write report.md, report.csv and keypoints.csv into `folder`, each atomically; the same input, the same bytes."""
    write_text(folder / "report.csv", _csv(tables.folds))
    write_text(folder / "keypoints.csv", _csv(tables.keypoints))
    write_text(folder / "report.md", page(tables, summary))


def page(tables: Tables, summary: Summary) -> str:
    """The whole report as Markdown."""
    blocks = ["# Report", *headline(summary), closing(summary) + "."]
    blocks += ["## Overview", f"{LEGEND} **Bold**: the best of its column.", _table(overview(tables, summary, _bold))]
    blocks.append("## Per fold")
    for subset in (*(str(s) for s in SUBSETS), WEIGHTED):
        title = "### Both, weighted by asked cells" if subset == WEIGHTED else f"### {subset}-keypoint rows"
        blocks += [title, _table(by_fold(tables, subset, _bold))]
    blocks += ["## Per keypoint", "**Bold**: the best for the keypoint."]
    for subset in map(str, SUBSETS):
        blocks += [f"### {subset}-keypoint rows", _table(by_keypoint(tables, subset, _bold))]
    return "\n\n".join(blocks) + "\n"


def _bold(text: str) -> str:
    return f"**{text}**"


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, float_format="%.6f", lineterminator="\n")


def _table(grid: Grid) -> str:
    """A Markdown table that is aligned in its source, too: names to the left, figures to the right."""
    lines = [grid.header, *grid.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(grid.header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    padded = [
        [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])


PARTS = ("overall", *SUBSETS)
TITLES = {"15": "15", "4": "4", WEIGHTED: "both"}


@dataclass(frozen=True)
class Cell:
    """value: what it sorts by, None = last. kind: CSS classes. heat, bar: 0 to 1, shown as colour and length."""

    text: str
    value: float | str | None = None
    kind: str = ""
    heat: float | None = None
    bar: float | None = None


@dataclass(frozen=True)
class Line:
    """group: the switch that shows it, where a table has one."""

    cells: list[Cell]
    group: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table. name: its id in the page. sorts: whether a click on a column's title sorts by it."""

    name: str
    header: list[str]
    lines: list[Line]
    sorts: bool = True


def headline_sheet(figures: tuple[Figure, ...]) -> Sheet:
    """The headline's figures with their intervals."""
    lines = []
    for one in figures:
        cells = [Cell(one.title, one.title)]
        for part in PARTS:
            value = one.scores.get(part, math.nan)
            low, high = one.intervals.get(part, (math.nan, math.nan))
            between = "" if math.isnan(low) else f"{number(low)} to {number(high)}"
            kind = "best" if one.key == "expected" else ""
            cells += [_figured(value, kind), Cell(between, None if math.isnan(low) else low, "quiet")]
        lines.append(Line(cells))
    header = ["RMSE, px", "both", "95 %", "15-keypoint rows", "95 %", "4-keypoint rows", "95 %"]
    return Sheet("standing-table", header, lines, sorts=False)


def folds_sheet(tables: Tables, summary: Summary) -> Sheet:
    """Predictions × fold × subset; a line for each predictions and subset that it says something of."""
    folds = [fold for fold in tables.folds["fold"].unique() if fold != ALL]
    lines = []
    whole = tables.folds[(tables.folds["fold"] == ALL) & (tables.folds["coverage"] == 1)]
    lowest = whole.groupby("subset")["rmse_without_outliers"].min()
    for key, part in tables.folds.groupby(["name", "subset"], sort=False):
        name, subset = map(str, key)
        row = part.set_index("fold")
        if math.isnan(row["rmse"].loc[ALL]):
            continue
        minutes = summary.seconds.get(name, math.nan) / 60
        cells = [Cell(name, name), Cell(TITLES[subset], TITLES[subset])]
        cells += [_scored(row.loc[fold]) for fold in [*folds, ALL]]
        without, covered = float(row["rmse_without_outliers"].loc[ALL]), float(row["coverage"].loc[ALL])
        kind = "part" if covered < 1 else "best" if without == lowest[subset] else ""
        cells.append(Cell(figure(without, covered, str), without, kind))
        cells += [Cell(share(covered), covered), _figured(minutes, decimals=1)]
        lines.append(Line(cells, subset))
    header = ["predictions", "rows", *(f"fold {fold}" for fold in folds), "all folds", "w/o outliers"]
    return Sheet("folds-table", [*header, "coverage", "minutes"], lines)


def heat_sheet(tables: Tables, subset: str) -> Sheet:
    """Keypoint × predictions, coloured from the smallest RMSE to the largest on a logarithmic scale."""
    own = tables.keypoints[tables.keypoints["subset"] == subset]
    points = own["point"].unique()
    own = own[own["rmse"].notna()]
    names = [name for name in tables.names if name in set(own["name"])]
    heat = _scale(own["rmse"])
    lines = []
    for point in points:
        rows = own[own["point"] == point].set_index("name")
        cells = [Cell(point.replace("_", " "), point)]
        cells += [_scored(rows.loc[name], heat) if name in rows.index else Cell(NONE) for name in names]
        lines.append(Line(cells))
    return Sheet(f"heat-{subset}", ["keypoint", *names], lines)


def _scale(values: pd.Series) -> Callable[[float], float]:
    """From px to 0 (the smallest) to 1 (the largest)."""
    low, high = (math.log(max(value, 1e-6)) for value in (values.min(), values.max()))
    return lambda value: round((math.log(max(value, 1e-6)) - low) / (high - low), 3) if high > low else 0.0


def contributions_sheet(found: tuple[Contribution, ...]) -> Sheet:
    """What each specialist adds and costs."""
    most = max((one.weight for each in found for one in each.shares.values()), default=1.0)
    lines = []
    for each in found:
        cells = [Cell(each.name, each.name)]
        for subset in SUBSETS:
            part = each.shares.get(subset)
            if part is None:
                cells += [Cell(NONE)] * 4
                continue
            joins = Cell(str(part.step), part.step)
            weight = Cell(number(part.weight, 2), part.weight, "bar", bar=round(part.weight / max(most, 1e-6), 3))
            cells += [joins, _figured(part.rmse), _figured(part.gain), weight]
        lines.append(Line([*cells, _figured(each.minutes, decimals=1)]))
    header = ["specialist"]
    for subset in SUBSETS:
        header += [f"{subset}: joins", "px with it", "gain", "weight"]
    return Sheet("contributions-table", [*header, "minutes"], lines)


def calibration_sheet(found: tuple[Calibration, ...]) -> Sheet:
    """How each spread compares with the errors found."""
    lines = []
    for one in found:
        within = [Cell(f"{value:.1%}", value) for value in one.within]
        ratio = _figured(one.ratio, decimals=2)
        cells = [Cell(one.name, one.name), Cell(str(one.points), one.points), ratio, *within]
        lines.append(Line([*cells, _figured(one.rank, decimals=2)], str(one.subset)))
    header = ["uncertainty of", "points", "error / spread", "within 1 sd", "within 2 sd", "rank correlation"]
    return Sheet("calibration-table", header, lines)


def recipes_sheet(made: Provenance) -> Sheet:
    """The specialists' settings in short, with their times."""
    lines = []
    for one in made.recipes:
        minutes = sum(one.seconds) / 60
        cells = [Cell(one.name, one.name)]
        cells += [Cell(str(one.settings.get(key, NONE)), one.settings.get(key)) for key in ("rows", "epochs", "batch")]
        cells += [Cell(one.parent or NONE, one.parent), Cell(one.device, one.device)]
        cells += [_figured(minutes, decimals=1), Cell(one.digest, one.digest, "code")]
        lines.append(Line(cells))
    header = ["specialist", "rows", "epochs", "batch", "starts from", "device", "minutes", "digest"]
    return Sheet("recipes-table", header, lines)


def settings_sheet(made: Provenance) -> Sheet:
    """Every setting of every specialist."""
    keys = list(dict.fromkeys(key for one in made.recipes for key in one.settings if key not in ("name", "runs_at")))
    lines = [
        Line(
            [
                Cell(key, key),
                *(Cell(_setting(one.settings[key]) if key in one.settings else NONE) for one in made.recipes),
            ]
        )
        for key in keys
    ]
    return Sheet("settings-table", ["setting", *(one.name for one in made.recipes)], lines, sorts=False)


def _setting(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def comparison_sheet(found: Comparison) -> Sheet:
    """This run's RMSE against another's, with paired differences."""
    lines = []
    for one in found.differences:
        sure = "better" if one.high < 0 else "worse" if one.low > 0 else ""
        between = Cell(f"{one.low:+.3f} to {one.high:+.3f}", one.low, "quiet")
        cells = [Cell(one.name, one.name), Cell(TITLES[one.subset], TITLES[one.subset])]
        cells += [_figured(one.ours), _figured(one.theirs), Cell(f"{one.point:+.3f}", one.point, sure), between]
        made = {None: NONE, True: "same", False: "other"}[one.same]
        lines.append(Line([*cells, Cell(str(one.rows), one.rows), Cell(made, made)], one.subset))
    header = ["predictions", "rows", "this run", "other run", "difference", "95 % interval", "pictures", "settings"]
    return Sheet("comparison-table", header, lines)


def _scored(row: pd.Series, heat: Callable[[float], float] | None = None) -> Cell:
    """A figure of the report's tables: the best marked, one over a part of the cells in brackets."""
    value, covered = float(row["rmse"]), float(row["coverage"])
    kind = "best" if row["best"] else "part" if covered < 1 else ""
    known = not math.isnan(value)
    warmth = heat(value) if heat is not None and known else None
    return Cell(figure(value, covered, str), value if known else None, kind, warmth)


def _figured(value: float, kind: str = "", decimals: int = 3) -> Cell:
    return Cell(number(value, decimals), None if math.isnan(value) else value, kind)
