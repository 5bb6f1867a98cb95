"""The commands that write data for other uses: `export`, `extract` and `holdout`."""

import argparse
from pathlib import Path
from shlex import quote

from solution.cli.parser import Command, add_run_options
from solution.runtime.errors import UserError

TEST_SHARE = 0.2
"""Share of labelled faces that `holdout` holds out. Kaggle's test file is a fifth of all faces, too."""


def _export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="the specialist: any one except eye_classifier")
    parser.add_argument(
        "--format", choices=("onnx", "torchscript"), default="onnx", help="the file's format (default: onnx)"
    )
    parser.add_argument("--fold", type=int, default=0, metavar="K", help="export this fold's network (default: 0)")
    out = "the file to write (default: folds/DATASET/export/RECIPE-foldK.onnx or .pt)"
    parser.add_argument("--out", type=Path, metavar="FILE", help=out)
    parser.add_argument("--bench", action="store_true", help="compare the speed with PyTorch's on one thread")
    add_run_options(parser)


def _export(options: argparse.Namespace, root: Path) -> None:
    from solution import recipes
    from solution.deploy import export
    from solution.run import open_run

    recipes.load(options.recipe)  # refuses a misspelt name before any file is read
    export.export(open_run(options, root), options.recipe, options.fold, options.format, options.out, options.bench)


def _extract_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--subset", choices=("15", "4", "all"), default="15", help="which rows (default: 15)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or an empty folder")
    parser.add_argument("--incomplete", action="store_true", help="include rows that lack some label of their subset")


def _extract(options: argparse.Namespace, root: Path) -> None:
    from solution.data.extract import complete_rows, extract, rows_of
    from solution.run import open_run
    from solution.runtime.device import LOG

    faces = rows_of(open_run(options, root).competition.train, options.subset)
    chosen = faces if options.incomplete else faces.take(complete_rows(faces))
    extract(chosen, options.out)
    LOG.info("Extract: %d faces of %d written to %s", len(chosen), len(faces), options.out)


def _holdout_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with the competition's files")
    share = f"share of the labelled faces to hold out (default: {TEST_SHARE})"
    parser.add_argument("--share", type=float, default=TEST_SHARE, help=share)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the random choice (default: 0)")
    block = "hold out 4-keypoint rows from this one on, counted from 0 (default: the last rows, as in Kaggle's files)"
    parser.add_argument("--block", type=int, metavar="START", help=block)
    parser.add_argument("--random", action="store_true", help="hold out random rows, not a block")
    parser.add_argument("--together", action="store_true", help="with --random: do not separate identical pictures")
    out = "a new or an empty folder (default: data/holdout-CUT-SEED)"
    parser.add_argument("--out", type=Path, metavar="DIR", help=out)


def _holdout(options: argparse.Namespace, root: Path) -> None:
    from solution.data.holdout import Cut, hold_out
    from solution.data.reader import read_competition
    from solution.run import find_source
    from solution.runtime.artifacts import Workspace, require_empty
    from solution.runtime.device import LOG

    cut = Cut(share=options.share, seed=options.seed, kind=_kind(options), start=options.block)
    folder = options.out or root / "data" / f"holdout-{cut.name}"
    require_empty(folder)
    source = find_source(root, options.data)
    competition = read_competition(source.folder, Workspace(root, source.dataset).ready().cache)
    held = hold_out(competition, folder, cut)
    LOG.info("Holdout: %d of %d labelled faces are the test file of %s", held.sum(), len(held), folder)
    command = f"./run_all.sh --data {quote(str(folder))}"
    LOG.info("Holdout: `%s` trains on the other faces and reports its RMSE on the test file", command)


def _kind(options: argparse.Namespace) -> str:
    """The kind of cut that the options select. UserError if they contradict each other."""
    from solution.data.holdout import BLOCK, END, RANDOM, TOGETHER

    if options.random and options.block is not None:
        raise UserError("--random, --block: expected only one of the two. Remove one.")
    if options.together and not options.random:
        raise UserError("--together: expected --random with it, because a block does not choose rows.")
    if options.random:
        return TOGETHER if options.together else RANDOM
    return END if options.block is None else BLOCK


COMMANDS = {
    "export": Command(
        help="write the trained network of one fold as a file for other programs",
        needs="train, for this recipe and fold",
        makes="RECIPE-foldK.onnx or RECIPE-foldK.pt",
        examples=(
            "export unet_15",
            "export timm_all --fold 2 --format torchscript --out faces.pt",
            "export unet_all --data ~/fkd --scale cpu --bench",
        ),
        options=_export_options,
        run=_export,
    ),
    "extract": Command(
        help="write labelled faces as PNG files, with a table of their keypoints",
        needs="the competition's files",
        makes="OUT/ID.png, OUT/keypoints.csv",
        examples=("extract --subset 15 --out ~/faces15", "extract --subset all --incomplete --out ~/faces"),
        options=_extract_options,
        run=_extract,
    ),
    "holdout": Command(
        help="hold out labelled faces as a test file with answers; a run on it reports its true RMSE",
        needs="the competition's files",
        makes="OUT/ with new competition files and answers.csv",
        examples=(
            "holdout --data ~/fkd",
            "holdout --block 1200 --seed 1",
            "holdout --random --share 0.15 --out ~/held",
        ),
        options=_holdout_options,
        run=_holdout,
    ),
}
