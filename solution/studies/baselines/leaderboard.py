"""The results of a comparison as figures: a row for each network and reading, best first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from solution.runtime.errors import UserError
from solution.studies.baselines.baseline import Family
from solution.studies.baselines.results import Candidate, Split, load
from solution.studies.baselines.timed_training import TimedRun

Figure = tuple[float, float, float]  # a value and its 95 % interval; NaN: not predicted


@dataclass(frozen=True, kw_only=True)
class Row:
    """A network's figures by one reading."""

    name: str
    title: str
    family: Family
    idea: str
    reading: str
    parameters: int
    multiply_adds: int

    training: float
    predicting: float  # rates, pictures a second
    minutes: float  # of training
    figures: dict[str, Figure]  # by the columns of the leaderboard
    curve: tuple[tuple[float, float], ...]  # minutes of training, and the first column's figure on the watched faces


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A finished training of the run on the same fold."""

    name: str

    minutes: float  # of this training, without its parent's
    figures: dict[str, Figure]


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """Everything that the comparison's files show."""

    minutes: float  # of training, for each network
    measure: str  # the first column and its unit, in words
    columns: Mapping[str, str]  # titles by name
    rows: int  # held-out rows in every figure
    outliers: int  # held-out rows that are left out of every figure
    lines: tuple[Row, ...]  # best first, by the first column
    finished: tuple[Finished, ...] = ()


class Scorer(Protocol):
    """Scores predictions of a split's held-out faces."""

    def figures(self, coords: np.ndarray) -> dict[str, Figure]:
        """Every column's figure for predictions of all held-out faces, (N, K, 2) pixels."""

    def watched(self, coords: np.ndarray) -> float:
        """The first column's value for predictions of the watched faces, (W, K, 2) pixels."""


Results = list[tuple[Candidate, TimedRun]]


def results_of(split: Split, known: Mapping[str, Candidate], seconds: float) -> Results:
    """The candidates that were trained for this time, with their runs. UserError if there is none."""
    results = [(candidate, run) for candidate in known.values() if (run := load(split, candidate, seconds))]
    if not results:
        raise UserError(f"{split.folder}: expected networks trained for {seconds:g} s, found none")
    return results


def ranked_rows(results: Results, held: int, scorer: Scorer) -> tuple[Row, ...]:
    """A row for each network and reading, best first. held: the number of held-out faces."""
    rows = [row for candidate, run in results for row in _rows(candidate, run, held, scorer)]
    return tuple(sorted(rows, key=lambda row: next(iter(row.figures.values()))[0]))


def _rows(candidate: Candidate, run: TimedRun, held: int, scorer: Scorer) -> list[Row]:
    return [
        Row(
            name=candidate.name,
            title=candidate.title,
            family=candidate.family,
            idea=candidate.idea,
            reading=reading,
            parameters=run.parameters,
            multiply_adds=run.multiply_adds,
            training=run.pictures / run.seconds,
            predicting=held / run.predicting,
            minutes=run.seconds / 60,
            figures=scorer.figures(run.coords[i]),
            curve=tuple((record.seconds / 60, scorer.watched(record.value[i])) for record in run.records),
        )
        for i, reading in enumerate(run.readings)
    ]
