"""`trial`: an experiment that can be repeated."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "train variations of a recipe and compare them with it",
    "the recipe's trainings",
    "trials/, a line in trials.csv",
    ("trial unet_4/sane unet_4/twins --data ~/fkd", "trial unet_all/attention --folds 1"),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("names", nargs="+", metavar="RECIPE/TRIAL", help="see solution/trials/")
    parser.add_argument("--folds", type=int, metavar="N", help="only the first N folds (default: all)")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import trials
    from solution.errors import UserError
    from solution.runtime import LOG
    from solution.session import open_run
    from solution.trials import compare, work

    for name in options.names:
        trials.load(name)
    session = open_run(options, root)
    if options.folds is not None and not 1 <= options.folds <= session.table.k:
        raise UserError(f"--folds {options.folds}: expected 1 to {session.table.k}")
    folds = tuple(range(options.folds or session.table.k))
    work.train(session, tuple(options.names), folds)
    found = [one for name in options.names for one in compare.outcomes(session, name, folds)]
    compare.write(session, found)
    for one in found:
        LOG.info("%s", compare.sentence(one))
