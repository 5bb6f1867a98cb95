"""Training by the clock: what counts as time, when it looks, and several networks as one."""

import numpy as np
import pytest

from solution.faces import FaceSet
from solution.runtime.errors import UserError
from solution.studies.baselines import timed_training
from solution.studies.baselines.timed_training import SHARES, TimedRun, together, train
from tests.studies.baselines.tiny import spots


class Time:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Slow:
    """A learner whose steps take 1 s, its predictions 50 s; it says how many steps it has taken."""

    name, batch, readings = "slow", 8, ("direct",)

    def __init__(self, time: Time, step: float = 1.0, loss: float = 0.5, points: slice = slice(None)) -> None:
        self.time, self.seconds, self.loss, self.points = time, step, loss, points
        self.shares: list[float] = []

    def step(self, share: float) -> float:
        self.time.now += self.seconds
        self.shares.append(share)
        return self.loss

    def predict(self, faces: FaceSet) -> np.ndarray:
        self.time.now += 50
        coords = np.full((1, *faces.coords.shape), np.nan)
        coords[:, :, self.points] = len(self.shares)
        return coords

    def cost(self) -> tuple[int, int]:
        return 10, 20


def timed_run(step: float = 1.0, seconds: float = 100.0, points: slice = slice(None)) -> TimedRun:
    time = Time()
    return train(Slow(time, step, points=points), seconds, spots(4), spots(2), time)


def test_only_steps_count_as_time():
    time = Time()
    slow = Slow(time)
    found = train(slow, 1000, spots(4), spots(2), time)
    assert slow.shares == pytest.approx([i / 1000 for i in range(1000)])
    assert found.seconds == 1000
    assert found.predicting == 50
    assert found.pictures == 8000
    assert [checkpoint.seconds for checkpoint in found.checkpoints] == pytest.approx([1000 * share for share in SHARES])
    assert [checkpoint.coords[0, 0, 0, 0] for checkpoint in found.checkpoints] == [
        checkpoint.steps for checkpoint in found.checkpoints
    ]
    assert found.coords.shape == (1, 4, 15, 2)


def test_a_step_beyond_several_shares_gives_each_its_look():
    found = timed_run(step=35.0)
    assert [checkpoint.share for checkpoint in found.checkpoints] == list(SHARES)
    assert [checkpoint.steps for checkpoint in found.checkpoints] == [1, 1, 1, 1, 1, 2, 2, 2, 3, 3]
    assert found.seconds == 105
    assert timed_run(step=1000.0).pictures == 8


def test_a_loss_that_is_no_number_ends_it():
    time = Time()
    with pytest.raises(UserError, match="slow: the loss became nan"):
        train(Slow(time, loss=float("nan")), 100, spots(4), spots(2), time)


def test_networks_of_one_system_fill_each_others_points():
    found = together([timed_run(seconds=20, points=slice(0, 9)), timed_run(2.0, seconds=20, points=slice(9, None))])
    assert (found.coords[0, :, :9] == 20).all()
    assert (found.coords[0, :, 9:] == 10).all()
    assert found.seconds == 40
    assert found.checkpoints[0].seconds == 3
    assert found.checkpoints[-1].steps == 30
    assert (found.parameters, found.multiply_adds, found.predicting) == (20, 40, 100)
    assert found.pictures == (160 + 80) / 2


def test_one_network_stays_as_it_is():
    alone = timed_run()
    assert np.array_equal(together([alone]).coords, alone.coords)
    assert together([alone]).pictures == alone.pictures


def test_shares_rise_to_the_end():
    assert list(timed_training.SHARES) == sorted(set(timed_training.SHARES))
    assert timed_training.SHARES[-1] == 1.0
