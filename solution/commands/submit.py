"""`submit`: a checked upload, and its score."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "hand a submission to Kaggle and wait for its score",
    "submission, Kaggle credentials",
    "a line in scores.csv",
    ('submit -m "first try"', 'submit submission-plain -m "without drift" --yes --no-wait'),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("name", nargs="?", default="submission", help="which file (default: submission)")
    parser.add_argument("-m", "--message", required=True, help="what Kaggle shows beside the score")
    parser.add_argument("-y", "--yes", action="store_true", help="send without asking")
    waiting = parser.add_mutually_exclusive_group()
    waiting.add_argument("--wait", type=float, metavar="SECONDS", help="longest wait for the score (default: 600)")
    waiting.add_argument("--no-wait", action="store_true", help="do not wait: `scores --refresh` asks later")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import outcomes
    from solution.kaggle.sending import WAIT
    from solution.session import open_run

    wait = None if options.no_wait else WAIT if options.wait is None else options.wait
    outcomes.submit(open_run(options, root), options.name, options.message, yes=options.yes, wait=wait)
