"""The report's tables as rows of text, shared by the Markdown page and the terminal.

A figure has three decimals. Brackets stand round a figure over a part of the labelled cells only, which cannot be
compared; a dash stands where there is none.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from solution.keypoints import SUBSETS
from solution.report.summary import Summary
from solution.report.tables import ALL, WEIGHTED, Tables
from solution.suspects import FAR_IN_WORDS

NONE = "-"
LEGEND = (
    "RMSE in pixels over all labelled cells of the 15-keypoint rows, of the 4-keypoint rows, and of both, weighted by "
    "the share of asked cells. (In brackets: over the part of the cells that the specialist predicts, "
    f"not comparable.) Without outliers: less those whose labels are {FAR_IN_WORDS}."
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
