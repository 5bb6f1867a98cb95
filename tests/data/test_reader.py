import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from solution.data.archive import OUTER
from solution.data.competition import Competition
from solution.data.reader import has_competition, read_competition
from solution.keypoints import BEYOND_FOUR, FACE4, FACE15
from solution.runtime.errors import UserError
from tests.data.tiny import write_tiny
from tests.places import SHARED

REAL = SHARED / "fkd"
NAMES = ("training.csv", "test.csv", "IdLookupTable.csv", "SampleSubmission.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "raw", 6, 5, 2, 3)


def read(folder: Path) -> Competition:
    return read_competition(folder, folder.parent / "cache")


def pack(path: Path, files: list[Path]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    for file in files:
        file.unlink()


def edit(folder: Path, name: str, row: int, change: Callable[[list[str]], list[str]]) -> None:
    """Change the cells of one data row (0 = the header)."""
    lines = (folder / name).read_text().splitlines()
    lines[row] = ",".join(change(lines[row].split(",")))
    (folder / name).write_text("\n".join(lines) + "\n")


def put(column: int, value: str) -> Callable[[list[str]], list[str]]:
    return lambda cells: [*cells[:column], value, *cells[column + 1 :]]


def keep_lines(folder: Path, name: str, lines: slice) -> None:
    path = folder / name
    path.write_text("\n".join(path.read_text().splitlines()[lines]) + "\n")


def refused(folder: Path, *expected: str) -> None:
    """Reading stops with one error that says all of this, and leaves nothing behind."""
    with pytest.raises(UserError) as caught:
        read(folder)
    for text in expected:
        assert text in str(caught.value)
    assert not (folder.parent / "cache").exists()


def test_every_value_is_read(folder: Path):
    competition = read(folder)
    train, test, lookup = competition.train, competition.test, competition.lookup
    lines = (folder / "training.csv").read_text().splitlines()
    for row in (0, 10):
        *cells, image = lines[row + 1].split(",")
        labels = np.array([float(cell or "nan") for cell in cells], dtype=np.float32)
        np.testing.assert_array_equal(train.coords[row].ravel(), labels)
        assert " ".join(map(str, train.images[row].ravel())) == image
    assert train.ids.tolist() == list(range(11))
    assert train.subset.tolist() == [15] * 6 + [4] * 5
    assert test.ids.tolist() == [1, 2, 3, 4, 5]
    assert test.subset.tolist() == [15] * 2 + [4] * 3
    assert np.isnan(test.coords).all()
    assert [FACE15.columns[column] for column in lookup.column[-8:]] == list(FACE4.columns)
    assert lookup.row_id.tolist() == list(range(1, 2 * 30 + 3 * 8 + 1))
    assert competition.weights == pytest.approx({15: 60 / 84, 4: 24 / 84})
    assert not competition.drawn
    assert competition.answers is None


@pytest.mark.parametrize("shape", ["zips", "outer", "outer of zips"])
def test_zips_hold_the_same(folder: Path, shape: str):
    plain = read(folder)
    if shape != "outer":
        for name in ("training", "test"):
            pack(folder / f"{name}.zip", [folder / f"{name}.csv"])
    if shape != "zips":
        pack(folder / OUTER, list(folder.iterdir()))
    assert has_competition(folder)
    packed = read(folder)
    assert packed.digest == plain.digest  # what was trained on the one holds for the other
    np.testing.assert_array_equal(packed.train.images, plain.train.images)
    np.testing.assert_array_equal(packed.train.coords, plain.train.coords)
    np.testing.assert_array_equal(packed.test.images, plain.test.images)
    np.testing.assert_array_equal(packed.lookup.column, plain.lookup.column)


def test_columns_may_stand_in_any_order(folder: Path):
    before = read(folder)
    lines = [line.split(",") for line in (folder / "training.csv").read_text().splitlines()]
    (folder / "training.csv").write_text("\n".join(",".join(reversed(cells)) for cells in lines))
    np.testing.assert_array_equal(read(folder).train.coords, before.train.coords)


def test_the_second_read_comes_from_the_cache(folder: Path, monkeypatch: pytest.MonkeyPatch):
    first = read(folder)
    monkeypatch.setattr("solution.data.reader._read", None)
    np.testing.assert_array_equal(read(folder).train.coords, first.train.coords)


def test_changed_files_are_read_again(folder: Path):
    first = read(folder)
    edit(folder, "training.csv", 1, put(0, "12.5"))
    second = read(folder)
    assert second.digest != first.digest
    assert second.train.coords[0, 0, 0] == 12.5
    edit(folder, "IdLookupTable.csv", 84, put(2, "mouth_center_top_lip_y"))
    assert read(folder).digest not in (first.digest, second.digest)


def test_the_sample_submission_may_be_missing(folder: Path):
    digest = read(folder).digest
    (folder / "SampleSubmission.csv").unlink()
    assert read(folder).digest == digest


def test_a_test_picture_never_asked_is_a_4_keypoint_row(folder: Path):
    keep_lines(folder, "IdLookupTable.csv", slice(0, 31))
    (folder / "SampleSubmission.csv").unlink()
    assert read(folder).test.subset.tolist() == [15, 4, 4, 4, 4]


def test_one_question_beyond_the_four_makes_a_15_keypoint_row(folder: Path):
    edit(folder, "IdLookupTable.csv", 84, put(2, "mouth_center_top_lip_y"))
    assert read(folder).test.subset.tolist() == [15, 15, 4, 4, 15]


def test_drawn_faces_bring_their_answers(folder: Path):
    plain = read(folder).digest
    rows = [f"{row},{row % 90}.25" for row in range(84, 0, -1)]
    (folder / "answers.csv").write_text("\n".join(["RowId,Location", *rows]))
    assert read(folder).answers is None
    (folder / "drawn.json").write_text("{}")
    drawn = read(folder)
    assert drawn.drawn
    assert drawn.answers.dtype == np.float64
    assert drawn.answers.tolist() == [row % 90 + 0.25 for row in range(1, 85)]
    assert read(folder).answers.tolist() == drawn.answers.tolist()
    (folder / "answers.csv").unlink()
    unanswered = read(folder)
    assert unanswered.drawn
    assert unanswered.answers is None
    assert unanswered.digest == drawn.digest != plain  # nothing that is made may hang on the answers


def test_a_cell_asked_twice_is_refused(folder: Path):
    rows = (folder / "IdLookupTable.csv").read_text().splitlines()
    identity, column = rows[3].split(",")[1:3]
    edit(folder, "IdLookupTable.csv", 9, put(1, identity))
    edit(folder, "IdLookupTable.csv", 9, put(2, column))
    refused(folder, "IdLookupTable.csv, data row 9", "a cell that is not asked twice, got the one of data row 3")


def test_answers_stand_at_their_points(folder: Path):
    (folder / "holdout.json").write_text("{}")
    rows = [f"{row},{row % 90}.25" for row in range(1, 85)]
    (folder / "answers.csv").write_text("\n".join(["RowId,Location", *rows]))
    found = read(folder)
    assert not found.drawn
    at = {identity: row for row, identity in enumerate(found.test.ids.tolist())}
    coords = found.answered.coords
    for image, column, value in zip(found.lookup.image_id.tolist(), found.lookup.column, found.answers, strict=True):
        assert coords[at[image], column // 2, column % 2] == value
    assert (~np.isnan(coords)).sum() == len(found.answers)


@pytest.mark.parametrize("value", ["", "nan", "1e9"])
def test_a_bad_answer_is_named(folder: Path, value: str):
    (folder / "drawn.json").write_text("{}")
    (folder / "answers.csv").write_text((folder / "SampleSubmission.csv").read_text())
    edit(folder, "answers.csv", 9, put(1, value))
    refused(folder, "answers.csv, data row 9", "expected a coordinate", repr(value))


def test_a_wrong_folder_is_refused(tmp_path: Path):
    refused(tmp_path / "nowhere", "nowhere: expected a folder", "nothing there", "kaggle.com")
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file", "file: expected a folder", "got a file")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "training.csv, test.csv, IdLookupTable.csv", "put it there")
    assert not any(has_competition(tmp_path / name) for name in ("nowhere", "file", "empty"))


@pytest.mark.parametrize("name", NAMES[:3])
def test_a_missing_file_is_named(folder: Path, name: str):
    assert has_competition(folder)
    (folder / name).unlink()
    assert not has_competition(folder)
    refused(folder, f"got none of {name}", "Download")


def test_a_truncated_zip_is_refused(folder: Path):
    pack(folder / "training.zip", [folder / "training.csv"])
    content = (folder / "training.zip").read_bytes()
    (folder / "training.zip").write_bytes(content[: len(content) // 2])
    refused(folder, "training.zip", "cut off", "Fetch it again")


@pytest.mark.parametrize(("name", "column"), [("training.csv", 30), ("test.csv", 1)])
def test_a_bad_picture_is_named(folder: Path, name: str, column: int):
    edit(folder, name, 4, lambda cells: [*cells[:column], cells[column].rsplit(" ", 1)[0]])
    refused(folder, f"{name}, data row 4 (counted from 1", "9215 pixels, expected 9216", "Fetch it again")
    for bad in ("300", "-1", "abc", "1.5"):
        edit(folder, name, 4, put(column, " ".join(["7"] * 9215 + [bad])))
        refused(folder, f"{name}, data row 4", "pixel 9216", repr(bad))


@pytest.mark.parametrize("value", ["1e9", "inf", "abc", "nan"])
def test_a_bad_label_is_named(folder: Path, value: str):
    edit(folder, "training.csv", 11, put(20, value))
    refused(folder, "training.csv, data row 11", "nose_tip_x: expected a coordinate from -48 to 144 px", repr(value))


def test_a_header_with_missing_or_unknown_columns_is_refused(folder: Path):
    edit(folder, "training.csv", 0, put(20, "nose_x"))
    refused(folder, "training.csv: expected a header with the 31 columns", "missing: 'nose_tip_x'", "unknown: 'nose_x'")


def test_training_without_pictures_is_refused(folder: Path):
    lines = [line.rsplit(",", 1)[0] for line in (folder / "training.csv").read_text().splitlines()]
    (folder / "training.csv").write_text("\n".join(lines))
    refused(folder, "training.csv: expected a header", "missing: 'Image'")


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_file_is_refused(folder: Path, name: str):
    keep_lines(folder, name, slice(0, 1))
    refused(folder, f"{name}: expected at least one data row")
    (folder / name).write_bytes(b"")
    refused(folder, f"{name}: expected a header")


@pytest.mark.parametrize(("lines", "lacking"), [(slice(0, 7), 4), (slice(7, 12), 15)])
def test_training_rows_of_both_subsets_must_be_there(folder: Path, lines: slice, lacking: int):
    header, *rows = (folder / "training.csv").read_text().splitlines()
    kept = rows[lines] if lacking == 15 else rows[:6]
    (folder / "training.csv").write_text("\n".join([header, *kept]))
    refused(folder, "training.csv: expected rows of both kinds", f"none of the {lacking}-keypoint rows")


@pytest.mark.parametrize("size", [500, 3_000_000])
@pytest.mark.parametrize("name", NAMES)
def test_binary_junk_is_refused(folder: Path, name: str, size: int):
    (folder / name).write_bytes(b"\xff\xfe\x00\x80" + np.random.default_rng(0).bytes(size))
    refused(folder, f"{name}: expected a header", "Fetch it again")
    (folder / name).write_bytes(bytes(size))
    refused(folder, name, "Fetch it again")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (0, "3", "RowId: expected a new number, got 3 as in data row 3"),
        (0, "x", "RowId: expected an integer, got 'x'"),
        (1, "99", "ImageId: expected one that the test file has, got 99"),
        (1, "", "ImageId: expected an integer, got ''"),
        (2, "third_eye_x", "FeatureName: expected one such as nose_tip_x, got 'third_eye_x'"),
    ],
)
def test_a_bad_lookup_row_is_named(folder: Path, column: int, value: str, message: str):
    edit(folder, "IdLookupTable.csv", 50, put(column, value))
    refused(folder, "IdLookupTable.csv, data row 50", message)


def test_a_repeated_image_id_is_named(folder: Path):
    edit(folder, "test.csv", 5, put(0, "2"))
    refused(folder, "test.csv, data row 5", "ImageId: expected a new number, got 2 as in data row 2")


def test_the_sample_submission_must_agree(folder: Path):
    edit(folder, "SampleSubmission.csv", 84, put(0, "85"))
    refused(folder, "SampleSubmission.csv, data row 84", "RowId: expected one of the lookup table's, got 85")
    keep_lines(folder, "SampleSubmission.csv", slice(0, 84))
    refused(folder, "SampleSubmission.csv: expected the 84 RowIds", "the first that is missing is 84")


@pytest.mark.skipif(not (REAL / "test.zip").is_file(), reason=f"Kaggle's files are not at {REAL}")
def test_the_real_test_file_reads_as_documented(tmp_path: Path):
    rows = write_tiny(tmp_path / "raw")
    for name in ("test.csv", "IdLookupTable.csv", "SampleSubmission.csv"):
        (rows / name).unlink()
    for name in ("test.zip", "IdLookupTable.csv", "SampleSubmission.csv"):
        (rows / name).symlink_to(REAL / name)
    competition = read(rows)
    asked = competition.lookup
    beyond = np.isin(asked.column // 2, BEYOND_FOUR)
    assert set(asked.image_id[beyond]) == set(competition.test.ids[competition.test.subset == 15])
    assert competition.weights[15] == pytest.approx(0.65, abs=0.02)
    assert competition.test.images.std() > 30
