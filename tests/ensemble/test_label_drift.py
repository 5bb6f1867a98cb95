"""Label drift: how it is read, and for which placements of a test file it is added."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solution.data.placement import CONTINUES, INTERLEAVED, UNKNOWN, Placement
from solution.data.sequence import place_pictures
from solution.data.synthetic import DrawnSettings, write_drawn
from solution.ensemble.config import DriftConfig
from solution.ensemble.label_drift import DriftTrial, centred, drift_at, drift_of_training, drift_without_own, try_drift
from solution.keypoints import FACE15, IN_FOUR
from tests.passes import PICTURES, dealt, passes
from tests.passes import ROWS as TRAIN

ROWS, POINTS = 1200, 2
CONFIG = DriftConfig()


def wave(places: np.ndarray) -> np.ndarray:
    """A slow drift of 1.4 px rms in y of the second point, none elsewhere: (N, 2, 2)."""
    drift = np.zeros((len(places), POINTS, 2))
    drift[:, 1, 1] = 2 * np.sin(places / 60)
    return drift


@pytest.fixture(scope="module")
def residuals() -> np.ndarray:
    rng = np.random.default_rng(0)
    return wave(np.arange(ROWS)) + rng.normal(0, 1, (ROWS, POINTS, 2))


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def test_the_planted_drift_is_found_and_nothing_else(residuals):
    found = drift_at(np.arange(ROWS), np.arange(ROWS), residuals, 12)
    assert rms(found[:, 1, 1] - wave(np.arange(ROWS))[:, 1, 1]) < 0.35
    assert rms(found[:, 0]) < 0.25


def test_a_planted_switch_is_followed_within_its_width(residuals):
    switched = residuals.copy()
    switched[600:, 0, 0] += 3
    found = drift_at(np.arange(ROWS), np.arange(ROWS), switched, 12)[:, 0, 0]
    assert abs(found[:560].mean()) < 0.2
    assert found[640:].mean() == pytest.approx(3, abs=0.45)  # residuals are clipped at 4


def test_a_row_does_not_influence_its_own_drift():
    residuals = np.zeros((100, 1, 2))
    residuals[50] = 3.0
    without = drift_without_own(np.arange(100), residuals, 5)
    assert np.abs(without[50]).max() < 1e-4
    assert without[51].min() > 0.1


def test_a_large_residual_is_clipped_and_a_missing_one_is_ignored():
    residuals = np.zeros((101, 1, 2))
    residuals[50] = 40.0
    residuals[:40] = np.nan
    found = drift_at(np.arange(101), np.arange(101), residuals, 10)
    alone = residuals.copy()
    alone[50] = CONFIG.clip
    np.testing.assert_allclose(found, drift_at(np.arange(101), np.arange(101), alone, 10))
    assert np.isfinite(found).all()


def test_centred_takes_a_constant_away_but_not_what_varies(residuals):
    np.testing.assert_allclose(centred(residuals + 1.0).mean(axis=0), 0, atol=1e-9)
    assert centred(np.full((5, 1, 2), np.nan)).shape == (5, 1, 2)


def test_every_place_has_its_own_width(residuals):
    places, known = np.array([100.5, 600.0]), np.arange(ROWS)
    both = drift_at(places, known, residuals, np.array([12.0, 80.0]))
    for place, width, found in zip(places, (12.0, 80.0), both, strict=True):
        np.testing.assert_allclose(found, drift_at(np.array([place]), known, residuals, width)[0], rtol=1e-6)


def test_no_row_has_a_drift_where_there_is_none():
    assert drift_without_own(np.arange(0), np.zeros((0, 4, 2)), 12).shape == (0, 4, 2)
    assert drift_at(np.arange(0), np.arange(5), np.zeros((5, 4, 2)), 12).shape == (0, 4, 2)


def test_the_drift_of_training_rows_comes_from_their_neighbours_alone(residuals):
    rows, kept = np.arange(ROWS), np.ones(ROWS, bool)
    found = drift_of_training(rows, residuals, kept, 4)
    np.testing.assert_allclose(found, drift_without_own(rows, centred(residuals), CONFIG.near4))
    truth = wave(rows)
    assert rms(truth - found) < 0.5 * rms(truth)


@pytest.mark.parametrize("seed", range(5))
def test_training_rows_have_no_drift_where_it_does_not_help(seed: int):
    noise = np.random.default_rng(seed).normal(0, 1, (ROWS, POINTS, 2))
    for subset in (15, 4):
        found = drift_of_training(np.arange(ROWS), noise, np.ones(ROWS, bool), subset)
        assert found.shape == noise.shape
        assert not found.any()
    assert not drift_of_training(np.arange(0), noise[:0], np.ones(0, bool), 4).any()


def test_outliers_do_not_decide_whether_training_rows_have_a_drift(residuals):
    """A stretch of outliers that the drift would fit: over the kept rows, it does not help."""
    noise = np.random.default_rng(0).normal(0, 1, (ROWS, POINTS, 2))
    noise[300:360] += 30
    outliers = np.zeros(ROWS, bool)
    outliers[300:360] = True
    assert drift_of_training(np.arange(ROWS), noise, np.ones(ROWS, bool), 4).any()
    assert not drift_of_training(np.arange(ROWS), noise, ~outliers, 4).any()


EVERY = np.ones(TRAIN, bool)


def gliding(places: np.ndarray, period: float, phase: float = 0.0) -> np.ndarray:
    """A drift of one point's y, 2 px at most, of this period in rows: (N, 4, 2)."""
    drift = np.zeros((len(places), 4, 2))
    drift[:, 3, 1] = 2 * np.sin(2 * np.pi * places / period + phase)
    return drift


def switching(count: int, stretch: int, seed: int) -> np.ndarray:
    """A drift that is another one after every `stretch` rows, (N, 4, 2)."""
    rng = np.random.default_rng(seed)
    drift = np.zeros((count, 4, 2))
    drift[:, 3, 1] = np.repeat(rng.normal(0, 1.2, count // stretch + 2), stretch)[rng.integers(stretch) :][:count]
    return drift


def noise(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (count, 4, 2))


def interleaved(every: np.ndarray, seed: int, kept: np.ndarray = EVERY) -> tuple[DriftTrial, np.ndarray]:
    """What is found of the drift of all rows with a random share of them as test pictures, and the test's own drift."""
    held, keys = dealt(seed), passes(seed)
    placement = place_pictures(keys[~held], keys[held], 4)
    assert placement.relation == INTERLEAVED
    residuals = (every + noise(len(every), seed))[~held]
    return try_drift(placement, residuals, kept, keys[~held]), every[held] - residuals.mean(axis=0)


@pytest.mark.parametrize("seed", range(3))
def test_drift_is_added_to_interleaved_pictures_where_it_wins(seed: int):
    found, truth = interleaved(gliding(np.arange(TRAIN + PICTURES), 380), seed)
    assert found.used
    assert found.relation == INTERLEAVED
    assert found.difference[0] == pytest.approx(found.drift - found.plain)
    assert found.difference[1] < found.difference[0] < found.difference[2] < -0.05
    assert found.rows == TRAIN
    assert found.carried is None
    assert found.test.shape == (PICTURES, 4, 2)
    assert rms(truth - found.test) < 0.5 * rms(truth)
    assert found.oof.shape == (TRAIN, 4, 2)


@pytest.mark.parametrize("seed", range(2))
def test_a_drift_that_switches_is_found_among_interleaved_pictures(seed: int):
    found, truth = interleaved(switching(TRAIN + PICTURES, 40, seed), seed)
    assert found.used
    assert rms(truth - found.test) < 0.85 * rms(truth)


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_no_drift_of_interleaved_pictures(seed: int):
    found, _ = interleaved(np.zeros((TRAIN + PICTURES, 4, 2)), seed)
    assert not found.used
    assert found.drift > found.plain


def test_the_validation_never_sees_a_rows_own_label():
    """And all rows but those that are held out with it may see it: its neighbours do."""
    keys, held = passes(0), dealt(0)
    placement = place_pictures(keys[~held], keys[held], 4)
    residuals = (gliding(np.arange(len(keys)), 380) + noise(len(keys), 0))[~held]
    before = try_drift(placement, residuals, EVERY, keys[~held]).oof
    changed = residuals.copy()
    changed[1000] += 3
    after = try_drift(placement, changed, EVERY, keys[~held]).oof
    np.testing.assert_array_equal(after[1000], before[1000])
    moved = np.abs(after - before).max(axis=(1, 2))
    assert moved[990:1011].max() > 0.05
    assert (moved[:900].max(), moved[1100:].max()) < (0.02, 0.02)  # the mean alone


def test_outliers_do_not_decide_whether_the_drift_is_used():
    """Labels that are far off count neither for nor against the drift."""
    every = gliding(np.arange(TRAIN + PICTURES), 380)
    kept = EVERY.copy()
    kept[::100] = False
    found, _ = interleaved(every, 0, kept)
    assert found.rows == TRAIN - TRAIN // 100
    assert found.used


def test_the_places_and_their_error_are_what_the_drift_is_read_at():
    keys, held = passes(0), dealt(0)
    placement = place_pictures(keys[~held], keys[held], 4)
    residuals = (gliding(np.arange(len(keys)), 380) + noise(len(keys), 0))[~held]
    found = try_drift(placement, residuals, EVERY, keys[~held])
    width = np.hypot(CONFIG.near4, placement.error)
    want = drift_at(placement.places, np.arange(TRAIN), centred(residuals), width)
    np.testing.assert_allclose(found.test, want)
    assert CONFIG.near(15) > CONFIG.near(4)


def test_where_the_place_is_unknown_nothing_is_added():
    placement = Placement(subset=4, relation=UNKNOWN, pictures=0, pairs=(0, 0, 0))
    found = try_drift(placement, gliding(np.arange(TRAIN), 380), EVERY, np.arange(TRAIN))
    assert not found.used
    assert (found.relation, found.test, found.oof, found.rows) == (UNKNOWN, None, None, 0)


def test_without_rows_there_is_no_drift():
    found = try_drift(after_last(10), np.zeros((0, 4, 2)), np.ones(0, bool), np.arange(0))
    assert (found.used, found.test) == (False, None)


def after_last(pictures: int, rows: int = TRAIN) -> Placement:
    """A test file that follows the last row."""
    places = rows + np.arange(pictures, dtype=float)
    error = np.full(pictures, 5.0)
    return Placement(subset=4, relation=CONTINUES, pictures=300, pairs=(500, 300, 20), places=places, error=error)


def carried(every: np.ndarray, seed: int) -> DriftTrial:
    """What is found of the drift of the first TRAIN rows where the others are the test file."""
    residuals = every[:TRAIN] + noise(TRAIN, seed)
    return try_drift(after_last(len(every) - TRAIN), residuals, EVERY, np.arange(TRAIN))


def test_a_drift_that_reaches_over_the_boundary_is_carried_on():
    """At whatever point of its course the file ends; where it turns just there, carrying it on may do harm."""
    before, after = [], []
    for seed in range(8):
        every = gliding(np.arange(TRAIN + 200), 1900, 2 * np.pi * seed / 8)
        found = carried(every, seed)
        assert found.used
        assert found.relation == CONTINUES
        assert found.difference[1] < found.difference[0] < found.difference[2] < 0
        assert found.difference[0] == pytest.approx(found.drift - found.plain)
        window, factor, decay = found.carried
        assert (window in CONFIG.windows, factor in CONFIG.factors, decay in CONFIG.decays) == (True, True, True)
        assert found.oof is None  # no training row is a continuation of all others
        truth = every[TRAIN:] - every[:TRAIN].mean(axis=0)
        before.append(rms(truth))
        after.append(rms(truth - found.test))
    assert rms(np.array(after)) < 0.85 * rms(np.array(before))


def test_an_extrapolation_decays_with_the_distance():
    found = carried(gliding(np.arange(TRAIN + 200), 1900, 1.0), 0)
    window, factor, decay = found.carried
    last = centred(gliding(np.arange(TRAIN), 1900, 1.0) + noise(TRAIN, 0))[-window:]
    want = last.sum(axis=0) / (window + CONFIG.prior) * factor
    np.testing.assert_allclose(found.test[0], want, rtol=1e-5)
    np.testing.assert_allclose(found.test[150], want * np.exp(-150 / decay), rtol=1e-5)


@pytest.mark.parametrize("pictures", [200, 750])
@pytest.mark.parametrize("kind", ["noise", "20", "40"])
def test_a_drift_that_ends_at_the_boundary_is_not_extrapolated(kind: str, pictures: int):
    """White noise, and drifts that are others after every 20 or 40 rows; by chance one in forty wins."""
    count, used = TRAIN + pictures, 0
    for seed in range(8):
        every = np.zeros((count, 4, 2)) if kind == "noise" else switching(count, int(kind), seed)
        used += carried(every, seed).used
    assert used <= (kind == "40")


def test_outliers_do_not_decide_the_extrapolation():
    """Labels that are far off count neither for nor against it, whatever they are."""
    every = gliding(np.arange(TRAIN), 1900) + noise(TRAIN, 0)
    kept = EVERY.copy()
    kept[::150] = False
    results = []
    for off in (5.0, 50.0):  # either is clipped where it is read off
        wrong = every.copy()
        wrong[~kept] += off + 10
        results.append(try_drift(after_last(200), wrong, kept, np.arange(TRAIN)))
    assert results[0].difference == pytest.approx(results[1].difference)
    assert results[0].used


def test_too_few_rows_give_no_extrapolation():
    rows = max(CONFIG.windows) + CONFIG.step * CONFIG.fewest  # one stretch too few
    residuals = gliding(np.arange(rows), 1900)
    found = try_drift(after_last(50, rows), residuals, np.ones(rows, bool), np.arange(rows))
    assert (found.used, found.test, found.relation, found.rows) == (False, None, CONTINUES, 0)
    residuals = gliding(np.arange(rows + CONFIG.step), 1900)
    more = np.ones(rows + CONFIG.step, bool)
    assert try_drift(after_last(50, len(more)), residuals, more, np.arange(len(more))).rows > 0


def test_other_settings_are_followed():
    every = gliding(np.arange(TRAIN + 200), 1900, 1.0)
    only = replace(CONFIG, windows=(80,), factors=(0.6,), decays=(120.0,))
    residuals = every[:TRAIN] + noise(TRAIN, 0)
    assert try_drift(after_last(200), residuals, EVERY, np.arange(TRAIN), only).carried == (80, 0.6, 120.0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> tuple[np.ndarray, np.ndarray]:
    """Planted drift with a switch, and the noise around it, of the 4-keypoint rows of a drawn training file."""
    folder: Path = tmp_path_factory.mktemp("drift")
    write_drawn(
        folder, DrawnSettings(train15=20, train4=500, test15=5, test4=10, drift=0.4, switch=0.5, switch_step=2.5)
    )
    with (folder / "drift.csv").open(encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["file"] == "training"][20:]
    columns = [f"{FACE15.points[k]}_{axis}" for k in IN_FOUR for axis in "xy"]
    planted = np.array([[float(row[c]) for c in columns] for row in rows]).reshape(-1, 4, 2)
    return planted, planted + np.random.default_rng(0).normal(0, 1, planted.shape)


def test_the_drift_planted_in_drawn_faces_is_found_switch_included(drawn):
    planted, noisy = drawn
    planted = planted - planted.mean(axis=0)
    found = drift_at(np.arange(500), np.arange(500), centred(noisy), 12)
    lip = found[:, 3, 1]
    assert np.corrcoef(lip, planted[:, 3, 1])[0, 1] > 0.9
    steps = [values[275:325].mean() - values[175:225].mean() for values in (lip, planted[:, 3, 1])]
    assert 0.7 < steps[0] / steps[1] < 1.05  # the prior shrinks a little, the clipping a little more
