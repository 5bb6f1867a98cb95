"""`train`: every recipe on every fold, or some."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb("train specialists on folds", "folds", "RECIPE/foldN/", ("train --recipe unet_15 --fold 2",))


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--recipe", action="append", default=[], metavar="NAME", help="only this one (repeatable)")
    parser.add_argument("--fold", type=int, metavar="K", help="only this fold")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import stages
    from solution.session import open_run

    stages.train(open_run(options, root), tuple(options.recipe), options.fold)
