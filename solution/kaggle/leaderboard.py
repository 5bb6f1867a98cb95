"""The ledger for a reader: the expected score beside the leaderboard's, their difference, and the trend."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from solution.kaggle import PAGE
from solution.kaggle.ledger import ERROR, SCORED, Entry, table
from solution.runtime.errors import UserError
from solution.table import Column, Table, written

PLAIN_WIDTH = 160  # characters in a line where the output is no terminal


@dataclass(frozen=True)
class Gap:
    """Leaderboard score minus expected score over the scored lines, px."""

    mean: float
    least: float
    most: float


@dataclass(frozen=True)
class Leaderboard:
    """A summary of a ledger's scored lines. Figures are RMSE in px."""

    scored: int  # lines with a public score
    best: Entry | None  # the line with the lowest public score
    public: Gap | None
    private: Gap | None
    change: Mapping[str, float]  # by column, the newest scored line minus the first
    steps: int  # pairs of successive scored lines between which expected and public score both changed
    alike: int  # those of them in which both changed in the same direction


def outcome(entry: Entry) -> str:
    """The result of a submission in a sentence. UserError where Kaggle could not score it."""
    if entry.status == ERROR:
        raise UserError(
            f"{entry.name}: expected a score from Kaggle, it could not score the file. {PAGE}/submissions shows why."
        )
    if entry.status != SCORED:
        return "no score yet; `python -m solution scores --refresh` asks again"
    parts = [
        f"{kind} {written(getattr(entry, kind), '.5f')} px ({written(gap(entry, kind), '+.4f')} px from expected)"
        for kind in ("public", "private")
    ]
    return f"{', '.join(parts)}; expected {written(entry.expected, '.4f')} px"


def leaderboard_of(entries: Sequence[Entry]) -> Leaderboard:
    """Summarise a ledger, oldest line first."""
    scored = [entry for entry in entries if entry.status == SCORED and entry.public is not None]
    figures = table(scored)[["expected", "public", "private"]]
    steps = figures[["expected", "public"]].dropna().diff()[1:]
    moved = np.sign(steps[(steps != 0).all(axis=1)])
    change = (figures.iloc[-1] - figures.iloc[0]).dropna().round(5) if len(scored) > 1 else pd.Series(dtype=float)
    return Leaderboard(
        scored=len(scored),
        best=scored[int(figures["public"].argmin())] if scored else None,
        public=_gap(scored, "public"),
        private=_gap(scored, "private"),
        change={str(kind): float(value) for kind, value in change.items()},
        steps=len(moved),
        alike=int((moved["expected"] == moved["public"]).sum()),
    )


def as_json(ledgers: Mapping[str, Sequence[Entry]]) -> str:
    """Every ledger by its data set's name: its lines with their gaps, and their summary."""
    content = {
        name: {
            "lines": [{**asdict(e), "gap_public": gap(e, "public"), "gap_private": gap(e, "private")} for e in entries],
            "standing": asdict(leaderboard_of(entries)),
        }
        for name, entries in ledgers.items()
    }
    return json.dumps(content, indent=2)


def show(name: str, entries: Sequence[Entry], console: Console | None = None) -> None:
    """Print a ledger as a table, oldest line first, and the summary of its scored lines."""
    console = console or Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(Text(f"{name}: RMSE in px; gap: leaderboard less expected", style="bold"))
    console.print(table_of(entries).rich())
    for sentence in describe(leaderboard_of(entries)):
        console.print(Text(sentence))
    console.print()


def describe(board: Leaderboard) -> list[str]:
    """The summary in sentences."""
    if board.best is None:
        return ["No public score yet."]
    sentences = [f"Best public score of {board.scored}: {board.best.public:.5f} ({board.best.message})"]
    for kind, gap in (("public", board.public), ("private", board.private)):
        if gap:
            sentences.append(
                f"The {kind} score is {gap.mean:+.4f} px from the expected one on average ({gap.least:+.4f} to "
                f"{gap.most:+.4f})"
            )
    if board.change:
        changes = ", ".join(f"{kind} {value:+.4f}" for kind, value in board.change.items())
        alike = f"; expected and public score changed in the same direction in {board.alike} of {board.steps} steps"
        sentences.append(f"From the first scored to the newest: {changes} px{alike if board.steps else ''}")
    return sentences


def gap(entry: Entry, kind: str) -> float | None:
    """A line's public or private score minus its expected one, px; None where one of them is missing."""
    score = getattr(entry, kind)
    return None if score is None or entry.expected is None else round(score - entry.expected, 5)


def _gap(scored: Sequence[Entry], kind: str) -> Gap | None:
    gaps = [value for value in (gap(entry, kind) for entry in scored) if value is not None]
    return Gap(round(sum(gaps) / len(gaps), 5), min(gaps), max(gaps)) if gaps else None


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
