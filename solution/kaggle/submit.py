"""A submission on its way: checked, confirmed, sent, entered in the ledger, and its score waited for."""

import sys
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from solution.data.competition import Competition
from solution.kaggle import COMPETITION, client, credentials, ledger
from solution.kaggle.ledger import ERROR, FAILED, LEDGER, PENDING, SCORED, UNKNOWN, Entry, Listed, listed, one_line
from solution.kaggle.submission import AGAIN, check_submission
from solution.runtime.artifacts import file_digest
from solution.runtime.device import LOG
from solution.runtime.errors import UserError

SAYS_SENT = "successfully submitted"

WAIT = 600.0
"""Seconds to wait for a score unless told otherwise; for an upload of this size Kaggle needs seconds to minutes."""

PAUSE, LONGEST_PAUSE, SLOWER = 5.0, 30.0, 1.5
"""Seconds between two looks at the score: the first, the longest, and how they grow."""

OPEN = (PENDING, UNKNOWN)


@dataclass(frozen=True)
class Upload:
    """A submission that may be sent, with its record and the message that Kaggle shows beside its score."""

    path: Path
    message: str
    record: dict[str, Any]

    @property
    def ledger(self) -> Path:
        return self.path.parent / LEDGER


def prepare(path: Path, competition: Competition, message: str) -> Upload:
    """The submission, read and checked once more.

    UserError for drawn faces and for rows held out, for a file that is missing, wrong or not the one that its record
    describes, and for a message that is empty or gives a secret away.
    """
    if competition.drawn:
        raise UserError(
            f"{path}: expected a submission for Kaggle's pictures, got one for drawn faces, which Kaggle cannot score. "
            "Run the stages on the competition's files first."
        )
    if competition.held_out:
        raise UserError(
            f"{path}: expected a submission for Kaggle's pictures, got one for labelled rows that were held out, which "
            "Kaggle cannot score. Run the stages on the competition's own files first."
        )
    message = one_line(message)
    if not message:
        raise UserError("--message: expected a few words that tell this submission from others, got none")
    if any(secret in message for secret in credentials.secrets()):
        raise UserError("--message: expected words that anybody may read, got a Kaggle token or key. Leave it out.")
    return Upload(path, message, check_submission(path, competition))


def send(upload: Upload) -> Entry:
    """Hand the submission to Kaggle; its line in the ledger, which every try gets.

    UserError for every answer but a clear success: such a try is entered as failed, never as sent. One that was given
    up or stopped on the way stays unknown until `refresh` finds out.
    """
    if file_digest(upload.path) != upload.record.get("sha256"):
        raise UserError(f"{upload.path}: expected the file that was checked, it has changed meanwhile. {AGAIN}")
    entry = _failed(upload)
    try:
        after = max((one.received for one in listed()), default="")
    except UserError:
        ledger.add(upload.ledger, entry)
        raise
    entry = ledger.add(upload.ledger, replace(entry, status=UNKNOWN, after=after))
    try:
        _upload(upload)
    except client.NoAnswerError as error:
        raise UserError(f"{error} Whether it arrived first: `python -m solution scores --refresh`.") from error
    except UserError:
        ledger.change(upload.ledger, entry, status=FAILED)
        raise
    return ledger.change(upload.ledger, entry, status=PENDING)


def wait(book: Path, entry: Entry, limit: float) -> Entry:
    """Ask Kaggle until this line's submission is scored or cannot be, for about `limit` seconds; the line then.

    An answer that does not come is asked for again, and Ctrl-C ends the waiting alone: the submission has arrived.
    """
    end, pause = time.monotonic() + limit, PAUSE
    try:
        while (entry := _asked(book, entry)).status == PENDING and time.monotonic() + pause <= end:
            time.sleep(pause)
            pause = min(pause * SLOWER, LONGEST_PAUSE)
    except KeyboardInterrupt:
        return entry
    return entry


def refresh(book: Path) -> int:
    """Ask Kaggle once for every line whose end is not known; how many are still open. UserError where it gives none."""
    waiting = [entry for entry in ledger.read(book) if entry.status in OPEN]
    found = listed(many=True) if waiting else []
    return sum(_updated(book, entry, found).status in OPEN for entry in waiting)


def _asked(book: Path, entry: Entry) -> Entry:
    """The line after one more look at Kaggle's list, as it was where there is no answer."""
    try:
        found = listed()
    except UserError:
        return entry
    return _updated(book, entry, found)


def _updated(book: Path, entry: Entry, found: list[Listed]) -> Entry:
    """The line with what Kaggle lists of it, if anything."""
    taken = {line.received for line in ledger.read(book) if line.received}
    one = _match(entry, found, taken)
    if one is None:
        return entry
    return ledger.change(
        *(book, entry), status=one.status, received=one.received, public=one.public, private=one.private
    )


def _match(entry: Entry, found: list[Listed], taken: Collection[str]) -> Listed | None:
    """The submission of Kaggle's list that this line is about: the first that came after the line was begun."""
    if entry.received:
        return next((one for one in found if one.received == entry.received), None)
    fitting = [
        one
        for one in found
        if (one.name, one.message) == (entry.name, entry.message)
        and one.received > entry.after
        and one.received not in taken
    ]
    return min(fitting, key=lambda one: one.received, default=None)


def _upload(upload: Upload) -> None:
    """The upload alone. UserError unless the client says in so many words that Kaggle took the file."""
    answer = client.call("competitions", "submit", "-c", COMPETITION, "-f", str(upload.path), "-m", upload.message)
    if SAYS_SENT not in answer.stdout.lower():
        raise client.failure(answer)


def _failed(upload: Upload) -> Entry:
    """The line of a try that has not got anywhere yet."""
    return Entry(
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        name=upload.path.name,
        message=upload.message,
        status=FAILED,
        **{name: upload.record.get(name, {}).get("overall") for name in ledger.FIGURES},
        sha256=upload.record["sha256"],
    )


def confirm(upload: Upload, yes: bool) -> None:
    """Show the submission and ask. yes: do not ask. UserError where the answer is no or nobody is there to give it."""
    for line in described(upload):
        LOG.info("%s", line)
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UserError("submit: expected --yes or a terminal to ask on, got neither. Add --yes to send this.")
    answer = _answer()
    if answer.strip().lower() not in ("y", "yes"):
        raise UserError(f"submit: expected a yes, got {answer.strip()!r}: nothing was sent")


def described(upload: Upload) -> list[str]:
    """What a person should know before saying yes: the file, what it should score, and whether it was sent before."""
    record = upload.record
    size = upload.path.stat().st_size / 1e6
    made = ", ".join(f"{what} {record[key]}" for what, key in (("made", "time"), ("scale", "scale")) if key in record)
    return [
        f"To send to {COMPETITION}: {upload.path}, {record['rows']} rows, {size:.1f} MB, {made}",
        f"Expected score: {_figures(record)}",
        f"Message: {upload.message}",
        *_warnings(upload),
    ]


def _figures(record: dict[str, Any]) -> str:
    """What the file should score on the leaderboard, over every label, with its interval, px."""
    expected = record.get("expected", {}).get("overall")
    if expected is None:
        return "the record has none"
    low, high = record.get("expected_intervals", {}).get("overall", (None, None))
    between = "" if low is None else f" (a test file of this size scores {low:.4f} to {high:.4f} 95 times in 100)"
    return f"{expected:.4f} px{between}"


def _warnings(upload: Upload) -> list[str]:
    """What may make a person think again: the same file sent before, and labels of duplicates in use."""
    sent = [
        entry
        for entry in ledger.read(upload.ledger)
        if entry.sha256 == upload.record["sha256"] and entry.status in (PENDING, SCORED, ERROR)
    ]
    lines = [f"This very file was sent on {entry.time[:16]} UTC as {entry.message!r}" for entry in sent[-1:]]
    if upload.record.get("use_duplicates"):
        lines.append("It uses the labels of training pictures that are in the test file, too (--use-duplicates)")
    return lines


def _answer() -> str:
    try:
        return input("Send it? [y/N] ")
    except EOFError:
        return ""
