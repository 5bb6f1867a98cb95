from dataclasses import replace

import numpy as np
import pytest

from solution.evaluation import worst_faces
from solution.evaluation.worst_faces import Gallery
from solution.faces import FaceSet
from solution.keypoints import FACE15, IN_FOUR
from tests.report.cases import gallery_of
from tests.small import predicted, small_faces, small_folds

FAR, ONE_POINT = 7, 31
"""A row whose labels lie elsewhere, and a 4-keypoint row with one point off."""


@pytest.fixture
def faces() -> FaceSet:
    right = small_faces(20, 20)
    coords = right.coords.copy()
    coords[FAR] += 20
    coords[ONE_POINT, IN_FOUR[2]] += 6
    return replace(right, coords=coords)


@pytest.fixture
def gallery(faces: FaceSet) -> Gallery:
    return gallery_of(faces, small_folds(faces), predicted(small_faces(20, 20), error=0.5, seed=4))


def test_the_worst_come_first_with_their_reasons(gallery: Gallery, faces: FaceSet):
    worst = gallery.worst()
    assert [one.id for one in worst[:2]] == [FAR, ONE_POINT]
    assert [one.rms for one in worst] == sorted((one.rms for one in worst), reverse=True)
    far, one_point = worst[:2]
    assert far.outlier
    assert far.score > 1
    assert "px" in far.reason
    assert (far.subset, far.fold) == (15, FAR % 3)
    assert [mark.point for mark in one_point.marks] == sorted(IN_FOUR)
    errors = {FACE15.points[mark.point]: mark.error for mark in one_point.marks}
    assert max(errors, key=errors.__getitem__) == "nose_tip"
    assert errors["nose_tip"] == pytest.approx(6 * 2**0.5, abs=1.5)
    assert [mark.sigma for mark in one_point.marks] == pytest.approx([0.8] * 4)


def test_each_keypoint_has_its_own_worst(gallery: Gallery, faces: FaceSet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worst_faces, "WORST", 1)
    monkeypatch.setattr(worst_faces, "WORST_OF_POINT", 1)
    shown = {one.id for one in replace(gallery, audit=gallery.audit[:0]).worst()}
    distance = np.linalg.norm(gallery.coords - faces.coords, axis=-1)
    for subset, points in ((15, range(15)), (4, IN_FOUR)):
        rows = np.flatnonzero(faces.subset == subset)
        assert {int(rows[np.argmax(distance[rows, k])]) for k in points} <= shown
    assert len(shown) < len(faces)


def test_another_runs_predictions_are_beside_this_runs(gallery: Gallery, faces: FaceSet):
    other = gallery.coords + 3
    (one,) = gallery.pictures([ONE_POINT], other)
    assert one.rms_other == pytest.approx(
        np.sqrt(np.nanmean((other[ONE_POINT] - faces.coords[ONE_POINT]) ** 2)), abs=1e-4
    )
    mark = one.marks[0]
    assert mark.other == pytest.approx((mark.predicted[0] + 3, mark.predicted[1] + 3))
    assert gallery.pictures([ONE_POINT])[0].rms_other is None


@pytest.mark.parametrize("lost", [(0, 1), (1,)])
def test_a_row_without_a_whole_label_is_not_shown(lost: tuple[int, ...]):
    bare = small_faces(12, 12)
    coords = bare.coords.copy()
    coords[3][:, lost] = np.nan
    coords[3, :, 0] += 50
    bare = replace(bare, coords=coords)
    assert 3 not in [one.id for one in gallery_of(bare, small_folds(bare), predicted(bare, error=1.0)).worst()]
