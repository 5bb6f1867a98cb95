"""`report`: what the predictions are worth, as a page, as tables, and against another run."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "RMSE per specialist, fold, subset and keypoint, and all that explains it",
    "stack",
    "report.html, report.md, report.csv, keypoints.csv",
    ("report", "report --json", "report --data ~/fkd --against ~/other-run/folds/fkd"),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    against = "compare with another finished run on the same data: its folder folds/DATASET"
    parser.add_argument("--against", type=Path, metavar="RUN", help=against)
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object, log lines on stderr")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import outcomes
    from solution.session import open_run

    outcomes.report(open_run(options, root), options.against, options.json)
