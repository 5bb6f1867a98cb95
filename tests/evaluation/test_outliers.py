import numpy as np

from solution.evaluation.outliers import is_outlier
from tests.small import predicted, small_faces


def test_labels_far_from_their_predictions_are_outliers():
    faces = small_faces(20, 20)
    coords = predicted(faces, error=1.0).coords
    labels = faces.coords.copy()
    labels[3] += 30.0
    labels[25, 0] += 45.0  # one of four points: 22 px rms over the row
    labels[7, 2] += 15.0  # one of fifteen: a poor label, which may be right
    labels[9] = np.nan
    assert np.flatnonzero(is_outlier(coords, labels)).tolist() == [3, 25]


def test_untrained_specialists_give_no_outliers():
    faces = small_faces(20, 20)
    assert not is_outlier(predicted(faces, error=25.0).coords, faces.coords).any()


def test_a_row_without_predictions_is_no_outlier():
    faces = small_faces(3, 0)
    coords = predicted(faces).coords
    coords[1] = np.nan
    assert not is_outlier(coords, faces.coords).any()
    assert not is_outlier(coords[:0], faces.coords[:0]).any()
