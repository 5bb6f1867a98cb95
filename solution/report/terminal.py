"""The report's essentials on the terminal: 80 columns, plain text where the output is no terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from solution.report.report import Report
from solution.report.sentences import closing, comparison_sentences, headline
from solution.report.tables import (
    calibration_table,
    changed_table,
    comparison_table,
    contributions_table,
    headline_table,
    overview,
    training_table,
    worst_table,
)
from solution.table import Table

WIDTH = 80


def show(report: Report, console: Console | None = None) -> None:
    """Print the tables, the headline, and as the last line where the submission is and its expected RMSE."""
    console = console or Console()
    width = min(console.width, WIDTH)
    for part in _parts(report, console.is_terminal):
        console.print(part.narrow().rich() if isinstance(part, Table) else Text(part), width=width)
        console.print()
    console.print(Text(closing(report), style="bold"), soft_wrap=True)  # one line: the path can be copied


def _parts(report: Report, spark: bool) -> Iterator[Table | str]:
    """Tables and sentences in their order."""
    scores = overview(report)
    yield scores
    yield f"{' '.join(scores.notes)} *: the best of its column."
    tables = (
        contributions_table(report),
        training_table(report.curves, spark),
        calibration_table(report),
        worst_table(report),
    )
    yield from (table for table in tables if table.rows)
    if report.comparison is not None:
        yield comparison_table(report.comparison)
        yield from comparison_sentences(report.comparison)
        yield changed_table(report.comparison, report.points)
    yield headline_table(report)
    yield from headline(report, steps=False)
