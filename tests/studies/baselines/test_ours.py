"""Our own networks by the clock: their recipes, with a schedule that follows the time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from solution import recipes
from solution.data.competition import Competition
from solution.specialists.budget import Steps
from solution.specialists.fit import fit
from solution.studies.ablations import ABLATIONS
from solution.studies.baselines.ours import EPOCHS, our_systems
from solution.studies.baselines.tasks import OurTask

CPU = torch.device("cpu")
OURS = {system.name: system for system in our_systems()}


@pytest.fixture
def task_of(drawn: Competition, tmp_path: Path):
    faces = drawn.train.take(np.arange(0, len(drawn.train), 2))
    return lambda name: OurTask(OURS[name].recipe, faces, faces.take(np.array([0, -1])), tmp_path, CPU)


def test_the_recipes_are_those_of_the_specialists():
    for name in ("unet_all", "timm_all"):
        assert OURS[name].recipe == replace(recipes.load(name).at("cpu"), init_from=None, epochs=EPOCHS)
    assert OURS["cascade"].recipe == ABLATIONS["cascade"].recipe(OURS["unet_all"].recipe)


@pytest.mark.parametrize("name", OURS)
def test_each_takes_steps_and_answers_every_point(name: str, task_of):
    task = task_of(name)
    before = {key: value.clone() for key, value in task.average.module.state_dict().items()}
    (record,) = fit(task, Steps(3))
    assert np.isfinite(record.loss)
    after = task.average.module.state_dict()
    assert any(not torch.equal(before[key], after[key]) for key in before if key.endswith("weight"))
    assert record.value.shape == (len(task.readings), 2, 15, 2)
    assert np.isfinite(record.value[0][~np.isnan(task.watched.coords)]).all()
    parameters, multiply_adds = task.cost()
    assert parameters == sum(p.numel() for p in task.net.parameters())
    assert 50e6 < multiply_adds < 300e6


def test_the_schedule_follows_the_share_that_is_spent(task_of):
    task = task_of("unet_all")
    settings, rates = task.recipe.optimiser, []
    for share in (0.0, settings.warm_up, 0.6, 0.999):
        task.set_rate(share)
        task.optimiser.step()
        rates.append(task.optimiser.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(settings.lr / 25)
    assert rates[1] == pytest.approx(settings.lr, rel=0.2)
    assert rates[1] > rates[2] > rates[3]


def test_an_epoch_teaches_the_label_offset(task_of):
    task = task_of("unet_all")
    fit(task, Steps(task.steps_per_epoch + 1))
    assert task.offset.values.any()
