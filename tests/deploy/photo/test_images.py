import csv
import io
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from solution.deploy.photo.images import NO_FACE, WRONG, ImageRun
from solution.keypoints import FACE15
from solution.runtime.errors import UserError
from tests.deploy.photo.fakes import finder, picture, points_of

DISC = (120.0, 110.0, 40.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of one face, of two faces and of none, and a text file with the name of a picture."""
    home = tmp_path / "in"
    home.mkdir()
    cv2.imwrite(str(home / "one.png"), picture(DISC))
    cv2.imwrite(str(home / "two.png"), picture((80, 90, 20), (220, 120, 35)))
    cv2.imwrite(str(home / "none.png"), picture())
    (home / "text.jpg").write_text("no picture")
    (home / "notes.txt").write_text("not looked at")
    return home


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    out, err = capsys.readouterr()
    return out.splitlines(), err.splitlines()


def test_json_has_a_line_for_each_picture_and_each_error_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert ImageRun(finder(), None, as_json=True).run([str(folder)]) == WRONG
    out, err = lines(capsys)
    records = [json.loads(line) for line in out]
    assert [Path(record["file"]).name for record in records] == ["none.png", "one.png", "two.png"]
    assert [len(record["faces"]) for record in records] == [0, 1, 2]
    assert (records[1]["width"], records[1]["height"]) == (320, 240)
    face = records[1]["faces"][0]
    assert face["box"] == [80.0, 70.0, 81.0, 81.0]
    assert list(face["points"]) == list(FACE15.points)
    values = np.array(list(face["points"].values()))
    np.testing.assert_allclose(values[:, :2], points_of(*DISC), atol=0.7)
    assert (values[:, 2] > 0).all()
    assert err == [
        f"{folder / 'none.png'}: no face found",
        f"error: {folder / 'text.jpg'}: expected a picture (JPEG, PNG, …), got a file that begins with b'no pictu'",
    ]


def test_drawings_and_tables(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    assert ImageRun(finder(), out).run([str(folder / "one.png"), str(folder / "two.png")]) == 0
    said, err = lines(capsys)
    assert err == []
    assert said == [f"{folder / 'one.png'}: 1 face, {out / 'one-faces.jpg'}",
                    f"{folder / 'two.png'}: 2 faces, {out / 'two-faces.jpg'}"]  # fmt: skip
    drawing = cv2.imread(str(out / "one-faces.jpg"))
    assert drawing.shape == (240, 320, 3)
    assert np.abs(drawing.astype(int) - picture(DISC)).max() > 100
    records = json.loads((out / "faces.json").read_text())
    assert [len(record["faces"]) for record in records] == [1, 2]
    with (out / "faces.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 3 * 15
    assert (rows[-1]["face"], rows[-1]["point"]) == ("1", FACE15.points[-1])
    assert [float(rows[0][axis]) for axis in ("x", "y", "sigma")] == records[0]["faces"][0]["points"][rows[0]["point"]]
    assert sorted(path.name for path in out.iterdir()) == ["faces.csv", "faces.json", "one-faces.jpg", "two-faces.jpg"]


def test_pictures_of_one_name_keep_their_drawings_apart(folder: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    cv2.imwrite(str(other / "one.jpg"), picture(DISC))
    out = tmp_path / "out"
    assert ImageRun(finder(), out).run([str(folder / "one.png"), str(other / "one.jpg")]) == 0
    assert {"one-faces.jpg", "one-faces-2.jpg"} <= {path.name for path in out.iterdir()}


def test_without_any_face_the_exit_code_says_so(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert ImageRun(finder(), None).run([str(folder / "none.png")]) == NO_FACE == 3
    assert lines(capsys)[0] == [f"{folder / 'none.png'}: no face found"]
    assert ImageRun(finder(), None).run([str(folder / "none.png"), str(folder / "one.png")]) == 0


def test_a_missing_picture_does_not_stop_the_others(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "empty").mkdir()
    long = tmp_path / f"{'n' * 300}.png"
    given = [str(tmp_path / "gone.png"), str(tmp_path / "empty"), str(long), str(folder / "one.png")]
    assert ImageRun(finder(), None, as_json=True).run(given) == WRONG
    out, err = lines(capsys)
    assert len(out) == 1
    assert err == [
        f"error: {tmp_path / 'gone.png'}: expected a picture, got no such file",
        f"error: {tmp_path / 'empty'}: expected pictures in the folder, found none",
        f"error: {long}: expected a picture or a folder, got: File name too long",
    ]


def test_a_list_on_stdin(folder: Path, capsys: pytest.CaptureFixture[str]):
    listed = io.StringIO(f"{folder / 'one.png'}\n\n  {folder / 'two.png'}\n")
    assert ImageRun(finder(), None, as_json=True).run(["-"], listed) == 0
    assert len(lines(capsys)[0]) == 2


def test_a_list_without_a_name_is_an_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", None)
    assert ImageRun(finder(), None).run(["-"]) == WRONG
    capsys.readouterr()
    assert ImageRun(finder(), None, as_json=True).run(["-"], io.StringIO("\n")) == WRONG
    assert capsys.readouterr().err == "error: expected pictures, got none: no line on standard input has a name\n"


def test_a_filter_takes_the_place_of_the_points(folder: Path, tmp_path: Path):
    plain, worn = tmp_path / "plain", tmp_path / "worn"
    assert ImageRun(finder(), plain).run([str(folder / "one.png")]) == 0
    assert ImageRun(finder(), worn, filters=("clown",)).run([str(folder / "one.png")]) == 0
    nose = np.rint(points_of(*DISC)[FACE15.points.index("nose_tip")]).astype(int)
    blue, green, red = cv2.imread(str(worn / "one-faces.jpg"))[nose[1], nose[0]].astype(int)
    assert red > max(blue, green) + 80
    blue, green, red = cv2.imread(str(plain / "one-faces.jpg"))[nose[1], nose[0]].astype(int)
    assert red < blue


def test_a_folder_that_cannot_be_written_to_is_one_clear_error(folder: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="expected to write it"):
        ImageRun(finder(), tmp_path / "file" / "out").run([str(folder / "one.png")])


def test_a_name_that_is_no_text_does_not_stop_the_others(folder: Path, tmp_path: Path):
    name = os.fsencode(folder) + b"/caf\xe9.png"
    shutil.copy(folder / "one.png", os.fsdecode(name))
    out = tmp_path / "out"
    assert ImageRun(finder(), out).run([str(folder)]) == WRONG  # for text.jpg
    files = [record["file"] for record in json.loads((out / "faces.json").read_text(encoding="utf-8"))]
    assert [Path(file).name for file in files] == ["caf\\xe9.png", "none.png", "one.png", "two.png"]
