"""Sending a submission: check it, ask for confirmation, send it, enter it in the ledger, and wait for its score."""

import sys
import time
from collections.abc import Collection
from contextlib import suppress
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

WAIT = 600.0  # seconds to wait for a score by default; for an upload of this size Kaggle needs seconds to minutes
PAUSE, LONGEST_PAUSE, SLOWER = 5.0, 30.0, 1.5
"""Seconds between two requests for the score: the first, the longest, and the factor by which they grow."""

OPEN = (PENDING, UNKNOWN)


@dataclass(frozen=True)
class Upload:
    """A checked submission."""

    path: Path
    message: str  # the message that Kaggle shows beside the score
    record: dict[str, Any]  # the submission's record, see submission.py

    @property
    def ledger(self) -> Path:
        """The ledger beside the submission."""
        return self.path.parent / LEDGER


def prepare(path: Path, competition: Competition, message: str) -> Upload:
    """Read the submission and check it again.

    UserError for drawn faces and for held-out rows, for a file that is missing, wrong or not the one that its record
    describes, and for a message that is empty or contains a secret.
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
        raise UserError("--message: expected a few words that describe this submission, got none")
    if any(secret in message for secret in credentials.secrets()):
        raise UserError("--message: expected a text without secrets, got a Kaggle token or key. Leave it out.")
    return Upload(path, message, check_submission(path, competition))


def send(upload: Upload) -> Entry:
    """Send the submission to Kaggle and return its line in the ledger. Every try has a line.

    UserError for every answer but a clear success: such a try is entered as failed. A try that times out or is stopped
    stays unknown until `refresh` finds out.
    """
    if file_digest(upload.path) != upload.record.get("sha256"):
        raise UserError(f"{upload.path}: expected the file that was checked, it has changed meanwhile. {AGAIN}")
    entry = _failed(upload)
    try:
        after = max((submission.received for submission in listed()), default="")
    except UserError:
        ledger.add(upload.ledger, entry)
        raise
    entry = ledger.add(upload.ledger, replace(entry, status=UNKNOWN, after=after))
    try:
        _upload(upload)
    except client.NoAnswerError as error:
        raise UserError(f"{error} Whether it arrived first: `python -m solution scores --refresh`.") from error
    except UserError:
        ledger.change(upload.ledger, entry, replace(entry, status=FAILED))
        raise
    return ledger.change(upload.ledger, entry, replace(entry, status=PENDING))


def wait(book: Path, entry: Entry, limit: float) -> Entry:
    """Ask Kaggle until this line's submission has a score or an error, for about `limit` seconds; return the line.

    A request that fails is repeated. Ctrl-C ends only the waiting, since the submission has arrived.
    """
    end, pause = time.monotonic() + limit, PAUSE
    try:
        while True:
            with suppress(UserError):
                entry = _updated(book, entry, listed())
            if entry.status != PENDING or time.monotonic() + pause > end:
                return entry
            time.sleep(pause)
            pause = min(pause * SLOWER, LONGEST_PAUSE)
    except KeyboardInterrupt:
        return entry


def refresh(book: Path) -> int:
    """Ask Kaggle once for all open lines; the number that is still open. UserError where Kaggle gives no list."""
    waiting = [entry for entry in ledger.read(book) if entry.status in OPEN]
    submissions = listed(many=True) if waiting else []
    return sum(_updated(book, entry, submissions).status in OPEN for entry in waiting)


def _updated(book: Path, entry: Entry, submissions: list[Listed]) -> Entry:
    """The line with the result from Kaggle's list; unchanged where the list does not have it."""
    taken = {line.received for line in ledger.read(book) if line.received}
    match = _match(entry, submissions, taken)
    if match is None:
        return entry
    facts = {name: getattr(match, name) for name in ("status", "received", "public", "private")}
    return ledger.change(book, entry, replace(entry, **facts))


def _match(entry: Entry, submissions: list[Listed], taken: Collection[str]) -> Listed | None:
    """The submission of this line in Kaggle's list: the first one that arrived after the line was begun."""
    if entry.received:
        return next((submission for submission in submissions if submission.received == entry.received), None)
    candidates = [
        submission
        for submission in submissions
        if (submission.name, submission.message) == (entry.name, entry.message)
        and submission.received > entry.after
        and submission.received not in taken
    ]
    return min(candidates, key=lambda submission: submission.received, default=None)


def _upload(upload: Upload) -> None:
    """Upload the file. UserError unless the client reports success in words."""
    answer = client.call("competitions", "submit", "-c", COMPETITION, "-f", str(upload.path), "-m", upload.message)
    if SAYS_SENT not in answer.stdout.lower():
        raise client.failure(answer)


def _failed(upload: Upload) -> Entry:
    """The line of a try before anything is sent."""
    return Entry(
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        name=upload.path.name,
        message=upload.message,
        status=FAILED,
        **{name: upload.record.get(name, {}).get("overall") for name in ledger.FIGURES},
        sha256=upload.record["sha256"],
    )


def confirm(upload: Upload, yes: bool) -> None:
    """Show the submission and ask, unless `yes`. UserError where the answer is no or there is no terminal to ask on."""
    for line in described(upload):
        LOG.info("%s", line)
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UserError("submit: expected --yes or a terminal to ask on, got neither. Add --yes to send this.")
    try:
        answer = input("Send it? [y/N] ").strip()
    except EOFError:
        answer = ""
    if answer.lower() not in ("y", "yes"):
        raise UserError(f"submit: expected a yes, got {answer!r}: nothing was sent")


def described(upload: Upload) -> list[str]:
    """Everything that a person needs for the decision: file, expected score in px, message, and warnings."""
    record = upload.record
    size = upload.path.stat().st_size / 1e6
    made = ", ".join(f"{what} {record[key]}" for what, key in (("made", "time"), ("scale", "scale")) if key in record)
    lines = [
        f"To send to {COMPETITION}: {upload.path}, {record['rows']} rows, {size:.1f} MB, {made}",
        f"Expected score: {_expected(record)}",
        f"Message: {upload.message}",
    ]
    earlier = [
        f"This very file was sent on {entry.time[:16]} UTC as {entry.message!r}"
        for entry in ledger.read(upload.ledger)
        if entry.sha256 == record["sha256"] and entry.status in (PENDING, SCORED, ERROR)
    ]
    lines += earlier[-1:]
    if record.get("use_duplicates"):
        lines.append("It uses the labels of training pictures that are in the test file, too (--use-duplicates)")
    return lines


def _expected(record: dict[str, Any]) -> str:
    """The record's expected score over every label, with its interval, px."""
    expected = record.get("expected", {}).get("overall")
    if expected is None:
        return "the record has none"
    interval = record.get("expected_intervals", {}).get("overall")
    if interval is None:
        return f"{expected:.4f} px"
    low, high = interval
    return f"{expected:.4f} px (a test file of this size scores {low:.4f} to {high:.4f} 95 times in 100)"
