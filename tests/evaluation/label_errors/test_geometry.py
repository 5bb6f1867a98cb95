import numpy as np
import pytest

from solution.evaluation.label_errors.geometry import GEOMETRY_LIMIT, geometry_evidence
from solution.keypoints import FACE15
from tests.evaluation.label_errors.cases import relabelled

AT = {name: k for k, name in enumerate(FACE15.points)}


def judged(truth, row, changes):
    coords = truth.coords.copy()
    for name, value in changes.items():
        coords[row, AT[name]] = value
    evidence = geometry_evidence(relabelled(truth, coords))
    return evidence.ratio[row], evidence.reason(row)


def test_right_faces_break_no_rule(truth):
    assert (geometry_evidence(truth).ratio < 1).all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mouth_center_bottom_lip": (48, 5)}, "mouth_center_bottom_lip above the"),
        ({"nose_tip": (48, 5)}, "nose_tip above the eyes"),
        ({"nose_tip": (2, 60)}, "nose far outside of eyes and mouth"),
        ({"nose_tip": (-9, 60)}, "outside the picture by 9.0 px"),
        ({"mouth_left_corner": (20, 75), "mouth_right_corner": (70, 75)}, "mouth_left_corner and mouth_right_corner"),
        ({"left_eyebrow_inner_end": (60, 70)}, "left_eyebrow_inner_end below its eye"),
    ],
)
def test_impossible_faces_have_a_reason(truth, singles, changes, reason):
    ratio, told = judged(truth, singles[0], changes)
    assert ratio > 1
    assert reason in told


def test_eye_corners_in_the_wrong_order(truth, singles):
    inner, outer = (truth.coords[singles[0], AT[f"right_eye_{end}_corner"]] for end in ("inner", "outer"))
    ratio, told = judged(truth, singles[0], {"right_eye_inner_corner": outer, "right_eye_outer_corner": inner})
    assert ratio == pytest.approx((inner - outer)[0] / GEOMETRY_LIMIT, rel=1e-4)
    assert "right_eye_inner_corner and right_eye_outer_corner swapped" in told


def test_two_points_on_one_place(truth, singles):
    row = singles[0]
    ratio, told = judged(truth, row, {"left_eye_center": truth.coords[row, AT["left_eyebrow_inner_end"]]})
    assert ratio > 1
    assert "left_eye_center and left_eyebrow_inner_end on one place" in told


def test_closed_lips_and_missing_points_are_no_fault(truth, singles):
    row = singles[0]
    lip = truth.coords[row, AT["mouth_center_bottom_lip"]]
    assert judged(truth, row, {"mouth_center_top_lip": lip})[0] < 1
    assert judged(truth, row, dict.fromkeys(FACE15.points, (np.nan, np.nan))) == (0, "")
