from dataclasses import replace

import numpy as np
import pytest

from solution.evaluation.label_errors.evidence import disagreement
from solution.evaluation.label_errors.ranking import COLUMNS, LISTED, flagged, make_audit
from solution.evaluation.outliers import is_outlier
from solution.faces import FaceSet
from solution.keypoints import FACE15
from tests.evaluation.label_errors.cases import oof_of, relabelled, table_of

NOSE = FACE15.points.index("nose_tip")
EYES = FACE15.index(("left_eye_center", "right_eye_center"))


def entry(audit, row):
    return audit[audit["id"] == row].iloc[0]


def duplicates_of(faces: FaceSet) -> list[tuple[int, int]]:
    group = table_of(faces).group
    return [(int(first), row) for row, first in enumerate(group) if first != row]


def test_right_labels_are_not_flagged(truth):
    audit = make_audit(truth, table_of(truth), oof_of(truth))
    assert tuple(audit.columns) == COLUMNS
    assert flagged(audit).size == 0
    assert not audit["far_off"].any()


def test_planted_errors_come_first_and_are_named(truth, singles):
    swapped, shifted, moved, outside = singles[-1], singles[-2], singles[0], singles[1]
    coords = truth.coords.copy()
    coords[swapped, EYES] = coords[swapped, EYES[::-1]]
    coords[shifted] += (0.0, 12.0)
    coords[moved, NOSE] += (-14.0, 0.0)
    coords[outside, 3] = (120.0, 50.0)
    faces = relabelled(truth, coords)
    audit = make_audit(faces, table_of(faces), oof_of(truth))

    assert set(flagged(audit)) == {swapped, shifted, moved, outside}
    assert audit["score"].is_monotonic_decreasing
    assert (audit["score"] >= LISTED).all()
    assert "left_eye_center and right_eye_center swapped" in entry(audit, swapped)["geometry"]
    assert entry(audit, swapped)["far_off"]
    assert "the whole row is 1" in entry(audit, shifted)["reason"]
    assert " down)" in entry(audit, shifted)["reason"]
    assert entry(audit, shifted)["geometry"] == ""
    assert entry(audit, shifted)["rms_residual_px"] == pytest.approx(12 / np.sqrt(2), abs=1.5)
    assert entry(audit, moved)["worst_point"] == "nose_tip"
    assert "nose_tip is" in entry(audit, moved)["reason"]
    assert "outside the picture by 25.0 px" in entry(audit, outside)["reason"]
    assert entry(audit, swapped)["score"] > entry(audit, shifted)["score"]


def test_of_two_duplicates_the_one_far_from_its_prediction_is_flagged(truth):
    (_, _), (right, wrong) = duplicates_of(truth)[:2]
    coords = truth.coords.copy()
    coords[wrong] += (8.0, 8.0)
    faces = relabelled(truth, coords)
    audit = make_audit(faces, table_of(faces), oof_of(truth))
    assert flagged(audit).tolist() == [wrong]
    assert f"its duplicate's labels, id {right}, differ by" in entry(audit, wrong)["reason"]
    assert entry(audit, wrong)["duplicate_disagreement_px"] == pytest.approx(8 / np.sqrt(2), abs=2.0)


def test_duplicates_that_disagree_are_both_flagged_without_other_evidence(truth):
    first, second = duplicates_of(truth)[0]
    coords, middle = truth.coords.copy(), truth.coords.copy()
    coords[second] = coords[first] + (11.0, 0.0)
    middle[[first, second]] = coords[first] + (5.5, 0.0)
    faces = relabelled(truth, coords)
    audit = make_audit(faces, table_of(faces), oof_of(relabelled(truth, middle), error=0.5))
    assert {first, second} <= set(flagged(audit))


def test_duplicates_that_agree_are_not_flagged_for_wrong_predictions(truth, singles):
    row, duplicate = duplicates_of(truth)[-1]
    oof = oof_of(truth)
    for lost in (row, duplicate, singles[0]):
        oof.coords[lost] += (0.0, 11.0)
    audit = make_audit(truth, table_of(truth), oof)
    assert flagged(audit).tolist() == [singles[0]]


def test_disagreement_of_the_specialists_raises_the_limit_except_for_outliers(truth, singles):
    sigma = np.random.default_rng(1).uniform(1, 6, len(truth)).astype(np.float32)
    easy, hard, absurd = singles[-3:]
    sigma[[easy, hard, absurd]] = 1.0, 6.0, 12.0
    noise = np.random.default_rng(2).normal(0, 1, truth.coords.shape) * sigma[:, None, None]
    coords = (truth.coords + noise).astype(np.float32)
    for row, off in ((easy, 8.0), (hard, 8.0), (absurd, 30.0)):
        coords[row] = truth.coords[row] + off
    oof = replace(oof_of(truth), coords=coords, sigma=np.repeat(sigma[:, None], 15, axis=1))
    audit = make_audit(truth, table_of(truth), oof).set_index("id")
    assert audit.loc[easy, "score"] >= 1
    assert hard not in audit.index or audit.loc[hard, "score"] < 1
    assert is_outlier(coords, truth.coords)[absurd]
    assert audit.loc[absurd, "score"] >= 1


def test_rows_without_sigma_label_or_prediction_are_accepted(truth, singles):
    coords = truth.coords.copy()
    coords[singles[0]] = np.nan
    coords[singles[-1]] += 20.0
    faces = relabelled(truth, coords)
    oof = oof_of(truth, sigma=np.nan)
    oof.coords[singles[1]] = np.nan
    assert flagged(make_audit(faces, table_of(faces), oof)).tolist() == [singles[-1]]


def test_predictions_of_other_rows_are_refused(truth):
    with pytest.raises(ValueError, match="same rows"):
        make_audit(truth, table_of(truth), oof_of(truth.take(np.arange(len(truth))[::-1])))


def test_disagreement_is_the_distance_from_the_mean_where_two_or_more_predict():
    members = np.full((3, 1, 3, 2), np.nan)
    members[0, 0, :2], members[1, 0, 0] = 10.0, 14.0
    found = disagreement(members)
    assert found[0, 0] == pytest.approx(2.0)
    assert np.isnan(found[0, 1:]).all()
