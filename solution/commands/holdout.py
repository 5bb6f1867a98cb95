"""`holdout`: a test file of labelled faces, and its answers."""

import argparse
from pathlib import Path
from shlex import quote

from solution.errors import UserError
from solution.verb import Verb

VERB = Verb(
    "hold labelled faces out as a test file with answers, for a run that ends with its true score",
    "the files",
    "OUT/: the competition's files anew, and answers.csv",
    ("holdout --data ~/fkd", "holdout --block 1200 --seed 1", "holdout --random --share 0.15 --out ~/held"),
)

SHARE = 0.2
"""Kaggle's test file is a fifth of all faces. What is held out is not learnt from."""


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with the competition's files")
    parser.add_argument("--share", type=float, default=SHARE, help=f"of the labelled faces (default: {SHARE})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="names the random choice (default: 0)")
    parser.add_argument(
        "--block",
        type=int,
        metavar="START",
        help="hold out the 4-keypoint rows from this one on, counted from 0 (default: the last ones, as in Kaggle's "
        "files)",
    )
    parser.add_argument("--random", action="store_true", help="hold out single rows at random in place of a block")
    parser.add_argument("--together", action="store_true", help="with --random: keep identical pictures on one side")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="a folder that is new or empty (default: data/holdout-CUT-SEED)"
    )


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import source
    from solution.artefacts import Workspace, require_empty
    from solution.data.files import read_competition
    from solution.holdout import Cut, hold_out
    from solution.runtime import LOG

    cut = Cut(share=options.share, seed=options.seed, kind=_kind(options), start=options.block)
    folder = options.out or root / "data" / f"holdout-{cut.name}"
    require_empty(folder)
    found = source.find(root, options.data)
    competition = read_competition(found.folder, Workspace(root, found.dataset).ready().cache)
    held = hold_out(competition, folder, cut)
    LOG.info("Holdout: %d of %d labelled faces are the test file of %s", held.sum(), len(held), folder)
    LOG.info("Holdout: `./run_all.sh --data %s` trains on the others and ends with its true score", quote(str(folder)))


def _kind(options: argparse.Namespace) -> str:
    """The kind of cut that the options ask for. UserError where they contradict each other."""
    from solution.holdout import BLOCK, END, RANDOM, TOGETHER

    if options.random and options.block is not None:
        raise UserError("--random, --block: expected one of the two. Leave one away.")
    if options.together and not options.random:
        raise UserError("--together: expected --random beside it, since a block takes each row where it is.")
    if options.random:
        return TOGETHER if options.together else RANDOM
    return END if options.block is None else BLOCK
