"""`submit`: a checked upload."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb("hand a submission to Kaggle", "submission", "a line in scores.csv", ('submit -m "first try"',))


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("name", nargs="?", default="submission", help="which file (default: submission)")
    parser.add_argument("-m", "--message", required=True, help="what Kaggle shows beside the score")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import outcomes
    from solution.session import open_run

    outcomes.submit(open_run(options, root), options.name, options.message)
