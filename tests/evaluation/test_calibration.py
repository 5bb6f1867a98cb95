from dataclasses import replace

import numpy as np
import pytest

from solution.evaluation.calibration import BINS, Calibration, calibrate
from solution.faces import FaceSet, Predictions
from tests.small import small_faces


def planted(faces: FaceSet, claimed: float) -> Predictions:
    """Normal errors of 0.5 to 3 px an axis; sigma is `claimed` times that."""
    rng = np.random.default_rng(3)
    true = rng.uniform(0.5, 3.0, faces.coords.shape[:2])
    coords = np.nan_to_num(faces.coords, nan=48.0) + true[..., None] * rng.standard_normal(faces.coords.shape)
    return Predictions("some", faces.ids, coords.astype(np.float32), (claimed * true).astype(np.float32))


def found(faces: FaceSet, predictions: Predictions, kept: np.ndarray | None = None) -> dict[int, Calibration]:
    everything = np.ones(len(faces), bool) if kept is None else kept
    return {one.subset: one for one in calibrate(faces, everything, [predictions])}


def test_an_honest_sigma_is_on_the_diagonal():
    faces = small_faces(400, 800)
    for subset, one in found(faces, planted(faces, 1.0)).items():
        assert one.points == {15: 6000, 4: 3200}[subset]
        assert one.ratio == pytest.approx(1, abs=0.04)
        assert one.within == pytest.approx((0.683, 0.954), abs=0.02)
        assert len(one.predicted) == BINS
        np.testing.assert_allclose(one.found, one.predicted, rtol=0.12)
        assert list(one.predicted) == sorted(one.predicted)
        assert 0.3 < one.rank < 0.7


def test_a_sigma_that_is_too_small_has_a_ratio_above_1():
    faces = small_faces(400, 0)
    one = found(faces, planted(faces, 0.5))[15]
    assert one.ratio == pytest.approx(2, abs=0.08)
    assert one.within[1] == pytest.approx(0.683, abs=0.02)


def test_outliers_and_points_without_a_sigma_are_left_out():
    faces = small_faces(60, 60)
    predictions = planted(faces, 1.0)
    off = replace(predictions, coords=predictions.coords.copy())
    off.coords[:10] += 40
    kept = np.arange(len(faces)) >= 10
    assert found(faces, off, kept)[15].ratio == found(faces, predictions, kept)[15].ratio < 1.2
    assert found(faces, off)[15].ratio > 3
    blind = predictions.sigma.copy()
    blind[:, 1:] = np.nan
    assert found(faces, replace(predictions, sigma=blind), kept)[15].points == 50
    assert found(faces, replace(predictions, sigma=np.full_like(blind, np.nan))) == {}


def test_a_constant_sigma_has_no_rank_correlation():
    faces = small_faces(20, 0)
    same = replace(planted(faces, 1.0), sigma=np.ones(faces.coords.shape[:2], np.float32))
    assert np.isnan(found(faces, same)[15].rank)
