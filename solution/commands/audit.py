"""`audit`: labels that look wrong."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "rank the labels by how likely they are wrong",
    "stack",
    "audit.csv, .png, .json",
    ("audit", "audit --data ~/fkd --scale cpu"),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import outcomes
    from solution.session import open_run

    outcomes.audit(open_run(options, root))
