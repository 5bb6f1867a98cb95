import numpy as np
import pytest

from solution.evaluation.label_noise import FEWEST, label_noise

PICTURES = 400


def residuals(labels: float, predictions: float) -> tuple[np.ndarray, np.ndarray]:
    """Of PICTURES pictures that are there twice, the first also a third time, and as many that are there once."""
    rng = np.random.default_rng(0)
    group = np.concatenate([np.arange(2 * PICTURES), np.arange(PICTURES), [0]])
    shared = rng.normal(0, predictions, (2 * PICTURES, 15, 2))[group]
    found = shared + rng.normal(0, labels, shared.shape)
    found[:, 4:] = np.nan
    return found, group


@pytest.mark.parametrize(("labels", "predictions"), [(0.9, 0.6), (0.3, 1.2)])
def test_errors_of_labels_and_of_predictions_are_separated(labels: float, predictions: float):
    found = label_noise(*residuals(labels, predictions))
    assert found is not None
    assert (found.pictures, found.rows) == (PICTURES, 2 * PICTURES + 1)
    assert found.labels == pytest.approx(labels, rel=0.05)
    assert found.predictions == pytest.approx(predictions, rel=0.05)
    assert found.rmse**2 == pytest.approx(found.labels**2 + found.predictions**2)
    low, high = found.interval
    assert low < found.labels < high
    assert high - low < 0.1 * found.labels


def test_a_point_with_one_label_shows_no_noise():
    given, group = residuals(0.9, 0.6)
    before = label_noise(given, group)
    given[PICTURES * 2 :, 3] = np.nan
    given[: PICTURES * 2, 3] = 1000.0
    after = label_noise(given, group)
    assert before is not None
    assert after is not None
    assert after.labels == pytest.approx(before.labels, rel=0.05)


def test_few_duplicates_give_no_estimate():
    given, group = residuals(0.9, 0.6)
    few = np.concatenate([np.arange(FEWEST - 1), 2 * PICTURES + np.arange(FEWEST - 1)])
    assert label_noise(given[few], group[few]) is None
    assert label_noise(given[:PICTURES], group[:PICTURES]) is None
    assert label_noise(given[:0], group[:0]) is None
