"""`holdout`: a test file of labelled faces, and its answers."""

import argparse
from pathlib import Path
from shlex import quote

from solution.verb import Verb

VERB = Verb(
    "hold labelled faces out as a test file with answers, for a run that ends with its true score",
    "the files",
    "OUT/: the competition's files anew, and answers.csv",
    ("holdout --data ~/fkd --seed 1", "holdout --share 0.2 --out ~/held"),
)

SHARE = 0.15
"""Of the labelled faces. Kaggle's test file is a fifth of all faces; what is held out is not learnt from."""


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with the competition's files")
    parser.add_argument("--share", type=float, default=SHARE, help=f"of the labelled faces (default: {SHARE})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which faces (default: 0)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="a folder that is new or empty (default: data/holdout-SEED)"
    )


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import source
    from solution.artefacts import Workspace, require_empty
    from solution.data.files import read_competition
    from solution.holdout import check_choice, hold_out
    from solution.runtime import LOG

    folder = options.out or root / "data" / f"holdout-{options.seed}"
    check_choice(options.share, options.seed)
    require_empty(folder)
    found = source.find(root, options.data)
    competition = read_competition(found.folder, Workspace(root, found.dataset).ready().cache)
    held = hold_out(competition, folder, options.share, options.seed)
    LOG.info("Holdout: %d of %d labelled faces are the test file of %s", held.sum(), len(held), folder)
    LOG.info("Holdout: `./run_all.sh --data %s` trains on the others and ends with its true score", quote(str(folder)))
