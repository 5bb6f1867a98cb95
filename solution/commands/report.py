"""`report`: what the predictions are worth."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb("RMSE per specialist, fold, subset and keypoint", "stack", "report.md, *.csv", ("report",))


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import outcomes
    from solution.session import open_run

    outcomes.report(open_run(options, root))
