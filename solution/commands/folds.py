"""`folds`: which rows are held out together."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb("assign folds, twins together, both subsets spread", "data", "folds.csv", ("folds", "folds --data ~/fkd"))


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import stages
    from solution.session import open_run

    stages.folds(open_run(options, root))
