"""`submission`: the CSV that Kaggle takes."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "write and check the submission CSV",
    "stack",
    "submissions/DATASET/*.csv",
    ("submission", "submission --data ~/fkd --scale cpu", "submission --data ~/fkd --use-duplicates"),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import outcomes
    from solution.session import open_run

    outcomes.submission(open_run(options, root))
