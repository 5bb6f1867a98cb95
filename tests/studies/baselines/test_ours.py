"""Our own networks by the clock: their recipes as they are, the schedule turned by time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from solution import recipes
from solution.data.competition import Competition
from solution.studies.ablations import ABLATIONS
from solution.studies.baselines.ours import EPOCHS, OurLearner, OurSystem, our_systems

CPU = torch.device("cpu")
OWN = {one.name: one for one in our_systems()}


def learner(one: OurSystem, drawn: Competition, folder: Path) -> OurLearner:
    return OurLearner(one, drawn.train.take(np.arange(0, len(drawn.train), 2)), folder, CPU)


def test_the_recipes_are_those_of_the_specialists():
    for name in ("unet_all", "timm_all"):
        assert OWN[name].recipe == replace(recipes.load(name).at("cpu"), init_from=None, epochs=EPOCHS)
    assert OWN["cascade"].recipe == ABLATIONS["cascade"].recipe(OWN["unet_all"].recipe)


@pytest.mark.parametrize("name", OWN)
def test_each_takes_steps_and_answers_every_point(name: str, drawn: Competition, tmp_path: Path):
    one = learner(OWN[name], drawn, tmp_path)
    before = {key: value.clone() for key, value in one.trainer.average.module.state_dict().items()}
    losses = [one.step(share) for share in (0.0, 0.2, 0.5)]
    assert np.isfinite(losses).all()
    after = one.trainer.average.module.state_dict()
    assert any(not torch.equal(before[key], after[key]) for key in before if key.endswith("weight"))
    few = drawn.train.take(np.array([0, len(drawn.train) - 1]))
    found = one.predict(few)
    assert found.shape == (len(one.readings), 2, 15, 2)
    assert np.isfinite(found[0][~np.isnan(few.coords)]).all()
    parameters, multiply_adds = one.cost()
    assert parameters == sum(p.numel() for p in one.trainer.net.parameters())
    assert 50e6 < multiply_adds < 300e6


def test_the_schedule_follows_the_time_spent(drawn: Competition, tmp_path: Path):
    one = learner(OWN["unet_all"], drawn, tmp_path)
    peak = one.recipe.optimiser.lr
    rates = []
    for share in (0.0, one.recipe.optimiser.warm_up, 0.6, 0.999):
        one.step(share)
        rates.append(one.trainer.optimiser.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(peak / 25)
    assert rates[1] == pytest.approx(peak, rel=0.2)
    assert rates[1] > rates[2] > rates[3]


def test_a_pass_teaches_the_mirror_offset(drawn: Competition, tmp_path: Path):
    one = learner(OWN["unet_all"], drawn, tmp_path)
    for _ in range(one.trainer.batches + 1):
        one.step(0.0)
    assert one.trainer.offset.values.any()
