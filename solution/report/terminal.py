"""The report's essentials on the terminal: 80 columns, plain text where the output is no terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from solution.report.cells import LEGEND, Grid, overview
from solution.report.summary import Summary, closing, headline
from solution.report.tables import Tables

WIDTH = 80


def show(tables: Tables, summary: Summary, console: Console | None = None) -> None:
    """Print the headline, the overview, and as the last line where the submission lies and its expected RMSE."""
    console = console or Console()
    width = min(console.width, WIDTH)
    console.print(_table(overview(tables, summary, _starred)), width=width)
    for sentence in (f"{LEGEND} *: the best of its column.", *headline(summary)):
        console.print()
        console.print(Text(sentence), width=width)
    console.print()
    console.print(Text(closing(summary), style="bold"), soft_wrap=True)  # one line, so that the path can be copied


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
