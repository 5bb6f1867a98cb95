"""`scores`: the ledger of what was sent."""

import argparse
from pathlib import Path

from solution.artefacts import Workspace
from solution.errors import UserError
from solution.verb import Verb

VERB = Verb(
    "show what was sent to Kaggle and what it scored",
    "a submission that was sent",
    "a table; with --refresh new scores in scores.csv",
    ("scores", "scores --data ~/fkd --refresh", "scores --json"),
)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="only what was made from this folder (default: all)")
    parser.add_argument("--refresh", action="store_true", help="ask Kaggle for the scores that are still missing")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution.kaggle import ledger, scores, sending

    books = _ledgers(root, options.data)
    if options.refresh:
        for book in books.values():
            sending.refresh(book)
    lines = {name: ledger.read(book) for name, book in books.items()}
    if options.json:
        print(scores.as_json(lines))
        return
    for name, entries in lines.items():
        scores.show(name, entries)


def _ledgers(root: Path, data: Path | None) -> dict[str, Path]:
    """The ledgers there are, by their data set's name, or the one of a data folder. UserError where there is none."""
    from solution.kaggle.ledger import LEDGER

    every = root / "submissions"
    names = [path.parent.name for path in sorted(every.glob(f"*/{LEDGER}"))]
    if data is not None:
        from solution.source import dataset_name

        names = [name for name in names if name == dataset_name(data, root / "data")]
    if not names:
        raise UserError(
            f"{every}: expected a ledger {LEDGER} of what was sent to Kaggle, found none"
            f"{'' if data is None else f' for --data {data}'}. `python -m solution submit` makes one."
        )
    return {name: Workspace(root, name).submissions / LEDGER for name in names}
