"""Kaggle's verbs: `submit` a submission, its `scores`, and `download` of the files."""

import argparse
from pathlib import Path

from solution.cli.parser import Command, add_run_options
from solution.runtime.artifacts import Workspace
from solution.runtime.errors import UserError


def _submit_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("name", nargs="?", default="submission", help="which file (default: submission)")
    parser.add_argument("-m", "--message", required=True, help="what Kaggle shows beside the score")
    parser.add_argument("-y", "--yes", action="store_true", help="send without asking")
    waiting = parser.add_mutually_exclusive_group()
    waiting.add_argument("--wait", type=float, metavar="SECONDS", help="longest wait for the score (default: 600)")
    waiting.add_argument("--no-wait", action="store_true", help="do not wait: `scores --refresh` asks later")


def _submit(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.kaggle.submit import WAIT
    from solution.run import open_run

    wait = None if options.no_wait else WAIT if options.wait is None else options.wait
    pipeline.submit(open_run(options, root), options.name, options.message, yes=options.yes, wait=wait)


SUBMIT = Command(
    "hand a submission to Kaggle and wait for its score",
    "submission, Kaggle credentials",
    "a line in scores.csv",
    ('submit -m "first try"', 'submit submission-plain -m "without drift" --yes --no-wait'),
    options=_submit_options,
    run=_submit,
)


def _scores_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="only what was made from this folder (default: all)")
    parser.add_argument("--refresh", action="store_true", help="ask Kaggle for the scores that are still missing")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _scores(options: argparse.Namespace, root: Path) -> None:
    from solution.kaggle import leaderboard, ledger, submit

    books = _ledgers(root, options.data)
    if options.refresh:
        for book in books.values():
            submit.refresh(book)
    lines = {name: ledger.read(book) for name, book in books.items()}
    if options.json:
        print(leaderboard.as_json(lines))
        return
    for name, entries in lines.items():
        leaderboard.show(name, entries)


def _ledgers(root: Path, data: Path | None) -> dict[str, Path]:
    """The ledgers there are, by their data set's name, or the one of a data folder. UserError where there is none."""
    from solution.kaggle.ledger import LEDGER

    every = root / "submissions"
    names = [path.parent.name for path in sorted(every.glob(f"*/{LEDGER}"))]
    if data is not None:
        from solution.run import dataset_name

        names = [name for name in names if name == dataset_name(data, root / "data")]
    if not names:
        raise UserError(
            f"{every}: expected a ledger {LEDGER} of what was sent to Kaggle, found none"
            f"{'' if data is None else f' for --data {data}'}. `python -m solution submit` makes one."
        )
    return {name: Workspace(root, name).submissions / LEDGER for name in names}


SCORES = Command(
    "show what was sent to Kaggle and what it scored",
    "a submission that was sent",
    "a table; with --refresh new scores in scores.csv",
    ("scores", "scores --data ~/fkd --refresh", "scores --json"),
    options=_scores_options,
    run=_scores,
)


def _download_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the files go (default: data/)")


def _download(options: argparse.Namespace, root: Path) -> None:
    from solution.kaggle.download import download
    from solution.runtime.device import LOG

    LOG.info("Kaggle: the competition's files are in %s", download(options.data or root / "data"))


DOWNLOAD = Command(
    "fetch the files from Kaggle",
    "Kaggle credentials",
    "data/",
    ("download", "download --data ~/fkd"),
    options=_download_options,
    run=_download,
)


COMMANDS = {"submit": SUBMIT, "scores": SCORES, "download": DOWNLOAD}
