"""`run`: every stage, from the files to a checked submission."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_executor_option, add_run_options

VERB = Verb(
    "every stage in order; redoes nothing that is complete",
    "nothing",
    "everything",
    ("run", "run --data ~/fkd --scale cpu", "run --scale smoke --fresh"),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    add_executor_option(parser)
    parser.add_argument("--fresh", action="store_true", help="forget earlier results of this data set first")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import outcomes, stages
    from solution.session import open_run

    session = open_run(options, root, fresh=options.fresh)
    with session.alone():
        stages.data(session)
        stages.folds(session)
        stages.train(session)
        stages.stack(session)
        outcomes.submission(session)
        outcomes.report(session)
