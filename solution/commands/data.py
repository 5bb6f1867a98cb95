"""`data`: the files, checked and cached."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "read and check the competition's files",
    "the files",
    "a cache",
    ("data", "data --data ~/fkd", "data --data data/drawn"),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import stages
    from solution.session import open_run

    stages.data(open_run(options, root))
