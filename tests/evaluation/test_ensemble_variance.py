import numpy as np
import pytest

from solution.evaluation.ensemble_variance import DISAGREEING, ensemble_variance
from solution.keypoints import SUBSETS
from tests.small import small_faces

TEST = small_faces(20, 20)


def pipelines(sd: float) -> np.ndarray:
    """Five pipelines that share an error of 1 px and have one of their own, (5, T, 15, 2)."""
    rng = np.random.default_rng(0)
    shared = TEST.coords + rng.normal(0, 1, TEST.coords.shape)
    return shared + rng.normal(0, sd, (5, *TEST.coords.shape))


@pytest.mark.parametrize("sd", [0.5, 6.0])
def test_averaging_reduces_the_squared_error_by_the_variance(sd: float):
    made = pipelines(sd)
    found = ensemble_variance(made, TEST.subset)
    assert found.disagreeing == 0  # not even where all pipelines are as poor
    for s in SUBSETS:
        rows = TEST.subset == s
        one = np.nanmean((made[:, rows] - TEST.coords[rows]) ** 2)
        mean = np.nanmean((made.mean(axis=0)[rows] - TEST.coords[rows]) ** 2)
        assert found.by_subset[s] == pytest.approx(one - mean)
        assert found.by_subset[s] > 0.5 * sd**2


@pytest.mark.parametrize(("off", "disagreeing"), [(2.2 * DISAGREEING, 0), (3.0 * DISAGREEING, 1)])
def test_a_face_on_which_the_pipelines_disagree_is_left_out(off: float, disagreeing: int):
    coords, row = pipelines(0.3), int(np.flatnonzero(TEST.subset == 15)[3])
    sane = ensemble_variance(np.delete(coords, row, axis=1), np.delete(TEST.subset, row))
    coords[4, row] += off
    found = ensemble_variance(coords, TEST.subset)
    assert found.disagreeing == disagreeing
    assert (found.by_subset == pytest.approx(sane.by_subset)) == bool(disagreeing)
