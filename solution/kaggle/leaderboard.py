"""The ledger as a person reads it: the expected score beside the leaderboard's, the gap between them, the trend."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from rich.console import Console
from rich.table import Table
from rich.text import Text

from solution.kaggle import PAGE
from solution.kaggle.ledger import ERROR, SCORED, Entry
from solution.runtime.errors import UserError

NONE = "-"
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
    """What a ledger's scored lines tell; figures are RMSE in px.

    best: the line with the lowest public score. public, private: the gaps. change: by column, the newest scored line
    less the first. steps: from one scored line to the next where expected and public score both moved; alike: those of
    them where both moved the same way.
    """

    scored: int
    best: Entry | None
    public: Gap | None
    private: Gap | None
    change: Mapping[str, float]
    steps: int
    alike: int


def outcome(entry: Entry) -> str:
    """What came of a submission, in a sentence. UserError where Kaggle could not score it."""
    if entry.status == ERROR:
        raise UserError(
            f"{entry.name}: expected a score from Kaggle, it could not score the file. {PAGE}/submissions says why."
        )
    if entry.status != SCORED:
        return "no score yet; `python -m solution scores --refresh` asks again"
    parts = [
        f"{kind} {_figure(getattr(entry, kind), '.5f')} px ({_figure(gap(entry, kind), '+.4f')} px from expected)"
        for kind in ("public", "private")
    ]
    return f"{', '.join(parts)}; expected {_figure(entry.expected, '.4f')} px"


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
    """Every ledger by its data set's name: its lines with their gaps, and what they tell."""
    content = {
        name: {
            "lines": [{**asdict(e), "gap_public": gap(e, "public"), "gap_private": gap(e, "private")} for e in entries],
            "standing": asdict(leaderboard_of(entries)),
        }
        for name, entries in ledgers.items()
    }
    return json.dumps(content, indent=2)


def show(name: str, entries: Sequence[Entry], console: Console | None = None) -> None:
    """Print a ledger as a table, oldest line first, and what its scored lines tell."""
    console = console or Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(Text(f"{name}: RMSE in px; gap: leaderboard less expected", style="bold"))
    console.print(_table(entries))
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


def _table(entries: Sequence[Entry]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")  # fits into 80 columns
    table.add_column("sent (UTC)", no_wrap=True)
    table.add_column("message (file)", overflow="fold")
    for title in ("expected", "public", "gap", "private", "gap"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for entry in entries:
        table.add_row(*(Text(cell) for cell in _cells(entry)))
    return table


def _cells(entry: Entry) -> list[str]:
    return [
        entry.time[:10],
        f"{entry.message} ({entry.name.removesuffix('.csv')})",
        _figure(entry.expected, ".4f"),
        _figure(entry.public, ".5f"),
        _figure(gap(entry, "public"), "+.4f"),
        _figure(entry.private, ".5f"),
        _figure(gap(entry, "private"), "+.4f"),
        entry.status,
    ]


def _figure(value: float | None, form: str) -> str:
    return NONE if value is None else format(value, form)
