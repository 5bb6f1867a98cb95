"""The command line: `python -m solution STAGE`. One verb a stage; `run` does them all."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from solution import __version__
from solution.errors import UserError

STOPPED = 130  # what a shell expects of a program ended by Ctrl-C


@dataclass(frozen=True)
class Verb:
    """One stage as data: what it says of itself, what it needs and makes, and an example."""

    name: str
    help: str
    needs: str
    makes: str
    example: str


VERBS = (
    Verb("run", "every stage in order; redoes nothing that is complete", "nothing", "everything", "run --scale smoke"),
    Verb("data", "read and check the competition's files", "the files", "a cache", "data --data ~/fkd"),
    Verb("folds", "assign folds, twins together, both subsets spread", "data", "folds.csv", "folds"),
    Verb("train", "train specialists on folds", "folds", "RECIPE/foldN/", "train --recipe unet_15 --fold 2"),
    Verb("stack", "blend and stack the specialists", "every training", "stack/", "stack"),
    Verb("submission", "write and check the submission CSV", "stack", "submissions/DATASET/*.csv", "submission"),
    Verb("report", "RMSE per specialist, fold, subset and keypoint", "stack", "report.md, *.csv", "report"),
    Verb("audit", "rank the labels by how likely they are wrong", "stack", "audit.csv, .png, .json", "audit"),
    Verb("submit", "hand a submission to Kaggle", "submission", "a line in scores.csv", "submit -m 'first try'"),
    Verb("download", "fetch the files from Kaggle", "Kaggle credentials", "data/", "download"),
)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="python -m solution",
        description="From the files of Kaggle's Facial Keypoints Detection to a submission.",
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="STAGE")
    for verb in VERBS:
        _add(verbs, verb)
    return top


def _add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", verb: Verb) -> None:
    one = verbs.add_parser(
        verb.name,
        help=verb.help,
        description=f"{verb.help[0].upper()}{verb.help[1:]}. Needs: {verb.needs}. Makes: {verb.makes}.",
        epilog=f"Example: python -m solution {verb.example}",
    )
    one.add_argument("--data", type=Path, metavar="DIR", help="folder with the competition's files")
    one.add_argument("--scale", help="smoke, cpu or full (default: full with a GPU, cpu without, smoke if drawn)")
    one.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    one.add_argument("--jobs", type=int, metavar="N", help="trainings at once (default: one a core, or one a GPU)")
    source = one.add_mutually_exclusive_group()
    source.add_argument("--weights", type=Path, metavar="DIR", help="BACKBONE.safetensors files (default: timm's hub)")
    source.add_argument("--no-pretrained", action="store_true", help="start every recipe from random weights")
    twins = "blend labels into test pictures identical to labelled ones (default: never; see README)"
    one.add_argument("--use-twins", action="store_true", help=twins)
    if verb.name == "run":
        one.add_argument("--fresh", action="store_true", help="forget earlier results of this data set first")
    if verb.name == "train":
        one.add_argument("--recipe", action="append", default=[], metavar="NAME", help="only this one (repeatable)")
        one.add_argument("--fold", type=int, metavar="K", help="only this fold")
    if verb.name == "submit":
        one.add_argument("name", nargs="?", default="submission", help="which file (default: submission)")
        one.add_argument("-m", "--message", required=True, help="what Kaggle shows beside the score")


def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Run one command; its exit code: 0, 2 for an error of the user's, 130 for Ctrl-C."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        _dispatch(options, root or Path.cwd())
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. Every finished epoch is kept: the same command goes on from there.", file=sys.stderr)
        return STOPPED
    return 0


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """A polite kill stops as Ctrl-C does: workers ended, nothing half-written used."""
    raise KeyboardInterrupt


def _dispatch(options: argparse.Namespace, root: Path) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: a job owns one core
    from solution import commands  # imports torch: two seconds that --help does not need

    commands.run(options, root)


if __name__ == "__main__":
    sys.exit(main())
