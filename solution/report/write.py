"""A report written to files and shown on the terminal or as JSON."""

import json
import sys
from pathlib import Path

from solution.evaluation.error_tables import WEIGHTED
from solution.keypoints import SUBSETS
from solution.report.page import write_page
from solution.report.report import Report
from solution.report.sentences import closing, headline
from solution.report.tables import folds_table, headline_table, keypoints_table, overview, scores_table
from solution.report.terminal import show
from solution.report.to_json import facts
from solution.runtime.artifacts import write_text
from solution.runtime.device import LOG


def publish(folder: Path, report: Report, as_json: bool = False) -> None:
    """Write the Markdown, CSV and HTML files into `folder`; print the essentials, or one JSON object."""
    write_report(folder, report)
    page = write_page(folder, report)
    if as_json:
        json.dump(facts(report), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    else:
        show(report)
    LOG.info("Report: %s and %s", folder / "report.md", page)


def write_report(folder: Path, report: Report) -> None:
    """Write report.md, report.csv and keypoints.csv into `folder`, each atomically; the same input, the same bytes."""
    errors = report.evaluation.errors
    write_text(folder / "report.csv", scores_table(errors.folds, "fold").csv())
    write_text(folder / "keypoints.csv", scores_table(errors.keypoints, "point").csv())
    write_text(folder / "report.md", markdown(report))


def markdown(report: Report) -> str:
    """The whole report as Markdown."""
    table, folds = overview(report), folds_table(report)
    blocks = ["# Report", *headline(report), closing(report) + ".", headline_table(report).markdown()]
    blocks += ["## Overview", f"{' '.join(table.notes)} **Bold**: the best of its column.", table.markdown()]
    blocks.append("## Per fold")
    for subset in (*(str(s) for s in SUBSETS), WEIGHTED):
        title = "### Both, weighted by asked cells" if subset == WEIGHTED else f"### {subset}-keypoint rows"
        blocks += [title, folds.group(subset).without("rows", "minutes").markdown()]
    blocks += ["## Per keypoint", "**Bold**: the best for the keypoint."]
    for subset in map(str, SUBSETS):
        blocks += [f"### {subset}-keypoint rows", keypoints_table(report.evaluation.errors, subset).markdown()]
    return "\n\n".join(blocks) + "\n"
