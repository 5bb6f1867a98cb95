"""Training for a given time: what a run keeps, and several networks as one run."""

import numpy as np
import pytest

from solution.faces import FaceSet
from solution.studies.baselines.timed_training import SHARES, TimedRun, TimedTask, together, train
from tests.specialists.test_fit import Clock, SlowTask
from tests.studies.baselines.tiny import spots


class TimedSlowTask(SlowTask, TimedTask):
    """Predicts the number of its steps for some of the points."""

    batch, readings = 8, ("direct",)

    def __init__(self, step: float, points: slice) -> None:
        super().__init__(Clock(), step)
        self.watched, self.points = spots(2), points

    evaluate = TimedTask.evaluate

    def predict(self, faces: FaceSet) -> np.ndarray:
        self.clock.now += 50
        coords = np.full((1, *faces.coords.shape), np.nan)
        coords[:, :, self.points] = len(self.shares)
        return coords

    def cost(self) -> tuple[int, int]:
        return 10, 20


def timed_run(step: float = 1.0, seconds: float = 100.0, points: slice = slice(None)) -> TimedRun:
    task = TimedSlowTask(step, points)
    return train(task, seconds, spots(4), task.clock)


def test_a_run_keeps_what_was_predicted_and_what_it_cost():
    found = timed_run(seconds=1000)
    assert (found.seconds, found.predicting, found.pictures) == (1000, 50, 8000)
    assert [record.seconds for record in found.records] == pytest.approx([1000 * share for share in SHARES])
    assert [record.value[0, 0, 0, 0] for record in found.records] == [record.steps for record in found.records]
    assert found.coords.shape == (1, 4, 15, 2)
    assert timed_run(step=1000.0).pictures == 8


def test_networks_of_one_system_fill_each_others_points():
    found = together([timed_run(seconds=20, points=slice(0, 9)), timed_run(2.0, seconds=20, points=slice(9, None))])
    assert (found.coords[0, :, :9] == 20).all()
    assert (found.coords[0, :, 9:] == 10).all()
    assert found.seconds == 40
    assert found.records[0].seconds == 3
    assert found.records[-1].steps == 30
    assert (found.parameters, found.multiply_adds, found.predicting) == (20, 40, 100)
    assert found.pictures == (160 + 80) / 2


def test_one_network_stays_as_it_is():
    alone = timed_run()
    assert np.array_equal(together([alone]).coords, alone.coords)
    assert together([alone]).pictures == alone.pictures


def test_shares_rise_to_the_end():
    assert list(SHARES) == sorted(set(SHARES))
    assert SHARES[-1] == 1.0
