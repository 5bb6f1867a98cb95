"""The ledger of what was sent to Kaggle, and the submissions that Kaggle itself lists."""

import csv
import io
import math
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

from solution.kaggle import COMPETITION, client
from solution.runtime.artifacts import write_text
from solution.runtime.errors import UPDATE, UserError

PENDING, SCORED, ERROR = "pending", "scored", "error"
_STATUS = {"pending": PENDING, "complete": SCORED, "error": ERROR}
_COLUMNS = {"fileName", "date", "description", "status", "publicScore", "privateScore"}

LIMIT = 60
"""Seconds for a list."""

MANY = "100"


@dataclass(frozen=True)
class Listed:
    """A submission as Kaggle has it. received: when it came, by Kaggle's clock; scores: RMSE in px, None without."""

    received: str
    name: str
    message: str
    status: str
    public: float | None
    private: float | None


def listed(many: bool = False) -> list[Listed]:
    """Kaggle's newest submissions of this account, 20 or with `many` 100. UserError where it gives none."""
    more = ["--page-size", MANY] if many else []
    answer = client.call("competitions", "submissions", "-c", COMPETITION, "--csv", *more, limit=LIMIT)
    return parsed(answer.stdout)


def parsed(text: str) -> list[Listed]:
    """The submissions in the client's CSV, whatever it says before. UserError where it is not one."""
    lines = text.splitlines(keepends=True)
    header = next((i for i, line in enumerate(lines) if set(line.strip().split(",")) >= _COLUMNS), None)
    if header is None:
        if "No submissions found" in text:
            return []
        raise _strange(lines[-1].strip() if lines else "nothing")
    return [_row(row) for row in csv.DictReader(lines[header:])]


def one_line(message: str) -> str:
    """A message with single spaces: what is sent, and what Kaggle's list is compared with."""
    return " ".join(message.split())


def _row(row: dict[str, str | None]) -> Listed:
    status = (row["status"] or "").rsplit(".", 1)[-1].lower()  # newer clients print SubmissionStatus.COMPLETE
    if status not in _STATUS:
        raise _strange(f"status {row['status']!r}")
    return Listed(
        received=_time(row["date"] or ""),
        name=row["fileName"] or "",
        message=one_line(row["description"] or ""),
        status=_STATUS[status],
        public=_score(row["publicScore"] or ""),
        private=_score(row["privateScore"] or ""),
    )


def _time(text: str) -> str:
    """A date of Kaggle's, which is UTC, in a form that sorts by time."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _strange(f"date {text!r}") from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="milliseconds")


def _score(text: str) -> float | None:
    try:
        score = float(text)
    except ValueError:
        return None
    return score if math.isfinite(score) else None


def _strange(got: str) -> UserError:
    return UserError(
        f"Kaggle's client: expected a table of submissions with {', '.join(sorted(_COLUMNS))}, got {got[:100]}. "
        f"{client.INSTALL}."
    )


LEDGER = "scores.csv"

UNKNOWN, FAILED = "unknown", "failed"
"""Two more states of a try: it began and nobody heard how it ended, as when the power failed; and nothing was sent."""

_EARLIER = {"sent": PENDING}
"""How ledgers once called a state."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One try. Its state is unknown, failed, pending, scored or error; only the last three are on Kaggle.

    time: when it began, UTC. expected (over every label), expected_without_outliers, cv, cv_without_outliers, public,
    private: RMSE in px, None where not known. received: when Kaggle
    had it, by Kaggle's clock; after: when Kaggle had the one before, which tells it from one of the same name and
    message. sha256: of the file.
    """

    time: str
    name: str
    message: str
    status: str
    expected: float | None = None
    expected_without_outliers: float | None = None
    cv: float | None = None
    cv_without_outliers: float | None = None
    public: float | None = None
    private: float | None = None
    received: str = ""
    after: str = ""
    sha256: str = ""


class Facts(TypedDict, total=False):
    """What may become known of a try after its line was written."""

    status: str
    public: float | None
    private: float | None
    received: str


COLUMNS = [field.name for field in fields(Entry)]
FIGURES = ("expected", "expected_without_outliers", "cv", "cv_without_outliers")
"""A record's figures that a line keeps, each over both subsets."""

_FIGURES = (*FIGURES, "public", "private")
_EARLIER_FIGURES = {"cv_without_outliers": "cv", "expected_without_outliers": "expected", "cv": "", "expected": ""}
"""Columns of a figure in ledgers that had two of them, both without outliers."""


def read(path: Path) -> list[Entry]:
    """The ledger's lines, oldest first; none where there is no ledger. UserError naming the line that is damaged."""
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(
            f"{path}: expected the ledger, it cannot be read: {error}. Repair it or move it away."
        ) from error
    return [_entry(path, number, row) for number, row in enumerate(rows, start=1)]


def add(path: Path, entry: Entry) -> Entry:
    """Append a line; give it back."""
    _write(path, [*read(path), entry])
    return entry


def change(path: Path, entry: Entry, **facts: Unpack[Facts]) -> Entry:
    """Change a line of the ledger as it lies on disk now; give the changed one."""
    changed = replace(entry, **facts)
    _write(path, [changed if line == entry else line for line in read(path)])
    return changed


def _write(path: Path, entries: list[Entry]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(entry, column) for column in COLUMNS] for entry in entries)
    write_text(path, text.getvalue())


def _entry(path: Path, number: int, row: dict[str, str | None]) -> Entry:
    """One line, of this form or of an earlier one with fewer columns."""
    strange = [column for column in row if column not in (None, *COLUMNS)]
    if strange:
        raise UserError(
            f"{path}: expected the columns {', '.join(COLUMNS)}, got {', '.join(strange)}, too: a later version of the "
            f"code wrote this ledger. {UPDATE}, or move the ledger away."
        )
    named = {} if "cv_without_outliers" in row else _EARLIER_FIGURES
    cells = {column: row.get(named.get(column, column)) or "" for column in COLUMNS}
    lacking = [column for column in ("time", "name", "status") if not cells[column]]
    try:
        figures = {column: float(cells[column]) if cells[column] else None for column in _FIGURES}
    except ValueError as error:
        lacking.append(str(error))
    if lacking:
        raise UserError(
            f"{path} data row {number}: expected time, name, status and figures in px, got trouble with "
            f"{', '.join(lacking)}. Repair the line or move the ledger away."
        )
    return Entry(
        time=cells["time"],
        name=cells["name"],
        message=cells["message"],
        status=_EARLIER.get(cells["status"], cells["status"]),
        expected=figures["expected"],
        expected_without_outliers=figures["expected_without_outliers"],
        cv=figures["cv"],
        cv_without_outliers=figures["cv_without_outliers"],
        public=figures["public"],
        private=figures["private"],
        received=cells["received"],
        after=cells["after"],
        sha256=cells["sha256"],
    )
