"""Labelled faces as files: what is written, what is refused, and that nothing is left half-written."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from solution.__main__ import main
from solution.data.competition import Competition
from solution.data.extract import TABLE, complete_rows, extract, rows_of
from solution.faces import FaceSet
from solution.keypoints import FACE15, IN_FOUR
from solution.runtime.artifacts import atomic_folder
from solution.runtime.errors import UserError
from tests.small import small_faces


def read_back(folder: Path) -> tuple[np.ndarray, np.ndarray, list[dict[str, str]]]:
    with (folder / TABLE).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    images = np.stack([cv2.imread(str(folder / row["file"]), cv2.IMREAD_UNCHANGED) for row in rows])
    cells = [[float(row[column] or "nan") for column in FACE15.columns] for row in rows]
    return images, np.array(cells, np.float32).reshape(len(rows), FACE15.size, 2), rows


@pytest.fixture
def faces() -> FaceSet:
    found = small_faces(6, 5)
    found.coords[2, 13] = np.nan  # a 15-keypoint row that lacks one
    found.coords[8, IN_FOUR[2], 0] = np.nan
    return found


def test_what_is_written_is_read_back_the_same(faces: FaceSet, tmp_path: Path):
    extract(faces, tmp_path / "deep" / "out")
    images, coords, rows = read_back(tmp_path / "deep" / "out")
    np.testing.assert_array_equal(images, faces.images)
    np.testing.assert_array_equal(coords, faces.coords)
    assert [int(row["id"]) for row in rows] == faces.ids.tolist()
    assert [int(row["subset"]) for row in rows] == faces.subset.tolist()
    assert len(list((tmp_path / "deep" / "out").iterdir())) == len(faces) + 1
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_complete_rows_have_every_label_of_their_subset(faces: FaceSet):
    assert np.flatnonzero(~complete_rows(faces)).tolist() == [2, 8]
    assert len(rows_of(faces, "15")) == 6
    assert len(rows_of(faces, "4")) == 5
    assert rows_of(faces, "all") is faces


def test_a_folder_that_holds_something_is_left_alone(faces: FaceSet, tmp_path: Path):
    (tmp_path / "mine").write_text("mine")
    for folder in (tmp_path, tmp_path / "mine"):
        with pytest.raises(UserError, match="expected a folder that is new or empty"):
            extract(faces, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_empty_folder_is_taken(faces: FaceSet, tmp_path: Path):
    (tmp_path / "out").mkdir()
    extract(faces, tmp_path / "out")
    assert (tmp_path / "out" / TABLE).is_file()


def test_no_face_is_an_error(faces: FaceSet, tmp_path: Path):
    with pytest.raises(UserError, match=r"found none\. Try --incomplete"):
        extract(faces.take(np.arange(0)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_interrupted_write_leaves_nothing(tmp_path: Path):
    """Extracted faces and held-out faces are written like this."""

    def write() -> None:
        with atomic_folder(tmp_path / "deep" / "out") as folder:
            (folder / "file").touch()
            raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left on device"):
        write()
    assert list((tmp_path / "deep").iterdir()) == []


def test_the_verb_writes_the_complete_rows_of_a_subset(drawn: Competition, drawn_folder: Path, tmp_path: Path):
    data = ["--data", str(drawn_folder)]
    assert main(["extract", "--subset", "15", "--out", str(tmp_path / "a"), *data], tmp_path) == 0
    own = drawn.train.take(drawn.train.subset == 15)
    own = own.take(complete_rows(own))
    images, coords, _ = read_back(tmp_path / "a")
    np.testing.assert_array_equal(images, own.images)
    np.testing.assert_array_equal(coords, own.coords)
    assert main(["extract", "--subset", "all", "--incomplete", "--out", str(tmp_path / "b"), *data], tmp_path) == 0
    assert len(read_back(tmp_path / "b")[0]) == len(drawn.train)
    assert main(["extract", "--out", str(tmp_path / "a"), *data], tmp_path) == 2
