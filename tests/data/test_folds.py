from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solution.data.folds import check_folds, duplicates_across, groups_of, make_folds, read_folds, write_folds
from solution.faces import FaceSet, FoldTable
from solution.keypoints import FACE15
from solution.runtime.errors import UserError


def faces_of(picture: list[int], subset: list[int]) -> FaceSet:
    """Faces whose rows with the same number in `picture` are identical."""
    n = len(picture)
    pictures = np.random.default_rng(0).integers(0, 256, (max(picture) + 1, 4, 4), dtype=np.uint8)
    coords = np.zeros((n, FACE15.size, 2), dtype=np.float32)
    ids = np.arange(n, dtype=np.int64) + 100
    return FaceSet(ids, pictures[picture], coords, FACE15, np.array(subset, dtype=np.int8))


@pytest.fixture
def faces() -> FaceSet:
    """33 pictures with 15 points, 50 with 4; duplicates in each, and one picture with both."""
    picture = list(range(83))
    picture[1] = picture[5] = picture[9] = 0
    picture[20] = 21
    picture[40] = 60
    picture[82] = 7
    return faces_of(picture, [15] * 33 + [4] * 50)


def test_groups_are_the_identical_pictures():
    assert groups_of(faces_of([3, 1, 3, 2, 1], [4] * 5).images).tolist() == [0, 1, 0, 3, 1]


def test_identical_pictures_share_a_fold(faces: FaceSet):
    table = make_folds(faces)
    assert table.k == 5
    assert np.array_equal(table.ids, faces.ids)
    for group in np.unique(table.group):
        assert len(np.unique(table.fold[table.group == group])) == 1
    assert table.fold[82] == table.fold[7]
    assert len(set(table.fold[[0, 1, 5, 9]])) == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [2, 5, 10])
def test_each_subset_is_spread_evenly(faces: FaceSet, k: int, seed: int):
    table = make_folds(faces, k, seed)
    for subset in (15, 4):
        assert np.ptp(np.bincount(table.fold[faces.subset == subset], minlength=k)) <= 1
    assert np.ptp(np.bincount(table.fold, minlength=k)) <= 2


def test_folds_depend_on_the_seed_alone(faces: FaceSet):
    assert np.array_equal(make_folds(faces, 5, 1).fold, make_folds(faces, 5, 1).fold)
    assert not np.array_equal(make_folds(faces, 5, 1).fold, make_folds(faces, 5, 2).fold)


def test_as_many_groups_as_folds_fill_every_fold():
    picture = [0, 0, 1, 1, 1, 2, 3, 4, 4, 4, 5, 2, 2]
    subset = [15, 4, 15, 15, 15, 15, 4, 4, 4, 4, 4, 15, 15]
    for seed in range(20):
        table = make_folds(faces_of(picture, subset), 3, seed)
        for kind in (15, 4):
            assert set(table.fold[np.array(subset) == kind]) == {0, 1, 2}


def test_fewer_groups_than_folds_is_a_user_error():
    with pytest.raises(UserError, match="at least 3 different pictures with 4 keypoints for 3 folds, got 2"):
        make_folds(faces_of([0, 1, 2, 3, 4, 4], [15, 15, 15, 4, 4, 4]), 3)
    with pytest.raises(UserError, match="at least 2 folds, got 1"):
        make_folds(faces_of([0, 1], [15, 4]), 1)


def _split_duplicates(table: FoldTable) -> FoldTable:
    fold = table.fold.copy()
    fold[82] = (fold[7] + 1) % 5
    return replace(table, fold=fold)


def _drop_a_row(table: FoldTable) -> FoldTable:
    return FoldTable(table.ids[:-1], table.fold[:-1], table.group[:-1])


def _repeat_a_row(table: FoldTable) -> FoldTable:
    return replace(table, ids=np.concatenate([table.ids[:-1], table.ids[:1]]))


def _leave_a_row_out(table: FoldTable) -> FoldTable:
    return replace(table, fold=np.where(table.ids == 150, -1, table.fold))


def _empty_a_fold(table: FoldTable) -> FoldTable:
    return replace(table, fold=np.where(table.fold == 2, 3, table.fold))


def _part_a_group(table: FoldTable) -> FoldTable:
    return replace(table, group=np.arange(len(table.ids)))


CHANGES = [
    (_split_duplicates, "identical but in different folds"),
    (_drop_a_row, "the ids differ"),
    (_repeat_a_row, "the ids differ"),
    (_leave_a_row_out, "not every face has a fold"),
    (_empty_a_fold, "fold 2 has no 15-keypoint row"),
    (_part_a_group, "the groups are not those"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_check_folds_sees_each_violation(faces: FaceSet, change, message: str):
    table = make_folds(faces)
    check_folds(table, faces)
    with pytest.raises(ValueError, match=message):
        check_folds(change(table), faces)


def test_folds_are_read_as_written(faces: FaceSet, tmp_path: Path):
    table = make_folds(faces)
    path = tmp_path / "folds.csv"
    write_folds(path, table, faces)
    assert path.read_text().splitlines()[:2] == ["id,subset,fold,group", f"100,15,{table.fold[0]},0"]
    again = read_folds(path, faces)
    for field in ("ids", "fold", "group"):
        assert np.array_equal(getattr(again, field), getattr(table, field))
    assert [child.name for child in tmp_path.iterdir()] == ["folds.csv"]


def test_folds_of_other_faces_are_refused(faces: FaceSet, tmp_path: Path):
    path = tmp_path / "folds.csv"
    write_folds(path, make_folds(faces), faces)
    others = [
        replace(faces, images=255 - faces.images[::-1]),
        replace(faces, subset=faces.subset[::-1].copy()),
        faces.take(np.arange(80)),
    ]
    for other in others:
        with pytest.raises(UserError, match=r"folds\.csv: expected the fold table.*python -m solution folds"):
            read_folds(path, other)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text.replace("group", "grp"),
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("100,", "x,", 1),
        lambda text: text.replace("100,", f"{10**30},", 1),
        lambda text: "\x00\x01" + text,
    ],
)
def test_a_damaged_fold_table_is_refused(faces: FaceSet, tmp_path: Path, damage):
    path = tmp_path / "folds.csv"
    write_folds(path, make_folds(faces), faces)
    path.write_text(damage(path.read_text()))
    with pytest.raises(UserError, match="Run `python -m solution folds`"):
        read_folds(path, faces)


def test_a_missing_or_binary_fold_table_is_refused(faces: FaceSet, tmp_path: Path):
    with pytest.raises(UserError, match=r"No such file.*Run `python"):
        read_folds(tmp_path / "folds.csv", faces)
    (tmp_path / "folds.csv").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(UserError, match="with the same --data again"):
        read_folds(tmp_path / "folds.csv", faces)


def test_duplicates_across_pairs_every_copy():
    train = faces_of([0, 1, 2, 1], [15] * 4)
    test = faces_of([4, 1, 0], [15] * 3)
    assert duplicates_across(train, test).tolist() == [[1, 1], [1, 3], [2, 0]]
    assert duplicates_across(train, faces_of([4], [15])).shape == (0, 2)
