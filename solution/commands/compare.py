"""`compare`: the earlier systems beside ours."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "train earlier systems and our own networks for the same time and set them side by side",
    "folds; with --points 68: pictures with 68 points",
    "compare/, compare.csv, .md, .png; with --autoencoder: autoencoder/, .csv, .md, .png",
    (
        "compare --data ~/fkd --minutes 10",
        "compare --only naimishnet unet_all",
        "compare --autoencoder",
        "compare --points 68 --data ~/faces68/training.zip --only alexnet_elu naimishnet unet_68",
    ),
)

MINUTES = 5.0


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--minutes", type=float, metavar="M", help=f"training time of each (default: {MINUTES:g})")
    only = "train only these: file names of solution/zoo/ancestors/, or unet_all, timm_all, cascade; unet_68"
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=only)
    points = "15: the competition's faces; 68: --data is a zip or folder with 68 points a picture (default: 15)"
    parser.add_argument("--points", type=int, choices=(15, 68), default=15, help=points)
    study = "instead: what pretraining by a denoising autoencoder is worth to an eye classifier"
    parser.add_argument("--autoencoder", action="store_true", help=study)


def run(options: argparse.Namespace, root: Path) -> None:
    from solution.errors import UserError

    if options.autoencoder and (options.only or options.minutes is not None):
        raise UserError("--autoencoder: expected neither --only nor --minutes beside it, it is a study of its own")
    minutes = MINUTES if options.minutes is None else options.minutes
    if not minutes > 0:
        raise UserError(f"--minutes {minutes:g}: expected a time above 0")
    if options.points == 68:
        _faces68(options, root, minutes)
    else:
        _competition(options, root, minutes)


def _competition(options: argparse.Namespace, root: Path, minutes: float) -> None:
    from solution.session import open_run
    from solution.zoo import contest, publish, study, table
    from solution.zoo.arena import chosen

    wanted = chosen(contest.contenders(), options.only)
    session = open_run(options, root)
    folder = session.workspace.folds
    if options.autoencoder:
        study.show(study.study(session), folder)
        return
    contest.train(session, wanted, 60 * minutes)
    found = table.standing(session, 60 * minutes)
    publish.write(folder, found, session.source.dataset)
    publish.show(found, folder)


def _faces68(options: argparse.Namespace, root: Path, minutes: float) -> None:
    from solution.errors import UserError
    from solution.session import open_study
    from solution.zoo import contest68, publish, table68
    from solution.zoo.arena import chosen

    if options.autoencoder:
        raise UserError("--autoencoder: expected --points 15, whose eyes it learns from")
    wanted = chosen(contest68.contenders(), options.only)
    study, device, jobs = open_study(options, root)
    contest68.train(study, wanted, 60 * minutes, device, jobs)
    found = table68.standing(study, 60 * minutes)
    publish.write(study.workspace.folds, found, study.workspace.dataset)
    publish.show(found, study.workspace.folds)
