"""The page's tables: cells with a text to read and a value to sort by."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from solution.keypoints import SUBSETS
from solution.report.calibration import Calibration
from solution.report.cells import NONE, figure, number, share
from solution.report.comparison import Comparison
from solution.report.contributions import Contribution
from solution.report.provenance import Provenance
from solution.report.standing import Figure
from solution.report.summary import Summary
from solution.report.tables import ALL, WEIGHTED, Tables

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


def standing_sheet(figures: tuple[Figure, ...]) -> Sheet:
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
        cells += [Cell(one.start_from or NONE, one.start_from), Cell(one.device, one.device)]
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
