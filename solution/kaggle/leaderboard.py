"""The ledger in a table: the expected score, the leaderboard's, the gap between them, and the trend."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from rich.console import Console
from rich.text import Text

from solution.kaggle import PAGE
from solution.kaggle.ledger import ERROR, SCORED, Entry
from solution.runtime.errors import UserError
from solution.table import Column, Table, written

PLAIN_WIDTH = 160
"""Characters in a line where the output is no terminal."""


@dataclass(frozen=True)
class Gap:
    """Leaderboard score less expected score over the scored lines, px."""

    mean: float
    least: float
    most: float


@dataclass(frozen=True)
class Leaderboard:
    """A ledger's scored lines in figures, RMSE in px."""

    scored: int
    """How many lines have a score."""

    best: Entry | None
    """The line with the lowest public score."""

    public: Gap | None
    private: Gap | None
    change: Mapping[str, float]
    """By column, the newest scored line less the first."""

    steps: int
    """Steps from one scored line to the next in which expected and public score both changed."""

    alike: int
    """Those of the steps in which both changed in the same direction."""


def outcome(entry: Entry) -> str:
    """The result of a submission in a sentence. UserError where Kaggle could not score it."""
    if entry.status == ERROR:
        raise UserError(
            f"{entry.name}: expected a score from Kaggle, it could not score the file. {PAGE}/submissions says why."
        )
    if entry.status != SCORED:
        return "no score yet; `python -m solution scores --refresh` asks again"
    parts = [
        f"{kind} {written(getattr(entry, kind), '.5f')} px ({written(gap(entry, kind), '+.4f')} px from expected)"
        for kind in ("public", "private")
    ]
    return f"{', '.join(parts)}; expected {written(entry.expected, '.4f')} px"


def leaderboard_of(entries: Sequence[Entry]) -> Leaderboard:
    """Sum up a ledger, oldest line first."""
    scored = [entry for entry in entries if entry.status == SCORED and entry.public is not None]
    known = [(e.expected, e.public) for e in scored if e.expected is not None and e.public is not None]
    moves = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(known)]
    moved = [(expected, public) for expected, public in moves if expected and public]
    ends = (scored[0], scored[-1]) if len(scored) > 1 else None
    return Leaderboard(
        scored=len(scored),
        best=min(scored, key=lambda entry: math.inf if entry.public is None else entry.public, default=None),
        public=_gap(scored, "public"),
        private=_gap(scored, "private"),
        change=_change(*ends) if ends else {},
        steps=len(moved),
        alike=sum((expected > 0) == (public > 0) for expected, public in moved),
    )


def as_json(ledgers: Mapping[str, Sequence[Entry]]) -> str:
    """Every ledger by its data set's name: its lines with their gaps, and a summary of them."""
    content = {
        name: {
            "lines": [{**asdict(e), "gap_public": gap(e, "public"), "gap_private": gap(e, "private")} for e in entries],
            "standing": asdict(leaderboard_of(entries)),
        }
        for name, entries in ledgers.items()
    }
    return json.dumps(content, indent=2)


def show(name: str, entries: Sequence[Entry], console: Console | None = None) -> None:
    """Print a ledger as a table, oldest line first, and a summary of its scored lines."""
    console = console or Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(Text(f"{name}: RMSE in px; gap: leaderboard less expected", style="bold"))
    console.print(table_of(entries).rich())
    for sentence in describe(leaderboard_of(entries)):
        console.print(Text(sentence))
    console.print()


def describe(found: Leaderboard) -> list[str]:
    """The standing in sentences."""
    if found.best is None:
        return ["No public score yet."]
    return [
        f"Best public score of {found.scored}: {found.best.public:.5f} ({found.best.message})",
        *(_describe_gap(kind, gap) for kind, gap in (("public", found.public), ("private", found.private)) if gap),
        *_describe_trend(found),
    ]


def gap(entry: Entry, kind: str) -> float | None:
    """A line's public or private score less its expected one, px; None where one of them is missing."""
    score = getattr(entry, kind)
    return None if score is None or entry.expected is None else round(score - entry.expected, 5)


def _gap(scored: Sequence[Entry], kind: str) -> Gap | None:
    gaps = [value for value in (gap(entry, kind) for entry in scored) if value is not None]
    return Gap(round(sum(gaps) / len(gaps), 5), min(gaps), max(gaps)) if gaps else None


def _change(first: Entry, last: Entry) -> dict[str, float]:
    """By column, the last line less the first, where both have the figure."""
    both = {kind: (getattr(first, kind), getattr(last, kind)) for kind in ("expected", "public", "private")}
    return {kind: round(b - a, 5) for kind, (a, b) in both.items() if a is not None and b is not None}


def _describe_gap(kind: str, found: Gap) -> str:
    between = f"{found.least:+.4f} to {found.most:+.4f}"
    return f"The {kind} score is {found.mean:+.4f} px from the expected one on average ({between})"


def _describe_trend(found: Leaderboard) -> list[str]:
    if not found.change:
        return []
    moves = ", ".join(f"{kind} {value:+.4f}" for kind, value in found.change.items())
    alike = f"; expected and public score moved the same way in {found.alike} of {found.steps} steps"
    return [f"From the first scored to the newest: {moves} px{alike if found.steps else ''}"]


def table_of(entries: Sequence[Entry]) -> Table:
    """The ledger's lines with their gaps, RMSE in px."""
    columns = [
        Column("sent", "sent (UTC)"),
        Column("message", "message (file)", text=True),
        Column("expected", unit="px", form=".4f"),
        Column("public", unit="px", form=".5f"),
        Column("gap_public", "gap", "px", "+.4f"),
        Column("private", unit="px", form=".5f"),
        Column("gap_private", "gap", "px", "+.4f"),
        Column("status", text=True),
    ]
    rows = [
        [
            entry.time[:10],
            f"{entry.message} ({entry.name.removesuffix('.csv')})",
            *(entry.expected, entry.public, gap(entry, "public"), entry.private, gap(entry, "private")),
            entry.status,
        ]
        for entry in entries
    ]
    return Table("Scores", columns, rows)
