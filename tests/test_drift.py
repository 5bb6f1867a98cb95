import csv
from pathlib import Path

import numpy as np
import pytest

from solution.data.drawn import DrawnSettings, write_drawn
from solution.drift import (
    CLIP,
    centred,
    cross_validated,
    drift_at,
    drift_by_rank,
    drift_without_own,
    places_by_rank,
    rank_error,
)
from solution.keypoints import FACE15, IN_FOUR

ROWS, POINTS = 1200, 2


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


def test_a_row_says_nothing_of_its_own_drift():
    residuals = np.zeros((100, 1, 2))
    residuals[50] = 3.0
    without = drift_without_own(np.arange(100), residuals, 5)
    assert np.abs(without[50]).max() < 1e-4
    assert without[51].min() > 0.1


def test_an_absurd_residual_is_clipped_and_a_missing_one_counts_nothing():
    residuals = np.zeros((101, 1, 2))
    residuals[50] = 40.0
    residuals[:40] = np.nan
    found = drift_at(np.arange(101), np.arange(101), residuals, 10)
    alone = residuals.copy()
    alone[50] = CLIP
    np.testing.assert_allclose(found, drift_at(np.arange(101), np.arange(101), alone, 10))
    assert np.isfinite(found).all()


def test_centred_takes_a_constant_away_but_not_what_varies(residuals):
    np.testing.assert_allclose(centred(residuals + 1.0).mean(axis=0), 0, atol=1e-9)
    assert centred(np.full((5, 1, 2), np.nan)).shape == (5, 1, 2)


def test_ranks_share_the_places_equally():
    np.testing.assert_allclose(places_by_rank(10, np.arange(100)), np.arange(4.5, 100, 10))
    assert places_by_rank(0, np.arange(10)).shape == (0,)
    known = np.array([0, 1, 2, 50, 51, 52])
    assert (np.diff(places_by_rank(6, known)) > 0).all()


def test_the_rank_s_error_is_what_sampling_makes_it():
    rng = np.random.default_rng(3)
    off = []
    for _ in range(400):
        held = np.zeros(1000, bool)
        held[rng.permutation(1000)[:200]] = True
        known = np.flatnonzero(~held)
        off.append(places_by_rank(200, known) - np.flatnonzero(held))
    measured, expected = np.std(off, axis=0), rank_error(200, known)
    np.testing.assert_allclose(measured[20:180], expected[20:180], rtol=0.15)
    assert expected[0] < 5 < 35 < expected[100] < 40


def test_every_place_has_its_own_width(residuals):
    places, known = np.array([100.5, 600.0]), np.arange(ROWS)
    both = drift_at(places, known, residuals, np.array([12.0, 80.0]))
    for place, width, found in zip(places, (12.0, 80.0), both, strict=True):
        np.testing.assert_allclose(found, drift_at(np.array([place]), known, residuals, width)[0], rtol=1e-6)


def test_drift_by_rank_is_as_wide_as_place_and_rank_are_uncertain(residuals):
    known = np.arange(ROWS)
    found = drift_by_rank(150, known, residuals, 4)
    places, error = places_by_rank(150, known), rank_error(150, known)
    np.testing.assert_allclose(found, drift_at(places, known, residuals, np.sqrt(12.0**2 + error**2)), rtol=1e-5)
    assert not np.allclose(found, drift_at(places, known, residuals, 12.0), atol=0.05)


def test_a_held_out_fold_is_placed_by_rank_and_never_sees_its_own_labels(residuals):
    fold = np.random.default_rng(1).integers(0, 5, ROWS)
    found = cross_validated(np.arange(ROWS), residuals, fold, 4)
    truth = wave(np.arange(ROWS))
    assert rms(truth - found) < 0.75 * rms(truth)
    changed = residuals.copy()
    changed[fold == 2] += 3
    again = cross_validated(np.arange(ROWS), changed, fold, 4)
    np.testing.assert_array_equal(again[fold == 2], found[fold == 2])
    assert not np.allclose(again[fold == 1], found[fold == 1])


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
