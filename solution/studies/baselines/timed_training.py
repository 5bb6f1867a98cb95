"""Training for a given time: the error on the held-out faces at the end, and after shares of the time."""

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solution.faces import FaceSet
from solution.specialists.budget import Seconds
from solution.specialists.fit import Record, Task, fit

SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85, 1.0)
"""When to evaluate, as shares of the time: more often at first, because errors fall fastest then."""


class TimedTask(Task):
    """A training task whose network can predict faces."""

    batch: int  # pictures a step
    readings: tuple[str, ...]  # the ways in which points are read off the network's output
    watched: FaceSet  # the faces that are predicted during training

    @abstractmethod
    def predict(self, faces: FaceSet) -> np.ndarray:
        """Predictions by each of `readings`, (R, N, K, 2) pixels; NaN: not predicted."""

    @abstractmethod
    def cost(self) -> tuple[int, int]:
        """The network's parameters, and its multiply-adds for one view of one picture."""

    def evaluate(self) -> np.ndarray:
        return self.predict(self.watched)


@dataclass(frozen=True, eq=False)
class TimedRun:
    """What a training of a given time has led to."""

    readings: tuple[str, ...]  # names of the R ways in which points are read off the output

    records: tuple[Record, ...]
    """One a share of `SHARES`; its value: predictions of the watched faces, (R, W, K, 2) pixels."""

    coords: np.ndarray  # predictions of all held-out faces at the end, (R, N, K, 2) pixels; NaN: not predicted
    pictures: int  # seen in training, each as often as it was seen
    predicting: float  # seconds that the prediction of the held-out faces took
    parameters: int
    multiply_adds: int  # for one view of one picture

    @property
    def seconds(self) -> float:
        """Seconds of training: the given time, and what the last step took beyond it."""
        return self.records[-1].seconds


def train(task: TimedTask, seconds: float, held: FaceSet, clock: Callable[[], float] = time.perf_counter) -> TimedRun:
    """Train for `seconds` of `clock`, without evaluations, and predict the held-out faces."""
    records = fit(task, Seconds(seconds, SHARES), clock=clock)
    began = clock()
    coords = task.predict(held)
    predicting = clock() - began
    return TimedRun(task.readings, tuple(records), coords, records[-1].steps * task.batch, predicting, *task.cost())


def together(runs: Sequence[TimedRun]) -> TimedRun:
    """Networks of one system that predict different points and were trained one after the other, as one run.

    A picture counts as seen when all networks have seen it. What one does not predict (NaN) another does.
    """
    return TimedRun(
        runs[0].readings,
        tuple(_joint(parts) for parts in zip(*(run.records for run in runs), strict=True)),
        _filled([run.coords for run in runs]),
        round(sum(run.pictures for run in runs) / len(runs)),
        sum(run.predicting for run in runs),
        sum(run.parameters for run in runs),
        sum(run.multiply_adds for run in runs),
    )


def _joint(parts: Sequence[Record]) -> Record:
    return replace(
        parts[0],
        steps=sum(part.steps for part in parts),
        seconds=sum(part.seconds for part in parts),
        loss=float(np.mean([part.loss for part in parts])),
        value=_filled([part.value for part in parts]),
    )


def _filled(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of one shape, each with its NaN filled from the next ones."""
    total = parts[0]
    for part in parts[1:]:
        total = np.where(np.isnan(total), part, total)
    return total
