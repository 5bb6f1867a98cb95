"""The contract that every earlier system keeps, and the known sizes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from solution.faces import FaceSet
from solution.runtime.errors import UserError
from solution.specialists.budget import Steps
from solution.specialists.fit import fit
from solution.studies.baselines import systems
from solution.studies.baselines.baseline import Rule, System
from solution.studies.baselines.heads import Points
from solution.studies.baselines.tasks import SystemTask, cost
from tests.studies.baselines.tiny import TINY, spots

CPU = torch.device("cpu")
every = pytest.mark.parametrize("system", [systems.load(name) for name in systems.names()], ids=systems.names())


@every
def test_a_system_has_its_files_name(system: System):
    assert systems.load(system.name) is system
    assert "network" not in system.settings()


@every
def test_a_gradient_reaches_every_parameter_and_one_picture_is_answered_as_many(system: System):
    torch.manual_seed(0)
    net = system.network(3)
    side = system.frame.side
    raw = net(torch.rand(3, 1, side, side))
    assert system.output.read(raw).keys() == set(system.output.readings)
    assert all(found.shape == (3, 3, 2) for found in system.output.read(raw).values())
    system.output.loss(raw, 96 * torch.rand(3, 3, 2)).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    net.eval()
    pictures = torch.rand(2, 1, side, side)
    with torch.inference_mode():
        torch.testing.assert_close(net(pictures[1:])[0], net(pictures)[1], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "millions", "multiply_adds"),
    [("cnn_sgd", 6.93, 76), ("naimishnet", 7.52, 65), ("sequential_rmsprop", 4.89, 4.89), ("alexnet_elu", 77.7, 1124)],
)
def test_sizes_are_those_that_are_known(name: str, millions: float, multiply_adds: float):
    system = systems.load(name)
    found = cost(system.network(15), torch.zeros(1, 1, system.frame.side, system.frame.side))
    assert found[0] / 1e6 == pytest.approx(millions, rel=0.01)
    assert found[1] / 1e6 == pytest.approx(multiply_adds, rel=0.02)


def test_multiply_adds_are_counted_by_hand():
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.Flatten(), torch.nn.Linear(4 * 64, 5))
    assert cost(net, torch.zeros(1, 1, 8, 8)) == (4 * 9 + 4 + 4 * 64 * 5 + 5, 64 * 4 * 9 + 4 * 64 * 5)


def task_of(system: System, points: Sequence[int] = range(15), faces: FaceSet | None = None) -> SystemTask:
    faces = spots(64) if faces is None else faces
    return SystemTask(system, np.array(points), faces, faces.take(np.array([0])), CPU)


def test_a_system_learns_and_answers_in_pixels():
    task, held = task_of(TINY, faces=spots(200)), spots(20, seed=1)
    before = np.nanmean((task.predict(held)[0] - held.coords) ** 2)
    fit(task, Steps(200))
    found = task.predict(held)
    assert found.shape == (1, 20, 15, 2)
    assert np.isfinite(found).all()
    assert np.nanmean((found[0] - held.coords) ** 2) < 0.2 * before


def test_the_same_training_twice_is_the_same():
    shares = tuple(step / 7 for step in range(1, 8))
    losses = [[r.loss for r in fit(task_of(replace(TINY, mirror=True)), Steps(7, shares))] for _ in range(2)]
    assert losses[0] == losses[1]
    assert len(set(losses[0])) == 7


def test_an_epoch_shows_each_row_once():
    faces = spots(64)
    faces.images[:, 0, 0] = np.arange(64)  # a mark of each row
    task = task_of(TINY, faces=faces)
    first, second = (np.concatenate([images[:, 0, 0] for images, _ in task.batches(epoch)]) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(64))
    assert not np.array_equal(first, second)


def test_mirrored_rows_swap_left_and_right():
    task = task_of(replace(TINY, mirror=True), [0])
    task.train.coords[:, 1] = task.train.coords[:, 0] - 7
    images, coords = task._varied(np.arange(64), np.random.default_rng(0))
    flipped = (images != task.train.images).any(axis=(1, 2))
    assert 10 < flipped.sum() < 54
    own = task.train.coords
    np.testing.assert_array_equal(coords[~flipped, 0], own[~flipped, 0])
    np.testing.assert_allclose(coords[flipped, 0, 0], 95 - own[flipped, 1, 0])


def test_a_network_of_one_point_predicts_that_alone():
    found = task_of(TINY, [10]).predict(spots(4, 1))
    assert np.isfinite(found[0, :, 10]).all()
    assert np.isnan(np.delete(found[0], 10, axis=1)).all()


def test_a_point_that_nobody_labelled_cannot_be_learnt():
    with pytest.raises(UserError, match=r"label for left_eye_inner_corner, got 0\. Give more faces"):
        task_of(TINY, [2], spots(20).take(np.arange(10, 20)))


def test_wrong_settings_are_refused():
    for wrong in ({"kind": "lion"}, {"lr": 0.0}, {"momentum": 0.9}, {"kind": "sgd", "momentum": 1.0}):
        with pytest.raises(ValueError, match=list(wrong)[-1]):
            Rule(**wrong)
    with pytest.raises(ValueError, match="batch"):
        replace(TINY, batch=1)


def test_settings_change_with_what_is_set():
    assert replace(TINY, rule=Rule(lr=0.1)).settings() != TINY.settings()
    assert replace(TINY, output=Points()).settings() == TINY.settings()
    assert systems.load("fcn_maps").settings()["kinds"] == {"output": "Maps", "frame": "Whole"}
