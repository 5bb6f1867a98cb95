import zipfile
from pathlib import Path

import numpy as np
import pytest

from solution.data.landmarks68 import read_frames, without_flaws
from solution.runtime.errors import UserError
from tests.places import SHARED
from tests.sketches import csv_text, jpeg, sketches, table, write_folder, write_zip

REAL = SHARED / "faces68" / "training.zip"


def put(folder: Path, rows: list[list[str]], pictures: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "some_frames_keypoints.csv").write_text(csv_text(rows))
    for name, data in pictures.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def three(tmp_path: Path) -> tuple[Path, list[list[str]], dict[str, bytes]]:
    """A folder of three labelled pictures, and what is in it."""
    names, images, coords = sketches(1, 3)
    rows, pictures = table(names, coords), dict(zip(names, map(jpeg, images), strict=True))
    return put(tmp_path / "three", rows, pictures), rows, pictures


def test_a_zip_and_a_folder_are_read_alike(tmp_path: Path):
    names, images, coords = sketches(6, 3)
    zipped, folder = write_zip(tmp_path / "training.zip"), write_folder(tmp_path / "folder")
    for path in (zipped, folder):
        frames = read_frames(path)
        assert frames.names == tuple(names)
        assert frames.flaws == ()
        np.testing.assert_array_equal(frames.coords, coords)
        for found, image in zip(frames.images, images, strict=True):
            assert found.shape == image.shape
            assert np.abs(found.astype(int) - image).mean() < 4
    assert read_frames(zipped).digest() == read_frames(folder).digest()


def test_a_folder_with_nothing_but_the_zip_is_read_as_the_zip(tmp_path: Path):
    (tmp_path / "home").mkdir()
    write_zip(tmp_path / "home" / "training.zip")
    assert len(read_frames(tmp_path / "home")) == 18


def test_a_person_is_the_name_before_the_number(tmp_path: Path):
    frames = read_frames(write_zip(tmp_path / "training.zip", persons=2, each=2))
    assert frames.persons == ("Some_One0", "Some_One0", "Some_One1", "Some_One1")


def test_rows_are_taken_in_order(tmp_path: Path):
    frames = read_frames(write_zip(tmp_path / "training.zip"))
    for rows in (np.array([5, 2]), np.arange(18) % 7 == 0):
        part = frames.take(rows)
        assert part.names == tuple(np.array(frames.names)[rows])
        assert part.digests == tuple(np.array(frames.digests)[rows])
        np.testing.assert_array_equal(part.coords, frames.coords[rows])
        assert len(part.images) == len(part)


def test_a_digest_changes_with_any_label_or_picture(three: tuple):
    folder, rows, pictures = three
    digest = read_frames(folder).digest()
    rows[1][7] = "1.0"
    assert read_frames(put(folder, rows, {})).digest() != digest
    rows[1][7] = table(*(lambda n, i, c: (n, c))(*sketches(1, 3)))[1][7]
    assert read_frames(put(folder, rows, {})).digest() == digest
    name = next(iter(pictures))
    assert read_frames(put(folder, rows, {name: jpeg(np.full((150, 150), 9, np.uint8))})).digest() != digest


def flawed(folder: Path) -> str:
    frames = read_frames(folder)
    assert len(frames) == 2
    (flaw,) = frames.flaws
    assert "\n" not in flaw
    with pytest.raises(UserError) as caught:
        without_flaws(frames)
    assert str(caught.value) == flaw
    return flaw


def test_a_row_of_135_values_is_named_and_the_others_read(three: tuple):
    folder, rows, _ = three
    rows[2].pop()
    flaw = flawed(put(folder, rows, {}))
    assert "some_frames_keypoints.csv, data row 2 (Some_One0_01.jpg): expected 136 coordinates, got 135" in flaw


@pytest.mark.parametrize("cell", ["", "x", "nan", "inf", "99999"])
def test_a_cell_that_is_no_coordinate_is_named(three: tuple, cell: str):
    folder, rows, _ = three
    rows[3][9] = cell
    assert "data row 3 (Some_One0_02.jpg): expected" in flawed(put(folder, rows, {}))


def test_a_missing_picture_is_named(three: tuple):
    folder, rows, _ = three
    (folder / rows[1][0]).unlink()
    assert "data row 1: expected one picture 'Some_One0_00.jpg' with the table, got 0" in flawed(folder)


def test_a_damaged_picture_is_named(three: tuple):
    folder, rows, pictures = three
    (folder / rows[1][0]).write_bytes(pictures[rows[1][0]][:400])
    assert "data row 1: Some_One0_00.jpg: expected a whole picture" in flawed(folder)


def test_several_flaws_are_counted(three: tuple):
    folder, rows, _ = three
    (folder / rows[1][0]).unlink()
    rows[2].pop()
    with pytest.raises(UserError, match=r"data row 1.*\(1 more rows like that\)"):
        without_flaws(read_frames(put(folder, rows, {})))


def test_labels_without_any_picture_are_an_error(three: tuple):
    folder, _, pictures = three
    for name in pictures:
        (folder / name).unlink()
    with pytest.raises(UserError, match=r"expected labelled pictures, got none; .*data row 1"):
        read_frames(folder)


@pytest.mark.parametrize("header", [[], ["", "0", "1"], [str(i) for i in range(137)]])
def test_another_header_is_refused(three: tuple, header: list[str]):
    folder, rows, _ = three
    with pytest.raises(UserError, match="expected a header of an empty cell and 0 to 135"):
        read_frames(put(folder, [header, *rows[1:]], {}))


def test_other_data_is_one_clear_error(tmp_path: Path, three: tuple):
    folder, rows, _ = three
    with pytest.raises(UserError, match="expected a zip or folder"):
        read_frames(tmp_path / "none")
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(UserError, match="expected a whole zip"):
        read_frames(tmp_path / "text.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"expected one file …_frames_keypoints\.csv with labels, got 0"):
        read_frames(tmp_path / "empty")
    (folder / "other_frames_keypoints.csv").write_text(csv_text(rows))
    with pytest.raises(UserError, match="got 2"):
        read_frames(folder)


def test_a_zip_that_is_cut_off_is_one_clear_error(tmp_path: Path):
    path = write_zip(tmp_path / "training.zip")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="expected a whole zip"):
        read_frames(path)


def test_a_damaged_entry_is_named(tmp_path: Path):
    path = write_zip(tmp_path / "training.zip")
    data = bytearray(path.read_bytes())
    data[300:330] = b"x" * 30  # inside the first picture
    path.write_bytes(bytes(data))
    frames = read_frames(path)
    assert len(frames) == 17
    assert "expected a whole file that can be read" in frames.flaws[0]


def test_entries_that_climb_out_of_the_zip_touch_nothing(tmp_path: Path):
    names, images, coords = sketches(1, 1)
    path = tmp_path / "inner" / "training.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"../{names[0]}", jpeg(images[0]))
        archive.writestr("__MACOSX/._" + names[0], b"not a picture")
        archive.writestr("__MACOSX/._a_frames_keypoints.csv", b"not a table")
        archive.writestr("a_frames_keypoints.csv", csv_text(table(names, coords)))
    assert read_frames(path).names == tuple(names)
    assert [file.name for file in tmp_path.rglob("*")] == ["inner", "training.zip"]


@pytest.mark.skipif(not REAL.is_file(), reason="the real pictures are not in ../shared/faces68")
def test_the_real_pictures_are_read():
    frames = read_frames(REAL)
    assert len(frames) == 3462
    assert frames.flaws == ()
    assert len(set(frames.persons)) > 300
