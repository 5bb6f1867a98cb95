"""One table, shown as page, Markdown, terminal, JSON or CSV.

A row holds raw values: a number, a text, an interval (low, high), or None. The column knows how they are written. A
number that is not known is a dash. A number that covers only a part of the data stands in brackets.
"""

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.table import Table as RichTable
from rich.text import Text

NONE = "-"
PART, BEST, BETTER, WORSE = "part", "best", "better", "worse"


@dataclass(frozen=True)
class Marked:
    """A number with a remark. PART: it covers a part of the data only. BEST, BETTER, WORSE: how it compares."""

    value: float
    mark: str


Value = float | int | str | bool | None | tuple[float, float] | Marked


@dataclass(frozen=True)
class Column:
    """How the values of one column are named and written."""

    key: str
    """Its name in JSON and CSV."""

    title: str = ""
    """Its title on page, Markdown and terminal; the key where it is empty."""

    unit: str = ""
    """"px", "min", or empty."""

    form: str = ""
    """Format specification of a number, such as ".3f"; empty for text and whole numbers."""

    best: bool = False
    """Whether the lowest value stands out: lower is better."""

    wide: bool = False
    """Whether only the page has room for it."""

    text: bool = False
    """Whether it holds texts: they stand to the left on the terminal, and long ones are folded."""

    kind: str = ""
    """CSS class of its cells: "quiet", "code", or "bar" for a bar as long as the number."""

    @property
    def header(self) -> str:
        return self.title or self.key


@dataclass(frozen=True)
class Cell:
    """One value as it is shown."""

    text: str
    value: float | str | None = None  # what the page sorts by; None is last
    kind: str = ""  # CSS classes
    heat: float | None = None  # 0 (the smallest value) to 1 (the largest), shown as a colour
    bar: float | None = None  # 0 to 1, shown as a length

    @property
    def best(self) -> bool:
        return self.kind == BEST


@dataclass(frozen=True)
class Table:
    """Raw values with all that is needed to show them."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    notes: Sequence[str] = ()
    """Sentences that explain the table."""

    name: str = ""
    """Its id in the page."""

    groups: Sequence[str] = ()
    """Each row's group, if there are groups: a switch of the page shows one, and the best is the best of its group."""

    best_of_row: bool = False
    """Whether the best value is that of a row, not of a column."""

    sorts: bool = True
    """Whether a click on a column's title sorts the page's rows."""

    heat: bool = False
    """Whether the page colours the numbers, on a logarithmic scale."""

    def group(self, name: str) -> "Table":
        """The rows of one group."""
        return replace(
            self, rows=[row for row, group in zip(self.rows, self.groups, strict=True) if group == name], groups=()
        )

    def without(self, *keys: str) -> "Table":
        """The table without these columns."""
        return self._of([i for i, column in enumerate(self.columns) if column.key not in keys])

    def narrow(self) -> "Table":
        """The table without the columns that only the page has room for."""
        return self._of([i for i, column in enumerate(self.columns) if not column.wide])

    def _of(self, kept: Sequence[int]) -> "Table":
        return replace(
            self, columns=[self.columns[i] for i in kept], rows=[[row[i] for i in kept] for row in self.rows]
        )

    def cells(self) -> list[list[Cell]]:
        """Every value as it is shown."""
        best, heat = self._best(), _scale([n for row in self.rows for v in row if (n := number_of(v)) is not None])
        most = max((number_of(row[i]) or 0.0 for i in self._bars() for row in self.rows), default=0.0)
        return [
            [
                _cell(
                    value,
                    column,
                    (at, i) in best,
                    heat=heat(value) if self.heat else None,
                    bar=_share(value, most) if column.kind == "bar" else None,
                )
                for i, (value, column) in enumerate(zip(row, self.columns, strict=True))
            ]
            for at, row in enumerate(self.rows)
        ]

    def lines(self) -> list[tuple[str, list[Cell]]]:
        """For the page: each row's group, empty without groups, and its cells."""
        return list(zip(self.groups or [""] * len(self.rows), self.cells(), strict=True))

    def _bars(self) -> list[int]:
        return [i for i, column in enumerate(self.columns) if column.kind == "bar"]

    def _best(self) -> set[tuple[int, int]]:
        """Row and column of every value that is the lowest of those it competes with."""
        rivals: dict[object, dict[tuple[int, int], float]] = {}
        for at, row in enumerate(self.rows):
            for i, value in enumerate(row):
                if self.columns[i].best and isinstance(value, float) and not math.isnan(value):
                    rival = at if self.best_of_row else (i, self.groups[at] if self.groups else "")
                    rivals.setdefault(rival, {})[at, i] = value
        return {at for values in rivals.values() for at, value in values.items() if value == min(values.values())}

    def markdown(self) -> str:
        """A Markdown table that is aligned in its source, too: the first column to the left, the others to the right.
        The best values are bold.
        """
        body = [[f"**{cell.text}**" if cell.best else cell.text for cell in row] for row in self.cells()]
        lines = [[column.header for column in self.columns], *body]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        padded = [
            [line[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True))]
            for line in lines
        ]
        return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])

    def rich(self) -> RichTable:
        """For the terminal: numbers stand to the right, and a star marks the best."""
        table = RichTable(box=None, pad_edge=False, header_style="bold")
        for i, column in enumerate(self.columns):
            left = column.text or (i == 0 and not column.form)
            table.add_column(
                Text(column.header), justify="left" if left else "right", no_wrap=not left, overflow="fold"
            )
        for row in self.cells():
            table.add_row(*(Text(f"{c.text}*", style="bold") if c.best else Text(c.text) for c in row))
        return table

    def records(self) -> list[dict[str, Any]]:
        """For JSON: one object for each row, by the columns' keys."""
        keys = [column.key for column in self.columns]
        return [dict(zip(keys, (_plain(value) for value in row), strict=True)) for row in self.rows]

    def csv(self) -> str:
        """With the columns' keys as header; numbers that are not whole have six decimals."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.key for column in self.columns])
        writer.writerows([_exact(_plain(value)) for value in row] for row in self.rows)
        return text.getvalue()


def number_of(value: Value) -> float | None:
    """The number that a value sorts by; None where it is no number."""
    if isinstance(value, Marked):
        value = value.value
    if isinstance(value, tuple):
        value = value[0]
    if isinstance(value, (bool, str)) or value is None or math.isnan(value):
        return None
    return value


def written(value: Value, form: str = "") -> str:
    """The value in this format; a dash where there is none."""
    if isinstance(value, Marked):
        text = written(value.value, form)
        return f"({text})" if value.mark == PART and text != NONE else text
    if isinstance(value, tuple):
        return NONE if math.isnan(value[0]) else f"{value[0]:{form}} to {value[1]:{form}}"
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return NONE
    return str(value) if isinstance(value, (str, bool)) else f"{value:{form}}"


def _cell(value: Value, column: Column, best: bool, heat: float | None, bar: float | None) -> Cell:
    mark = BEST if best else value.mark if isinstance(value, Marked) else column.kind
    shown = value if isinstance(value, str) and value else number_of(value)
    return Cell(written(value, column.form), shown, mark, heat, bar)


def _plain(value: Value) -> Any:  # noqa: ANN401 - any JSON value
    return value.value if isinstance(value, Marked) else list(value) if isinstance(value, tuple) else value


def _exact(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6f}"
    return "" if value is None else str(value)


def _share(value: Value, most: float) -> float | None:
    number = number_of(value)
    return None if number is None else round(number / max(most, 1e-6), 3)


def _scale(numbers: Sequence[float]) -> Callable[[Value], float | None]:
    """From a value to 0 (the smallest of the numbers) to 1 (the largest), on a logarithmic scale."""
    low, high = (math.log(max(end(numbers, default=1.0), 1e-6)) for end in (min, max))

    def heat(value: Value) -> float | None:
        number = number_of(value)
        if number is None:
            return None
        return round((math.log(max(number, 1e-6)) - low) / (high - low), 3) if high > low else 0.0

    return heat
