"""The ledger of the submissions that were sent to Kaggle, and the submissions that Kaggle itself lists."""

import csv
import math
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from solution.kaggle import COMPETITION, client
from solution.runtime.artifacts import write_text
from solution.runtime.errors import UserError

LEDGER = "scores.csv"

PENDING, SCORED, ERROR = "pending", "scored", "error"  # states of a submission that Kaggle has

UNKNOWN, FAILED = "unknown", "failed"
"""Two more states of a try: it began and its end is not known, as after a power cut; and nothing was sent."""

_STATUS = {"pending": PENDING, "complete": SCORED, "error": ERROR}
"""Kaggle's names of states."""

_EARLIER_STATUS = {"sent": PENDING}
"""Names of states in earlier ledgers."""

_LISTED_COLUMNS = {"fileName", "date", "description", "status", "publicScore", "privateScore"}

LIMIT = 60  # seconds for a list
MANY = "100"


@dataclass(frozen=True)
class Listed:
    """A submission as Kaggle lists it."""

    received: str  # when it arrived, UTC, by Kaggle's clock
    name: str
    message: str
    status: str  # PENDING, SCORED or ERROR
    public: float | None  # RMSE in px; None where there is none yet
    private: float | None


def listed(many: bool = False) -> list[Listed]:
    """Kaggle's newest submissions of this account: 20, or 100 with `many`. UserError where Kaggle gives no list."""
    more = ["--page-size", MANY] if many else []
    answer = client.call("competitions", "submissions", "-c", COMPETITION, "--csv", *more, limit=LIMIT)
    return parsed(answer.stdout)


def parsed(text: str) -> list[Listed]:
    """The submissions in the client's CSV; lines before its header are skipped. UserError where there is no CSV."""
    lines = text.splitlines(keepends=True)
    header = next((i for i, line in enumerate(lines) if set(line.strip().split(",")) >= _LISTED_COLUMNS), None)
    if header is None:
        if "No submissions found" in text:
            return []
        raise _unexpected(lines[-1].strip() if lines else "nothing")
    return [_listed({k: v or "" for k, v in row.items()}) for row in csv.DictReader(lines[header:])]


def one_line(message: str) -> str:
    """A message with single spaces, as it is sent and as Kaggle's list is compared with it."""
    return " ".join(message.split())


def _listed(row: dict[str, str]) -> Listed:
    status = row["status"].rsplit(".", 1)[-1].lower()  # newer clients print SubmissionStatus.COMPLETE
    if status not in _STATUS:
        raise _unexpected(f"status {row['status']!r}")
    return Listed(
        received=_time(row["date"]),
        name=row["fileName"],
        message=one_line(row["description"]),
        status=_STATUS[status],
        public=_score(row["publicScore"]),
        private=_score(row["privateScore"]),
    )


def _time(text: str) -> str:
    """A date of Kaggle's, which is UTC, in a form that sorts by time."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _unexpected(f"date {text!r}") from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="milliseconds")


def _score(text: str) -> float | None:
    try:
        score = float(text)
    except ValueError:
        return None
    return score if math.isfinite(score) else None


def _unexpected(got: str) -> UserError:
    return UserError(
        f"Kaggle's client: expected a table of submissions with {', '.join(sorted(_LISTED_COLUMNS))}, got {got[:100]}. "
        f"{client.INSTALL}."
    )


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One try to send a submission: a line of the ledger. Figures are RMSE in px, None where not known."""

    time: str  # when it began, UTC
    name: str  # the file
    message: str
    status: str  # UNKNOWN, FAILED, PENDING, SCORED or ERROR; Kaggle has only the last three
    expected: float | None = None  # expected on the test file, over every label
    expected_without_outliers: float | None = None
    cv: float | None = None  # cross-validation, over every label
    cv_without_outliers: float | None = None
    public: float | None = None
    private: float | None = None
    received: str = ""  # when it arrived, by Kaggle's clock
    after: str = ""
    """When the submission before it arrived: this one is later than another of the same name and message."""

    sha256: str = ""  # digest of the file


COLUMNS = [field.name for field in fields(Entry)]
FIGURES = ("expected", "expected_without_outliers", "cv", "cv_without_outliers")
"""A record's figures that a line keeps, each over both subsets."""

NUMBERS = (*FIGURES, "public", "private")
_EARLIER_COLUMNS = {"cv_without_outliers": "cv", "expected_without_outliers": "expected", "cv": "", "expected": ""}
"""The columns of figures in earlier ledgers, which had two of them, both without outliers."""


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
    """Append a line and return it."""
    _write(path, [*read(path), entry])
    return entry


def change(path: Path, entry: Entry, changed: Entry) -> Entry:
    """Replace a line of the ledger by the changed one and return that."""
    _write(path, [changed if line == entry else line for line in read(path)])
    return changed


def table(entries: list[Entry]) -> pd.DataFrame:
    """The lines as a table with COLUMNS; figures that are not known are NaN."""
    return pd.DataFrame([asdict(entry) for entry in entries], columns=COLUMNS).astype(dict.fromkeys(NUMBERS, float))


def _write(path: Path, entries: list[Entry]) -> None:
    write_text(path, table(entries).to_csv(index=False, lineterminator="\n"))


def _entry(path: Path, number: int, row: dict[str, str | None]) -> Entry:
    """One line, of this form or of an earlier one with fewer columns."""
    columns = {} if "cv_without_outliers" in row else _EARLIER_COLUMNS
    cells: dict[str, Any] = {column: row.get(columns.get(column, column)) or "" for column in COLUMNS}
    lacking = [column for column in ("time", "name", "status") if not cells[column]]
    try:
        cells |= {column: float(cells[column]) if cells[column] else None for column in NUMBERS}
    except ValueError as error:
        lacking.append(str(error))
    if lacking:
        raise UserError(
            f"{path} data row {number}: expected time, name, status and figures in px, got trouble with "
            f"{', '.join(lacking)}. Repair the line or move the ledger away."
        )
    return Entry(**cells | {"status": _EARLIER_STATUS.get(cells["status"], cells["status"])})
