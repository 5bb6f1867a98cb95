"""Labelled faces held out: what is written, that nothing of it is left to learn from, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from solution.__main__ import main
from solution.data.competition import Competition
from solution.data.files import read_competition
from solution.errors import UserError
from solution.faces import FaceSet
from solution.folds import groups_of, twins_across
from solution.holdout import held_out, hold_out
from tests import tiny_recipes
from tests.data.tiny import write_tiny
from tests.small import small_faces

TWINS = {5: 2, 30: 2, 61: 60, 99: 98}
"""Rows that show an earlier row's picture."""


@pytest.fixture
def faces() -> FaceSet:
    found = small_faces(50, 70)
    for row, earlier in TWINS.items():
        found.images[row] = found.images[earlier]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "faces", rows15=50, rows4=70)


@pytest.fixture
def competition(folder: Path, tmp_path: Path) -> Competition:
    return read_competition(folder, tmp_path / "cache")


@pytest.mark.parametrize("seed", range(8))
def test_identical_pictures_are_held_out_together(faces: FaceSet, seed: int):
    held = held_out(faces, 0.3, seed)
    assert 36 <= held.sum() <= 36 + 2  # the last group may be one of three
    group = groups_of(faces.images)
    assert not set(group[held].tolist()) & set(group[~held].tolist())
    assert len(twins_across(faces.take(~held), faces.take(held))) == 0


def test_the_seed_says_which(faces: FaceSet):
    np.testing.assert_array_equal(held_out(faces, 0.3, 1), held_out(faces, 0.3, 1))
    assert (held_out(faces, 0.3, 1) != held_out(faces, 0.3, 2)).any()


@pytest.mark.parametrize("share", [0.02, 0.97])
def test_too_few_on_one_side_are_refused(faces: FaceSet, share: float):
    with pytest.raises(UserError, match=rf"--share {share}: expected at least 10 15-keypoint faces in either file"):
        held_out(faces, share, 0)


def test_both_files_hold_what_the_one_held_before(competition: Competition, tmp_path: Path):
    held = hold_out(competition, tmp_path / "out", 0.3, 5)
    found = read_competition(tmp_path / "out", tmp_path / "cache")
    for part, rows in ((found.train, ~held), (found.answered, held)):
        want = competition.train.take(rows)
        np.testing.assert_array_equal(part.images, want.images)
        np.testing.assert_array_equal(part.coords, want.coords)
        np.testing.assert_array_equal(part.subset, want.subset)
    assert np.isnan(found.test.coords).all()
    assert found.test.ids.tolist() == list(range(1, 37))
    assert not found.drawn
    facts = json.loads((tmp_path / "out" / "holdout.json").read_text())
    assert facts == {"data": competition.digest, "share": 0.3, "seed": 5, "rows": np.flatnonzero(held).tolist()}


def test_the_same_seed_makes_the_same_bytes(competition: Competition, tmp_path: Path):
    for name in ("a", "b"):
        hold_out(competition, tmp_path / name, 0.3, 5)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [
        *("IdLookupTable.csv", "SampleSubmission.csv", "answers.csv", "holdout.json", "test.zip", "training.zip")
    ]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_nothing_is_trained_on_the_answers(competition: Competition, tmp_path: Path):
    """The digest names all that a training may hang on."""
    hold_out(competition, tmp_path / "out", 0.3, 5)
    digest = read_competition(tmp_path / "out", tmp_path / "cache").digest
    answers = tmp_path / "out" / "answers.csv"
    answers.write_text(answers.read_text().replace(",1", ",2"))
    other = read_competition(tmp_path / "out", tmp_path / "cache")
    assert other.digest == digest
    answers.unlink()
    assert read_competition(tmp_path / "out", tmp_path / "cache").digest == digest


def test_a_folder_that_holds_something_is_left_alone(competition: Competition, folder: Path):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(UserError, match="expected a folder that is new or empty"):
        hold_out(competition, folder, 0.3, 0)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_what_breaks_off_leaves_nothing(competition: Competition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("solution.holdout.write_test", full)
    (tmp_path / "deep").mkdir()
    with pytest.raises(UserError, match="No space left on device"):
        hold_out(competition, tmp_path / "deep" / "out", 0.3, 0)
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "nan"])
def test_a_share_that_is_none(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], share: str):
    assert main(["holdout", "--data", str(folder), f"--share={share}", "--out", str(tmp_path / "out")], tmp_path) == 2
    assert f"--share {float(share):g}: expected a share between 0 and 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_faces_whose_answers_are_known_are_refused(
    drawn_folder: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["holdout", "--data", str(folder), "--share", "0.3"], tmp_path) == 0
    for known in (drawn_folder, tmp_path / "data" / "holdout-0"):
        assert main(["holdout", "--data", str(known), "--seed", "9"], tmp_path) == 2
        assert "expected files whose test answers are not known" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["holdout-0"]


def test_a_run_on_the_rest_ends_with_its_true_score(
    folder: Path, tmp_path: Path, use_recipes: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    use_recipes(tiny_recipes.ALL[0])
    assert main(["holdout", "--data", str(folder), "--share", "0.3", "--seed", "4"], tmp_path) == 0
    out = tmp_path / "data" / "holdout-4"
    assert main(["run", "--data", str(out), "--scale", "smoke", "--jobs", "1"], tmp_path) == 0
    said = capsys.readouterr().out
    assert "True RMSE on the test pictures, over every answer: " in said
    assert "Kaggle's private leaderboard" in said
    record = json.loads((tmp_path / "submissions" / "holdout-4" / "submission.json").read_text())
    assert "true" not in record  # what is sent, or kept beside it, is made without the answers
    assert main(["submit", "--data", str(out), "--scale", "smoke", "--message", "a try", "--yes"], tmp_path) == 2
    assert "got one for labelled rows that were held out" in capsys.readouterr().err
