"""A comparison's outcome as figures: a line a network and reading, best first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from solution.runtime.errors import UserError
from solution.studies.baselines.baseline import Family
from solution.studies.baselines.results import Candidate, Split, load
from solution.studies.baselines.timed_training import TimedRun

Figure = tuple[float, float, float]
"""A value and its 95 % interval; NaN = not predicted."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A network's figures by one reading. figures: by column, as the standing names its columns.

    curve: minutes of training and the first column's figure on the watched faces. The rates are pictures a second.
    """

    name: str
    title: str
    family: Family
    idea: str
    reading: str
    parameters: int
    multiply_adds: int
    training: float
    predicting: float
    minutes: float
    figures: dict[str, Figure]
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A finished training of the run on the same fold. minutes: its own, without those of the one it started from."""

    name: str
    minutes: float
    figures: dict[str, Figure]


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """Everything the comparison's files tell: lines best first by the first column.

    measure: what the first column is, with its unit. columns: every column's title by its name. outliers: rows left
    out of every figure.
    """

    minutes: float
    measure: str
    columns: Mapping[str, str]
    rows: int
    outliers: int
    lines: tuple[Row, ...]
    finished: tuple[Finished, ...] = ()


class Scorer(Protocol):
    """Scores predictions of a split's held-out faces."""

    def figures(self, coords: np.ndarray) -> dict[str, Figure]:
        """Every column's figure for predictions of all held-out faces, (N, K, 2) pixels."""

    def watched(self, coords: np.ndarray) -> float:
        """The first column's value for predictions of the watched faces, (W, K, 2) pixels."""


Found = list[tuple[Candidate, TimedRun]]


def found_in(split: Split, known: Mapping[str, Candidate], seconds: float) -> Found:
    """The networks that were trained for this long, with what came of them. UserError where there is none."""
    found = [(one, timed_run) for one in known.values() if (timed_run := load(split, one, seconds))]
    if not found:
        raise UserError(f"{split.folder}: expected networks trained for {seconds:g} s, found none")
    return found


def ranked_rows(found: Found, held: int, scored: Scorer) -> tuple[Row, ...]:
    """A line a network and reading, best first. held: how many faces were held out."""
    lines = [line for one, timed_run in found for line in _rows(one, timed_run, held, scored)]
    return tuple(sorted(lines, key=lambda line: next(iter(line.figures.values()))[0]))


def _rows(one: Candidate, timed_run: TimedRun, held: int, scored: Scorer) -> list[Row]:
    return [
        Row(
            name=one.name,
            title=one.title,
            family=one.family,
            idea=one.idea,
            reading=reading,
            parameters=timed_run.parameters,
            multiply_adds=timed_run.multiply_adds,
            training=timed_run.pictures / timed_run.seconds,
            predicting=held / timed_run.predicting,
            minutes=timed_run.seconds / 60,
            figures=scored.figures(timed_run.coords[i]),
            curve=tuple((record.seconds / 60, scored.watched(record.value[i])) for record in timed_run.records),
        )
        for i, reading in enumerate(timed_run.readings)
    ]
