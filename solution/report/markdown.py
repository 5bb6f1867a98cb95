"""The report as files: report.md to read, report.csv and keypoints.csv to calculate with."""

from pathlib import Path

import pandas as pd

from solution.artefacts import write_text
from solution.keypoints import SUBSETS
from solution.report.cells import LEGEND, Grid, by_fold, by_keypoint, overview
from solution.report.summary import Summary, closing, headline
from solution.report.tables import WEIGHTED, Tables


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
