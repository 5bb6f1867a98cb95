"""`stack`: one prediction from all specialists."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb("blend and stack the specialists", "every training", "stack/", ("stack", "stack --data ~/fkd --scale cpu"))


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import stages
    from solution.session import open_run

    stages.stack(open_run(options, root))
