"""A contest's outcome as figures: a line a network and reading, best first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from solution.runtime.errors import UserError
from solution.studies.baselines.baseline import Family
from solution.studies.baselines.results import Arena, Contender, load
from solution.studies.baselines.timed_training import Course

Figure = tuple[float, float, float]
"""A value and its 95 % interval; NaN = not predicted."""


@dataclass(frozen=True, kw_only=True)
class Line:
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
class Standing:
    """Everything the contest's files tell: lines best first by the first column.

    measure: what the first column is, with its unit. columns: every column's title by its name. suspects: rows left
    out of every figure.
    """

    minutes: float
    measure: str
    columns: Mapping[str, str]
    rows: int
    suspects: int
    lines: tuple[Line, ...]
    finished: tuple[Finished, ...] = ()


class Scorer(Protocol):
    """Scores predictions of an arena's held-out faces."""

    def figures(self, coords: np.ndarray) -> dict[str, Figure]:
        """Every column's figure for predictions of all held-out faces, (N, K, 2) pixels."""

    def watched(self, coords: np.ndarray) -> float:
        """The first column's value for predictions of the watched faces, (W, K, 2) pixels."""


Found = list[tuple[Contender, Course]]


def found_in(arena: Arena, known: Mapping[str, Contender], seconds: float) -> Found:
    """The networks that were trained for this long, with what came of them. UserError where there is none."""
    found = [(one, course) for one in known.values() if (course := load(arena, one, seconds))]
    if not found:
        raise UserError(f"{arena.folder}: expected networks trained for {seconds:g} s, found none")
    return found


def lines_of(found: Found, held: int, scored: Scorer) -> tuple[Line, ...]:
    """A line a network and reading, best first. held: how many faces were held out."""
    lines = [line for one, course in found for line in _lines(one, course, held, scored)]
    return tuple(sorted(lines, key=lambda line: next(iter(line.figures.values()))[0]))


def _lines(one: Contender, course: Course, held: int, scored: Scorer) -> list[Line]:
    return [
        Line(
            name=one.name,
            title=one.title,
            family=one.family,
            idea=one.idea,
            reading=reading,
            parameters=course.parameters,
            multiply_adds=course.multiply_adds,
            training=course.pictures / course.seconds,
            predicting=held / course.predicting,
            minutes=course.seconds / 60,
            figures=scored.figures(course.coords[i]),
            curve=tuple((look.seconds / 60, scored.watched(look.coords[i])) for look in course.looks),
        )
        for i, reading in enumerate(course.readings)
    ]
