"""The submissions that Kaggle lists for this competition, as the client prints them."""

import csv
import math
from dataclasses import dataclass
from datetime import UTC, datetime

from solution.errors import UserError
from solution.kaggle import COMPETITION, client

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
