"""`download`: the competition's files from Kaggle."""

import argparse
from pathlib import Path

from solution.verb import Verb

VERB = Verb("fetch the files from Kaggle", "Kaggle credentials", "data/", ("download", "download --data ~/fkd"))


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the files go (default: data/)")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution.kaggle.download import download
    from solution.runtime import LOG

    LOG.info("Kaggle: the competition's files are in %s", download(options.data or root / "data"))
