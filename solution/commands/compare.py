"""`compare`: the earlier systems beside ours."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "train earlier systems and our own networks for the same time and set them side by side",
    "folds",
    "compare/, compare.csv, .md, .png; with --autoencoder: autoencoder/, .csv, .md, .png",
    ("compare --data ~/fkd --minutes 10", "compare --only naimishnet unet_all", "compare --autoencoder"),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--minutes", type=float, default=5.0, metavar="M", help="training time of each (default: 5)")
    only = "train only these: file names of solution/zoo/ancestors/, or unet_all, timm_all, cascade"
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=only)
    study = "instead: what pretraining by a denoising autoencoder is worth to an eye classifier"
    parser.add_argument("--autoencoder", action="store_true", help=study)


def run(options: argparse.Namespace, root: Path) -> None:
    from solution.errors import UserError
    from solution.session import open_run
    from solution.zoo import contest, publish, study, table

    if not options.minutes > 0:
        raise UserError(f"--minutes {options.minutes:g}: expected a time above 0")
    wanted = contest.chosen(options.only)
    session = open_run(options, root)
    folder = session.workspace.folds
    if options.autoencoder:
        study.show(study.study(session), folder)
        return
    contest.train(session, wanted, 60 * options.minutes)
    found = table.standing(session, 60 * options.minutes)
    publish.write(folder, found, session.source.dataset)
    publish.show(found, folder)
