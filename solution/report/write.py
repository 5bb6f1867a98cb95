"""A report written to files, and told on the terminal or as JSON."""

import json
import sys
from pathlib import Path

from solution.report.page import write_page
from solution.report.render import write_report
from solution.report.report import Report
from solution.report.terminal import show
from solution.report.to_json import facts
from solution.runtime.device import LOG


def publish(folder: Path, report: Report, as_json: bool = False) -> None:
    """Write the Markdown, CSV and HTML files into `folder`; print the essentials, or one JSON object."""
    write_report(folder, report.tables, report.summary)
    page = write_page(folder, report)
    if as_json:
        json.dump(facts(report), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    else:
        show(report)
    LOG.info("Report: %s and %s", folder / "report.md", page)
