"""The files of a comparison: compare.md, compare.csv and compare.png."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.report import drawing
from solution.report.drawing import Chart, Curve
from solution.runtime.artifacts import write_text
from solution.studies.baselines.leaderboard import Figure, Leaderboard, Row

TABLE, PAGE, PICTURE = "compare.csv", "compare.md", "compare.png"
COLOURS = {
    "coordinates": ("#1d4ed8", "#0891b2", "#6d28d9", "#3b82f6", "#0e7490", "#8b5cf6", "#1e3a8a"),
    "heatmaps": ("#c2410c", "#d97706", "#b91c1c"),
    "ours": ("#15803d", "#22a05a", "#4d7c0f"),
}
"""By family: blue and violet for coordinates, red and brown for heatmaps, green for ours."""

WIDTH = 80
HEADER = ("network", "read by", "weights", "mult.-adds", "train/s", "predict/s")


def write(folder: Path, leaderboard: Leaderboard, dataset: str) -> None:
    """Write table, page and picture into the folder."""
    write_text(folder / TABLE, frame(leaderboard).to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    write_text(folder / PAGE, page(leaderboard, dataset))
    drawing.save(folder / PICTURE, drawing.line_chart(chart(leaderboard, dataset)))


def frame(leaderboard: Leaderboard) -> pd.DataFrame:
    """A row for each network and reading: figures in their columns' units, rates in pictures a second."""
    plain = ("name", "reading", "family", "parameters", "multiply_adds", "training", "predicting", "minutes")
    rows = []
    for line in leaderboard.lines:
        row = {name: getattr(line, name) for name in plain} | {"rows": leaderboard.rows}
        for column, figure in line.figures.items():
            row |= dict(zip((column, f"{column}_low", f"{column}_high"), figure, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)


def page(leaderboard: Leaderboard, dataset: str) -> str:
    """The table with its explanation, as Markdown."""
    blocks = [
        f"# Earlier systems and ours, {leaderboard.minutes:g} min each",
        " ".join(sentences(leaderboard, dataset)),
        f"![error against minutes of training]({PICTURE})",
        markdown((*HEADER, *leaderboard.columns.values()), [cells(line) for line in leaderboard.lines]),
    ]
    if leaderboard.finished:
        rows = [(f.name, _number(f.minutes, 1), *map(_figure, f.figures.values())) for f in leaderboard.finished]
        header = ("finished, on the same fold", "minutes", *leaderboard.columns.values())
        blocks += ["## This run's own trainings", markdown(header, rows)]
    blocks += [
        "## What each is",
        "\n".join(dict.fromkeys(f"- **{x.title}** (`{x.name}`): {x.idea}." for x in leaderboard.lines)),
    ]
    return "\n\n".join(blocks) + "\n"


def sentences(leaderboard: Leaderboard, dataset: str) -> Iterator[str]:
    """How the figures were measured."""
    yield (
        f"{leaderboard.measure}, with its 95 % interval, on {leaderboard.rows} held-out rows (fold 0) of `{dataset}`. "
        f"Each network was trained on the other folds for {leaderboard.minutes:g} min of wall-clock time without "
        "evaluations, from random weights, with its own loss, optimiser and augmentation."
    )
    if leaderboard.outliers:
        yield (
            f"{leaderboard.outliers} rows are left out of every figure. Their labels, measured from the best network's "
            f"predictions, are {OUTLIERS_IN_WORDS}."
        )
    yield (
        "train/s and predict/s: pictures a second, on one core or GPU of this machine while the others were busy, "
        "too; our networks predict with six views of a picture. mult.-adds: of one view."
    )


def cells(line: Row) -> tuple[str, ...]:
    """A row of the table, by the columns of HEADER."""
    return (
        line.title,
        line.reading,
        f"{line.parameters / 1e6:.2f} M",
        f"{line.multiply_adds / 1e6:,.0f} M",
        _number(line.training),
        _number(line.predicting),
        *map(_figure, line.figures.values()),
    )


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table. The first column is aligned left, the others right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *rows])


def chart(leaderboard: Leaderboard, dataset: str) -> Chart:
    """Error against minutes, for each network by its best reading; thick lines for ours."""
    best: dict[str, Row] = {}
    for line in leaderboard.lines:  # best first
        best.setdefault(line.name, line)
    left = {family: iter(colours) for family, colours in COLOURS.items()}
    curves = [
        Curve(line.title, line.curve, next(left[line.family], "#6b7280"), line.family == "ours")
        for line in best.values()
    ]
    return Chart(
        f"Error against training time, {leaderboard.minutes:g} min each",
        f"{leaderboard.measure}, held-out faces of {dataset}; blue: coordinates, brown: heatmaps, green: this project",
        "minutes of training",
        curves,
    )


def show(leaderboard: Leaderboard, folder: Path, console: Console | None = None) -> None:
    """Print the figures in 80 columns, and the files' paths."""
    console = console or Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, title in enumerate((*HEADER[:2], *leaderboard.columns.values())):
        table.add_column(title, justify="right" if i else "left", no_wrap=True)
    for line in leaderboard.lines:
        figures = (_number(figure[0], 3) for figure in line.figures.values())
        table.add_row(*map(Text, (line.title, line.reading, *figures)))
    console.print(table, width=min(console.width, WIDTH))
    console.print(
        Text(f"{leaderboard.measure} first; {leaderboard.rows} rows, {leaderboard.outliers} outlier rows left out")
    )
    for name in (TABLE, PAGE, PICTURE):
        console.print(Text(str(folder / name)), soft_wrap=True)


def _figure(values: Figure) -> str:
    value, low, high = values
    return "-" if np.isnan(value) else f"{value:.2f} ({low:.2f} to {high:.2f})"


def _number(value: float, digits: int = 0) -> str:
    return "-" if np.isnan(value) else f"{value:,.{digits}f}"
