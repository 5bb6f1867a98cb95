"""The plan of drawn files: passes, label drift, duplicates and wrong rows, before a face is drawn."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from solution.data.synthetic import DrawnSettings
from solution.data.synthetic.passes import BIAS_RMS, UNEVEN, WAVE, drift_at, plan_passes
from solution.data.synthetic.plan import plan_files
from solution.data.synthetic.slots import slots
from solution.runtime.errors import UserError


def slots_shown(plan):
    """The slots whose pictures the rows of both files show."""
    return [slot for shown in plan.shown.values() for slot in shown]


def drift_by_pass(settings):
    """The drift at every place of the common order, by pass."""
    passes = plan_passes(settings)
    drift = drift_at(settings, passes, np.arange(passes.total))
    return np.split(drift, passes.bounds[1:-1])


def test_each_pass_has_a_bias_of_the_stated_size_with_a_slow_wave_in_it():
    drifts = drift_by_pass(DrawnSettings(train4=30_000, test4=6_000, passes=250))
    assert len(drifts) > 290
    constant = np.array([part.mean(axis=0) for part in drifts[:-1]])
    np.testing.assert_allclose(constant.mean(axis=0) / BIAS_RMS, 0, atol=0.2)
    np.testing.assert_allclose(np.sqrt((constant**2).mean(axis=0)) / BIAS_RMS, 1, atol=0.15)
    within = np.concatenate([part - part.mean(axis=0) for part in drifts[:-1]])
    np.testing.assert_allclose(np.sqrt((within**2).mean(axis=0)) / BIAS_RMS, WAVE, rtol=0.15)
    steps = np.array([np.abs(np.diff(part, axis=0)).max(axis=0) for part in drifts]) / BIAS_RMS
    jumps = np.array([np.abs(then[0] - before[-1]) for before, then in pairwise(drifts)]) / BIAS_RMS
    assert steps.max() < 0.15
    assert np.median(jumps) > 0.8


def test_the_factor_scales_every_bias():
    settings = DrawnSettings()
    for one, double in zip(drift_by_pass(settings), drift_by_pass(replace(settings, drift=2.0)), strict=True):
        np.testing.assert_allclose(double, 2 * one)
    assert not np.concatenate(drift_by_pass(replace(settings, drift=0.0))).any()


@pytest.mark.parametrize("seed", range(4))
def test_by_default_training_ends_in_the_middle_of_the_sixth_pass(seed):
    settings = DrawnSettings(seed=seed)
    passes = plan_passes(settings)
    lengths = np.diff(passes.bounds)
    np.testing.assert_allclose(lengths, 1300 / 5.6, rtol=UNEVEN + 0.005)
    assert len(set(lengths.tolist())) > 1
    first = passes.first_rows()
    assert len(first["training"]) == 6
    assert 0.4 < (1300 - first["training"][-1]) / lengths[5] < 0.8
    assert len(first["test"]) == 1
    number, share = passes.locate(np.arange(1550))
    assert number[1299] == number[1300] == 5
    begins = [*first["training"][1:], 1300 + first["test"][0]]
    np.testing.assert_array_equal(np.flatnonzero(np.diff(number)) + 1, begins)
    assert ((share > 0) & (share < 1)).all()
    np.testing.assert_array_equal(passes.place_at(number, share), np.arange(1550))


@pytest.mark.parametrize("seed", range(4))
def test_duplicates_stand_whole_passes_apart(seed):
    settings = DrawnSettings(seed=seed)
    plan = plan_files(settings)
    in4 = [(earlier - 700, row - 700) for row, earlier in plan.duplicates.items() if row >= 700]
    across = [(earlier - 700, row - 150 + 1300) for row, earlier in plan.test_duplicates.items()]
    assert 2 * len(in4) / 1300 == pytest.approx(0.125, abs=0.005)
    assert len(plan.duplicates) - len(in4) <= 5
    assert len(across) == 50
    assert Counter(slots_shown(plan)).most_common(1)[0][1] <= 3
    for pairs in (in4, across):
        places = np.array(pairs)
        lags = np.diff(places, axis=1)[:, 0] / (1300 / 5.6)
        assert np.abs(lags - np.rint(lags)).max() < 0.25
        assert len(set(np.diff(places, axis=1)[np.rint(lags) == 1, 0].tolist())) > 5
        counts = np.bincount(np.rint(lags).astype(int))
        assert counts[0] == 0
        assert counts[1] == counts.max()
        assert counts[2] > 3
        number, share = (part.reshape(-1, 2) for part in plan.passes.locate(places.ravel()))
        np.testing.assert_array_equal(np.diff(number, axis=1)[:, 0], np.rint(lags))
        assert 0.005 < np.diff(share, axis=1).std() < 0.03
    assert {earlier for earlier, _ in across} <= set(range(1300))


def test_settings_of_one_thing_leave_the_others_alone():
    plan, more = plan_files(DrawnSettings()), plan_files(DrawnSettings(duplicates=0.2))
    assert set(plan.duplicates) < set(more.duplicates)
    assert plan.test_duplicates.keys() <= plan_files(DrawnSettings(test_duplicates=0.3)).test_duplicates.keys()
    np.testing.assert_array_equal(plan.passes.bounds, more.passes.bounds)
    np.testing.assert_array_equal(plan.drift["training"], more.drift["training"])
    none = plan_files(DrawnSettings(duplicates=0, test_duplicates=0))
    assert none.duplicates == none.test_duplicates == {}
    assert all(shown == slots(DrawnSettings(), file) for file, shown in none.shown.items())


def test_wrong_rows_have_no_duplicate_in_either_file():
    plan = plan_files(DrawnSettings(train15=20, train4=300, test4=300, duplicates=0.3, test_duplicates=0.3, wrong=0.3))
    repeated = {slot for slot, rows in Counter(slots_shown(plan)).items() if rows > 1}
    assert len(repeated) > 100
    assert len(plan.wrong) == 96
    assert not {plan.shown["training"][row] for row in plan.wrong} & repeated


def test_switch_moves_the_bottom_lip_from_its_place_on():
    settings = DrawnSettings(train4=300, test4=50)
    passes, places = plan_passes(settings), np.arange(350)
    step = drift_at(replace(settings, switch=0.4), passes, places) - drift_at(settings, passes, places)
    np.testing.assert_allclose(step[:120], 0)
    np.testing.assert_allclose(step[120:, 3, 1], settings.switch_step)
    assert np.count_nonzero(step) == 230


@pytest.mark.parametrize(
    "change",
    [
        {"train15": -1},
        {"train4": 1.5},
        {"noise4": -0.1},
        {"drift": float("nan")},
        {"switch": 1.0},
        {"duplicates": 0.9},
        {"test_duplicates": -0.1},
        {"passes": 0.5},
        {"passes": float("nan")},
        {"passes": float("inf")},
        {"wrong": -0.1},
        {"train15": 0, "train4": 0},
    ],
)
def test_settings_are_checked(change):
    with pytest.raises(UserError, match="drawn faces: "):
        DrawnSettings(**change)


@pytest.mark.parametrize("train4", [40, 240, 5000])
@pytest.mark.parametrize("passes", [1.0, 2.5, 8.0])
def test_the_shares_hold_for_other_sizes(train4, passes):
    plan = plan_files(DrawnSettings(train15=0, train4=train4, test4=train4 // 2, passes=passes))
    most = min(0.125, 0.4 * (passes - 1))
    assert 2 * len(plan.duplicates) / train4 == pytest.approx(most, abs=0.03)
    assert len(plan.test_duplicates) / (train4 // 2) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_by_default_the_biases_of_the_few_labellers_differ(seed):
    lip = [part[:, 3, 1].mean() for part in drift_by_pass(DrawnSettings(seed=seed))]
    assert len(lip) == 7
    assert 0.7 < np.std(lip) < 2.1
    assert np.abs(np.subtract.outer(lip, lip))[np.triu_indices(7, 1)].max() > 2
