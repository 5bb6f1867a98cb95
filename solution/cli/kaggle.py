"""The commands that talk to Kaggle: `submit`, `scores` and `download`."""

import argparse
from pathlib import Path

from solution.cli.parser import Command, add_run_options
from solution.runtime.artifacts import Workspace
from solution.runtime.errors import UserError


def _submit_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("name", nargs="?", default="submission", help="name of the file (default: submission)")
    parser.add_argument("-m", "--message", required=True, help="text that Kaggle shows beside the score")
    parser.add_argument("-y", "--yes", action="store_true", help="submit without asking")
    waiting = parser.add_mutually_exclusive_group()
    waiting.add_argument("--wait", type=float, metavar="SECONDS", help="longest wait for the score (default: 600)")
    waiting.add_argument("--no-wait", action="store_true", help="do not wait; `scores --refresh` gets the score later")


def _submit(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.kaggle.submit import WAIT
    from solution.run import open_run

    wait = None if options.no_wait else WAIT if options.wait is None else options.wait
    pipeline.submit(open_run(options, root), options.name, options.message, yes=options.yes, wait=wait)


def _scores_options(parser: argparse.ArgumentParser) -> None:
    data = "show only submissions that were made from this folder (default: all)"
    parser.add_argument("--data", type=Path, metavar="DIR", help=data)
    parser.add_argument("--refresh", action="store_true", help="ask Kaggle for the scores that are missing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _scores(options: argparse.Namespace, root: Path) -> None:
    from solution.kaggle import leaderboard, ledger, submit

    ledgers = _ledgers(root, options.data)
    if options.refresh:
        for path in ledgers.values():
            submit.refresh(path)
    entries = {name: ledger.read(path) for name, path in ledgers.items()}
    if options.json:
        print(leaderboard.as_json(entries))
        return
    for name, lines in entries.items():
        leaderboard.show(name, lines)


def _ledgers(root: Path, data: Path | None) -> dict[str, Path]:
    """The ledgers by data set, all or only that of one data folder. UserError if there is none."""
    from solution.kaggle.ledger import LEDGER

    folder = root / "submissions"
    names = [path.parent.name for path in sorted(folder.glob(f"*/{LEDGER}"))]
    if data is not None:
        from solution.run import dataset_name

        names = [name for name in names if name == dataset_name(data, root / "data")]
    if not names:
        raise UserError(
            f"{folder}: expected a ledger {LEDGER} of submissions to Kaggle, found none"
            f"{'' if data is None else f' for --data {data}'}. `python -m solution submit` makes one."
        )
    return {name: Workspace(root, name).submissions / LEDGER for name in names}


def _download_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder for the files (default: data/)")


def _download(options: argparse.Namespace, root: Path) -> None:
    from solution.kaggle.download import download
    from solution.runtime.device import LOG

    LOG.info("Kaggle: the competition's files are in %s", download(options.data or root / "data"))


COMMANDS = {
    "submit": Command(
        help="submit a file to Kaggle and wait for its score",
        needs="submission, and Kaggle credentials",
        makes="a line in scores.csv",
        examples=('submit -m "first try"', 'submit submission-plain -m "without drift" --yes --no-wait'),
        options=_submit_options,
        run=_submit,
    ),
    "scores": Command(
        help="show the submissions to Kaggle and their scores",
        needs="submit",
        makes="a table on the terminal; with --refresh also new scores in scores.csv",
        examples=("scores", "scores --data ~/fkd --refresh", "scores --json"),
        options=_scores_options,
        run=_scores,
    ),
    "download": Command(
        help="download the competition's files from Kaggle",
        needs="Kaggle credentials",
        makes="data/",
        examples=("download", "download --data ~/fkd"),
        options=_download_options,
        run=_download,
    ),
}
