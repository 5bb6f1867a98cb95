"""The report's essentials on the terminal: 80 columns, plain text where the output is no terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from solution.evaluation.summary import closing, headline
from solution.report.render import (
    LEGEND,
    Grid,
    calibration_grid,
    changed_grid,
    comparison_grid,
    comparison_sentences,
    contributions_grid,
    overview,
    training_grid,
    worst_grid,
)
from solution.report.report import Report

WIDTH = 80


def show(report: Report, console: Console | None = None) -> None:
    """Print the tables, the headline, and as the last line where the submission lies and its expected RMSE."""
    console = console or Console()
    width = min(console.width, WIDTH)
    for part in _parts(report, console.is_terminal):
        console.print(_table(part) if isinstance(part, Grid) else Text(part), width=width)
        console.print()
    console.print(Text(closing(report.summary), style="bold"), soft_wrap=True)  # one line: the path can be copied


def _parts(report: Report, spark: bool) -> Iterator[Grid | str]:
    """Tables and sentences in their order."""
    yield overview(report.tables, report.summary, _starred)
    yield f"{LEGEND} *: the best of its column."
    grids = (
        contributions_grid(report),
        training_grid(report, spark),
        calibration_grid(report),
        worst_grid(report),
    )
    yield from (grid for grid in grids if grid.rows)
    if report.comparison is not None:
        yield comparison_grid(report.comparison)
        yield from comparison_sentences(report.comparison)
        yield changed_grid(report, report.comparison)
    yield from headline(report.summary, steps=False)


def _starred(text: str) -> str:
    return f"{text}*"


def _table(grid: Grid) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(grid.header[0], overflow="fold")
    for title in grid.header[1:]:
        table.add_column(title, justify="right", no_wrap=True)
    for name, *figures in grid.rows:
        table.add_row(Text(name), *(Text(figure, style="bold" if figure.endswith("*") else "") for figure in figures))
    return table
