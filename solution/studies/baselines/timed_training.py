"""Training by the clock: steps until the time is spent, with looks at held-out faces whose time is not counted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from solution.faces import FaceSet
from solution.runtime.device import LOG
from solution.runtime.errors import UserError

SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85, 1.0)
"""When to look, as shares of the time; early looks lie closer, since errors fall fastest at first."""


class Learner(Protocol):
    """A network in training on rows of its own choice."""

    name: str
    batch: int
    readings: tuple[str, ...]

    def step(self, share: float) -> float:
        """One step of the optimiser, when this share of the time is spent; the loss."""

    def predict(self, faces: FaceSet) -> np.ndarray:
        """What it now says of faces, (R, N, K, 2) pixels, one for each of `readings`; NaN = not predicted."""

    def cost(self) -> tuple[int, int]:
        """Its parameters, and multiply-adds for one view of one picture."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a training stood when `share` of its time was spent.

    seconds, steps: so far. loss: mean since the look before. coords: (R, W, K, 2) of the watched faces, pixels.
    """

    share: float
    seconds: float
    steps: int
    loss: float
    coords: np.ndarray


@dataclass(frozen=True, eq=False)
class TimedRun:
    """A finished training: one look a share, and what it says of all held-out faces, coords (R, N, K, 2) pixels.

    pictures: seen in training. predicting: seconds that the prediction of the held-out faces took.
    """

    readings: tuple[str, ...]
    checkpoints: tuple[Checkpoint, ...]
    coords: np.ndarray
    pictures: int
    predicting: float
    parameters: int
    multiply_adds: int

    @property
    def seconds(self) -> float:
        """Seconds of training: the time given, and what the last step took beyond it."""
        return self.checkpoints[-1].seconds


def train(
    learner: Learner, seconds: float, held: FaceSet, watched: FaceSet, clock: Callable[[], float] = time.perf_counter
) -> TimedRun:
    """Train for `seconds` of `clock`, asked before each step. UserError where the loss becomes no number."""
    spent, steps = 0.0, 0
    losses: list[float] = []
    checkpoints: list[Checkpoint] = []
    while spent < seconds:
        began = clock()
        losses.append(learner.step(spent / seconds))
        spent += clock() - began
        steps += 1
        if not np.isfinite(losses[-1]):
            raise UserError(
                f"{learner.name}: the loss became {losses[-1]}. Lower its rate in solution/studies/baselines/systems/."
            )
        due = [share for share in SHARES[len(checkpoints) :] if spent >= share * seconds]
        if due:
            coords = learner.predict(watched)
            checkpoints += [Checkpoint(share, spent, steps, float(np.mean(losses)), coords) for share in due]
            LOG.info("%s: %.0f %% of its time, loss %.4g", learner.name, 100 * due[-1], checkpoints[-1].loss)
            losses = []
    began = clock()
    coords = learner.predict(held)
    predicting = clock() - began
    return TimedRun(learner.readings, tuple(checkpoints), coords, steps * learner.batch, predicting, *learner.cost())


def together(timed_runs: Sequence[TimedRun]) -> TimedRun:
    """Networks of one system that each predict points of their own, trained one after the other, as one course.

    A picture counts as seen when all have seen it; what one does not predict (NaN) another does.
    """
    checkpoints = tuple(
        _joint_checkpoint(parts) for parts in zip(*(timed_run.checkpoints for timed_run in timed_runs), strict=True)
    )
    return TimedRun(
        timed_runs[0].readings,
        checkpoints,
        _filled([timed_run.coords for timed_run in timed_runs]),
        round(sum(timed_run.pictures for timed_run in timed_runs) / len(timed_runs)),
        sum(timed_run.predicting for timed_run in timed_runs),
        sum(timed_run.parameters for timed_run in timed_runs),
        sum(timed_run.multiply_adds for timed_run in timed_runs),
    )


def _joint_checkpoint(parts: Sequence[Checkpoint]) -> Checkpoint:
    return Checkpoint(
        parts[0].share,
        sum(part.seconds for part in parts),
        sum(part.steps for part in parts),
        float(np.mean([part.loss for part in parts])),
        _filled([part.coords for part in parts]),
    )


def _filled(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of one shape laid over one another, each filling what is NaN before."""
    total = parts[0]
    for part in parts[1:]:
        total = np.where(np.isnan(total), part, total)
    return total
