"""`train`: every recipe on every fold, or some."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_executor_option, add_run_options

VERB = Verb(
    "train specialists on folds",
    "folds",
    "RECIPE/foldN/",
    (
        "train",
        "train --recipe unet_all --fold 2",
        "train --recipe timm_all --recipe timm_15 --data ~/fkd --scale cpu --jobs 1",
    ),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    add_executor_option(parser)
    parser.add_argument("--recipe", action="append", default=[], metavar="NAME", help="only this one (repeatable)")
    parser.add_argument("--fold", type=int, metavar="K", help="only this fold")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import recipes, stages
    from solution.session import open_run

    for name in options.recipe:
        recipes.load(name)  # a misspelt name is told before any file is read
    stages.train(open_run(options, root), tuple(options.recipe), options.fold)
