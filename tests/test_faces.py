from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from solution.faces import FoldTable, Predictions
from tests.small import small_faces


def test_take_gives_the_rows_in_the_order_asked():
    faces = small_faces(3, 3)
    part = faces.take(np.array([4, 0]))
    assert part.ids.tolist() == [4, 0]
    assert part.subset.tolist() == [4, 15]
    np.testing.assert_array_equal(part.images, faces.images[[4, 0]])
    np.testing.assert_array_equal(part.coords, faces.coords[[4, 0]])
    assert faces.take(faces.subset == 4).ids.tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("images", np.zeros((6, 96, 96), np.float32), "images: expected uint8"),
        ("images", np.zeros((5, 96, 96), np.uint8), "images: expected uint8"),
        ("images", np.zeros((6, 9216), np.uint8), "images: expected uint8"),
        ("coords", np.zeros((6, 4, 2), np.float32), "coords: expected"),
        ("subset", np.full(6, 5, np.int8), "subset: expected"),
        ("ids", np.zeros(6, int), "ids: expected unique"),
    ],
)
def test_faces_are_checked_when_made(field: str, value: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        replace(small_faces(3, 3), **{field: value})


def test_values_are_frozen():
    with pytest.raises(FrozenInstanceError):
        small_faces(1, 1).ids = np.arange(2)  # type: ignore[misc]


def test_a_fold_table_counts_its_folds():
    assert FoldTable(np.arange(4), np.array([0, 2, 1, 0]), np.arange(4)).k == 3


def test_predictions_whose_shapes_disagree_are_refused():
    coords = np.zeros((2, 15, 2))
    with pytest.raises(ValueError, match="mine: shapes disagree"):
        Predictions("mine", np.arange(2), coords, np.zeros((2, 4)))
    with pytest.raises(ValueError, match="mine: shapes disagree"):
        Predictions("mine", np.arange(3), coords, np.zeros((2, 15)))
