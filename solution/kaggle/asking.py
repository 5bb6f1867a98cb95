"""What is about to be sent, shown before anything leaves, and the question whether it may."""

import sys
from typing import Any

from solution.errors import UserError
from solution.kaggle import COMPETITION, ledger
from solution.kaggle.listing import ERROR, PENDING, SCORED
from solution.kaggle.sending import Parcel
from solution.runtime import LOG


def confirm(parcel: Parcel, yes: bool) -> None:
    """Show the submission and ask. yes: do not ask. UserError where the answer is no or nobody is there to give it."""
    for line in described(parcel):
        LOG.info("%s", line)
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UserError("submit: expected --yes or a terminal to ask on, got neither. Add --yes to send this.")
    answer = _answer()
    if answer.strip().lower() not in ("y", "yes"):
        raise UserError(f"submit: expected a yes, got {answer.strip()!r}: nothing was sent")


def described(parcel: Parcel) -> list[str]:
    """What a person should know before saying yes: the file, what it should score, and whether it was sent before."""
    record = parcel.record
    size = parcel.path.stat().st_size / 1e6
    made = ", ".join(f"{what} {record[key]}" for what, key in (("made", "time"), ("scale", "scale")) if key in record)
    return [
        f"To send to {COMPETITION}: {parcel.path}, {record['rows']} rows, {size:.1f} MB, {made}",
        f"Expected score: {_figures(record)}",
        f"Message: {parcel.message}",
        *_warnings(parcel),
    ]


def _figures(record: dict[str, Any]) -> str:
    """What the file should score on the leaderboard, over every label, with its interval, px."""
    expected = record.get("expected", {}).get("overall")
    if expected is None:
        return "the record has none"
    low, high = record.get("expected_intervals", {}).get("overall", (None, None))
    between = "" if low is None else f" (a test file of this size scores {low:.4f} to {high:.4f} 95 times in 100)"
    return f"{expected:.4f} px{between}"


def _warnings(parcel: Parcel) -> list[str]:
    """What may make a person think again: the same file sent before, and labels of twins in use."""
    sent = [
        entry
        for entry in ledger.read(parcel.ledger)
        if entry.sha256 == parcel.record["sha256"] and entry.status in (PENDING, SCORED, ERROR)
    ]
    lines = [f"This very file was sent on {entry.time[:16]} UTC as {entry.message!r}" for entry in sent[-1:]]
    if parcel.record.get("use_duplicates"):
        lines.append("It uses the labels of training pictures that are in the test file, too (--use-duplicates)")
    return lines


def _answer() -> str:
    try:
        return input("Send it? [y/N] ")
    except EOFError:
        return ""
