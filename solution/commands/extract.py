"""`extract`: labelled faces as picture files."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "write labelled faces as PNG files with a table of their keypoints",
    "the files",
    "OUT/ID.png, OUT/keypoints.csv",
    ("extract --subset 15 --out ~/faces15", "extract --subset all --incomplete --out ~/faces"),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--subset", choices=("15", "4", "all"), default="15", help="which rows (default: 15)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that is new or empty")
    parser.add_argument("--incomplete", action="store_true", help="also rows that lack a label of their subset")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution.extract import complete_rows, extract, rows_of
    from solution.runtime import LOG
    from solution.session import open_run

    faces = rows_of(open_run(options, root).competition.train, options.subset)
    chosen = faces if options.incomplete else faces.take(complete_rows(faces))
    extract(chosen, options.out)
    LOG.info("Extract: %d faces of %d written to %s", len(chosen), len(faces), options.out)
