"""What others can use: `export` a network, `extract` labelled faces, `holdout` a test file with answers."""

import argparse
from pathlib import Path
from shlex import quote

from solution.cli.parser import Command, add_run_options
from solution.runtime.errors import UserError


def _export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="which specialist: any but the eye classifier")
    parser.add_argument("--format", choices=("onnx", "torchscript"), default="onnx", help="default: onnx")
    parser.add_argument("--fold", type=int, default=0, metavar="K", help="which fold's network (default: 0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: folds/DATASET/export/RECIPE-foldK.onnx, .pt")
    parser.add_argument("--bench", action="store_true", help="measure its speed beside PyTorch's, one thread")
    add_run_options(parser)


def _export(options: argparse.Namespace, root: Path) -> None:
    from solution import recipes
    from solution.deploy import export
    from solution.run import open_run

    recipes.load(options.recipe)  # a misspelt name is told before any file is read
    export.export(open_run(options, root), options.recipe, options.fold, options.format, options.out, options.bench)


EXPORT = Command(
    "write a trained fold's network as one file for other programs",
    "a training",
    "RECIPE-foldK.onnx or .pt",
    (
        "export unet_15",
        "export timm_all --fold 2 --format torchscript --out faces.pt",
        "export unet_all --data ~/fkd --scale cpu --bench",
    ),
    options=_export_options,
    run=_export,
)


def _extract_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--subset", choices=("15", "4", "all"), default="15", help="which rows (default: 15)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that is new or empty")
    parser.add_argument("--incomplete", action="store_true", help="also rows that lack a label of their subset")


def _extract(options: argparse.Namespace, root: Path) -> None:
    from solution.data.extract import complete_rows, extract, rows_of
    from solution.run import open_run
    from solution.runtime.device import LOG

    faces = rows_of(open_run(options, root).competition.train, options.subset)
    chosen = faces if options.incomplete else faces.take(complete_rows(faces))
    extract(chosen, options.out)
    LOG.info("Extract: %d faces of %d written to %s", len(chosen), len(faces), options.out)


EXTRACT = Command(
    "write labelled faces as PNG files with a table of their keypoints",
    "the files",
    "OUT/ID.png, OUT/keypoints.csv",
    ("extract --subset 15 --out ~/faces15", "extract --subset all --incomplete --out ~/faces"),
    options=_extract_options,
    run=_extract,
)

SHARE = 0.2
"""Kaggle's test file is a fifth of all faces. What is held out is not learnt from."""


def _holdout_options(parser: argparse.ArgumentParser) -> None:
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


def _holdout(options: argparse.Namespace, root: Path) -> None:
    from solution.data.holdout import Cut, hold_out
    from solution.data.reader import read_competition
    from solution.run import find_source
    from solution.runtime.artifacts import Workspace, require_empty
    from solution.runtime.device import LOG

    cut = Cut(share=options.share, seed=options.seed, kind=_kind(options), start=options.block)
    folder = options.out or root / "data" / f"holdout-{cut.name}"
    require_empty(folder)
    found = find_source(root, options.data)
    competition = read_competition(found.folder, Workspace(root, found.dataset).ready().cache)
    held = hold_out(competition, folder, cut)
    LOG.info("Holdout: %d of %d labelled faces are the test file of %s", held.sum(), len(held), folder)
    LOG.info("Holdout: `./run_all.sh --data %s` trains on the others and ends with its true score", quote(str(folder)))


def _kind(options: argparse.Namespace) -> str:
    """The kind of cut that the options ask for. UserError where they contradict each other."""
    from solution.data.holdout import BLOCK, END, RANDOM, TOGETHER

    if options.random and options.block is not None:
        raise UserError("--random, --block: expected one of the two. Leave one away.")
    if options.together and not options.random:
        raise UserError("--together: expected --random beside it, since a block takes each row where it is.")
    if options.random:
        return TOGETHER if options.together else RANDOM
    return END if options.block is None else BLOCK


HOLDOUT = Command(
    "hold labelled faces out as a test file with answers, for a run that ends with its true score",
    "the files",
    "OUT/: the competition's files anew, and answers.csv",
    ("holdout --data ~/fkd", "holdout --block 1200 --seed 1", "holdout --random --share 0.15 --out ~/held"),
    options=_holdout_options,
    run=_holdout,
)


COMMANDS = {"export": EXPORT, "extract": EXTRACT, "holdout": HOLDOUT}
