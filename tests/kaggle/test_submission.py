import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import solution
from solution.data.competition import Competition
from solution.faces import FaceSet, Predictions
from solution.kaggle import submission
from solution.kaggle.submission import check_submission, code_version, read_submission, record_path, write_submission
from solution.runtime.errors import UserError
from tests.small import predicted, small_competition

RECORD = {"expected": {"overall": 1.3, "15": 1.2, "4": 1.5}, "recipes": ["a", "b"]}


@pytest.fixture
def competition() -> Competition:
    return small_competition()[0]


@pytest.fixture
def truth() -> FaceSet:
    """The test faces with their true positions."""
    return small_competition()[1]


@pytest.fixture
def written(tmp_path: Path, competition: Competition, truth: FaceSet) -> Path:
    return write_submission(tmp_path / "best.csv", competition, predicted(truth), RECORD)


def test_file_holds_each_asked_cell_in_order(written: Path, competition: Competition, truth: FaceSet):
    header, *rows = written.read_text().splitlines()
    assert header == "RowId,Location"
    assert [int(row.split(",")[0]) for row in rows] == competition.lookup.row_id.tolist()
    want = truth.coords[~np.isnan(truth.coords)]  # the lookup table asks in exactly this order
    np.testing.assert_allclose([float(row.split(",")[1]) for row in rows], want, atol=5.1e-5)


def test_order_of_predictions_does_not_matter(written: Path, tmp_path: Path, competition: Competition, truth: FaceSet):
    shuffled = truth.take(np.random.default_rng(1).permutation(len(truth)))
    other = write_submission(tmp_path / "other.csv", competition, predicted(shuffled), {})
    assert other.read_bytes() == written.read_bytes()


def test_record_tells_where_the_file_comes_from(written: Path, competition: Competition):
    record = check_submission(written, competition)
    assert record == json.loads((written.parent / "best.json").read_text())
    assert {name: record[name] for name in RECORD} == RECORD
    assert record["format"] == submission.FORMAT == 2
    assert record["rows"] == len(competition.lookup.row_id)
    assert record["data"] == competition.digest
    assert record["drawn"] is True
    assert record["clipped"] == 0
    assert record["time"].endswith("+00:00")
    assert record["code"]["version"] == solution.__version__


def test_locations_are_clipped_and_counted(tmp_path: Path, competition: Competition, truth: FaceSet):
    predictions = predicted(truth)
    predictions.coords[0, 0] = (-3.5, 97.25)
    predictions.coords[4, 10, 1] = 95.001
    path = write_submission(tmp_path / "clipped.csv", competition, predictions, {})
    assert check_submission(path, competition)["clipped"] == 3
    values = [float(row.split(",")[1]) for row in path.read_text().splitlines()[1:]]
    assert values[:2] == [0, 95]
    assert max(values) == 95


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_a_hole_is_an_error_and_nothing_is_written(
    tmp_path: Path, competition: Competition, truth: FaceSet, hole: float
):
    predictions = predicted(truth, "leaky")
    predictions.coords[1, 10, 1] = hole
    with pytest.raises(UserError, match=r"leaky.*nose_tip_y of ImageId 3.*1 such cells"):
        write_submission(tmp_path / "out" / "holes.csv", competition, predictions, {})
    assert not (tmp_path / "out").exists()


def test_a_missing_point_that_is_not_asked_is_no_error(tmp_path: Path, competition: Competition, truth: FaceSet):
    predictions = predicted(truth)
    predictions.coords[np.isnan(truth.coords)] = np.nan
    write_submission(tmp_path / "exact.csv", competition, predictions, {})
    found = read_submission(tmp_path / "exact.csv", competition)
    np.testing.assert_allclose(found, truth.coords, atol=5.1e-5)  # NaN where NaN


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6, 6]])
def test_every_test_picture_is_predicted_once(
    tmp_path: Path, competition: Competition, truth: FaceSet, rows: list[int]
):
    whole = predicted(truth)
    part = Predictions("part", whole.ids[rows], whole.coords[rows], whole.sigma[rows])
    with pytest.raises(UserError, match=rf"each of the 8 test pictures, got {len(rows)}, ImageId 4"):
        write_submission(tmp_path / "part.csv", competition, part, {})


EDITS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "cut off": (lambda rows: rows[:-1], r"expected 130 rows.*got 129"),
    "too long": (lambda rows: [*rows, "131,3.0"], r"expected 130 rows.*got 131"),
    "swapped": (lambda rows: [rows[0], rows[2], rows[1], *rows[3:]], r"row 1: expected RowId 1 .*'2,"),
    "nan": (lambda rows: [*rows[:5], "5,nan", *rows[6:]], r"row 5 \(RowId 5\).*got 'nan'"),
    "text": (lambda rows: [*rows[:5], "5,left", *rows[6:]], r"row 5 \(RowId 5\).*got 'left'"),
    "empty": (lambda rows: [*rows[:5], "5,", *rows[6:]], r"row 5 \(RowId 5\).*got ''"),
    "outside": (lambda rows: [*rows[:5], "5,95.5", *rows[6:]], r"row 5 \(RowId 5\).*from 0 to 95 px, got '95.5'"),
    "third cell": (
        lambda rows: [*rows[:5], "5,1,2", *rows[6:]],
        r"row 5: expected RowId 5 and its Location, got '5,1,2'",
    ),
    "other columns": (lambda rows: ["RowId,Place", *rows[1:]], r"columns RowId,Location, got 'RowId,Place'"),
    "nothing": (lambda rows: [], r"columns RowId,Location, got ''"),
    "moved": (lambda rows: [*rows[:5], "5,1.0", *rows[6:]], r"content that best.json describes"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_file_is_noticed(written: Path, competition: Competition, edit: str):
    change, message = EDITS[edit]
    rows = change(written.read_text().splitlines())
    written.write_text("".join(f"{row}\n" for row in rows))
    with pytest.raises(UserError, match=message) as caught:
        check_submission(written, competition)
    assert "Run the submission stage again" in str(caught.value)
    assert str(written) in str(caught.value)


def test_a_file_that_cannot_be_read(written: Path, competition: Competition):
    written.write_bytes(b"\xff\xfe\x00junk")
    with pytest.raises(UserError, match="cannot be read"):
        check_submission(written, competition)
    written.unlink()
    with pytest.raises(UserError, match=r"expected a submission, got none. Run `python -m solution run`"):
        check_submission(written, competition)


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_record_that_cannot_be_read(written: Path, competition: Competition, content: str | None):
    record_path(written).unlink()
    if content is not None:
        record_path(written).write_text(content)
    with pytest.raises(UserError, match=r"best\.json: expected"):
        check_submission(written, competition)


@pytest.mark.parametrize("form", [None, 1])
def test_a_submission_of_another_format_is_refused(written: Path, competition: Competition, form: int | None):
    """The first had no format in its record and one figure as a number; its file may have the drift by rank."""
    facts = json.loads(record_path(written).read_text())
    earlier = {**facts, "format": form, "cv": 1.25, "expected": {"overall": 1.2}}
    if form is None:
        del earlier["format"]
    record_path(written).write_text(json.dumps(earlier))
    with pytest.raises(UserError, match=r"best\.csv: expected a submission of format 2, got one of an ea") as caught:
        check_submission(written, competition)
    assert "Run `python -m solution run` with the same" in str(caught.value)
    assert "nothing is trained again" in str(caught.value)


def test_a_submission_of_a_later_format_asks_for_newer_code(written: Path, competition: Competition) -> None:
    facts = json.loads(record_path(written).read_text())
    record_path(written).write_text(json.dumps({**facts, "format": submission.FORMAT + 1}))
    with pytest.raises(UserError, match=r"got one of format 3, which a later version .* Update the code") as caught:
        check_submission(written, competition)
    assert "earlier" not in str(caught.value)


def test_a_submission_of_other_data_is_noticed(written: Path, competition: Competition):
    with pytest.raises(UserError, match="of other data"):
        check_submission(written, replace(competition, digest="e" * 16))
    with pytest.raises(UserError, match="of other data"):
        check_submission(written, replace(competition, drawn=False))


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_code_version_names_the_commit(tmp_path: Path):
    root = tmp_path / "a name with spaces"
    (root / "inner").mkdir(parents=True)
    assert code_version(root) == {"version": solution.__version__, "commit": None, "dirty": None}
    _git(root, "init")
    _git(root, "commit", "--allow-empty", "-m", "one")
    clean = code_version(root)
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (root / "new.py").touch()
    assert code_version(root) == {**clean, "dirty": True}
    assert code_version(root / "inner")["commit"] is None


def test_code_version_without_git(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert code_version()["commit"] is None
