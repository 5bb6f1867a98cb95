"""Labelled faces held out: what is written, that nothing of it is left to learn from, and what is refused."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solution.__main__ import main
from solution.data.competition import Competition
from solution.data.folds import duplicates_across, groups_of
from solution.data.holdout import BLOCK, END, RANDOM, TOGETHER, Cut, held_out, hold_out
from solution.data.reader import read_competition
from solution.faces import FaceSet
from solution.runtime.errors import UserError
from tests import tiny_recipes
from tests.data.tiny import write_tiny
from tests.small import small_faces

TWINS = {5: 2, 30: 2, 61: 60, 99: 98}  # rows that show an earlier row's picture


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
    held = held_out(faces, Cut(share=0.3, seed=seed, kind=TOGETHER))
    assert 36 <= held.sum() <= 36 + 2  # the last group may be one of three
    group = groups_of(faces.images)
    assert not set(group[held].tolist()) & set(group[~held].tolist())
    assert len(duplicates_across(faces.take(~held), faces.take(held))) == 0


@pytest.mark.parametrize("kind", [END, RANDOM, TOGETHER])
def test_the_seed_determines_the_rows(faces: FaceSet, kind: str):
    one, other = (Cut(share=0.3, seed=seed, kind=kind) for seed in (1, 2))
    np.testing.assert_array_equal(held_out(faces, one), held_out(faces, one))
    assert (held_out(faces, one) != held_out(faces, other)).any()


def test_the_last_4_keypoint_rows_are_held_out_as_a_block_and_15_keypoint_rows_at_random(faces: FaceSet):
    held = held_out(faces, Cut(share=0.3))
    in4 = held[faces.subset == 4]
    assert in4.tolist() == [False] * 49 + [True] * 21
    in15 = np.flatnonzero(held[faces.subset == 15])
    assert len(in15) == 15
    assert in15.min() < 10 < 40 < in15.max()


def test_a_block_begins_where_it_is_asked_to(faces: FaceSet):
    held = held_out(faces, Cut(share=0.3, kind=BLOCK, start=7))
    assert np.flatnonzero(held[faces.subset == 4]).tolist() == list(range(7, 28))


def test_a_block_that_does_not_fit_is_refused(faces: FaceSet):
    with pytest.raises(UserError, match="--block 50: expected 49 or less"):
        held_out(faces, Cut(share=0.3, kind=BLOCK, start=50))


@pytest.mark.parametrize("kind", [END, RANDOM])
def test_other_cuts_may_separate_duplicates(kind: str):
    """With rows as the only unit a seed is soon found that parts a pair; together, none is."""
    faces = small_faces(50, 70)
    faces.images[1], faces.images[100] = faces.images[0], faces.images[60]
    split = [held_out(faces, Cut(share=0.3, seed=seed, kind=kind)) for seed in range(8)]
    assert any(held[1] != held[0] for held in split)
    assert any(held[100] != held[60] for held in split)


def test_single_rows_of_both_kinds_are_dealt_at_random(faces: FaceSet):
    held = held_out(faces, Cut(share=0.3, kind=RANDOM))
    assert held.sum() == 36
    assert set(faces.subset[held].tolist()) == {15, 4}


@pytest.mark.parametrize("share", [0.02, 0.97])
@pytest.mark.parametrize("kind", [END, RANDOM, TOGETHER])
def test_too_few_faces_in_a_file_are_refused(faces: FaceSet, share: float, kind: str):
    with pytest.raises(UserError, match=rf"--share {share}: expected at least 10 15-keypoint faces in either file"):
        held_out(faces, Cut(share=share, kind=kind))


def test_both_files_have_the_faces_of_the_one(competition: Competition, tmp_path: Path):
    held = hold_out(competition, tmp_path / "out", Cut(share=0.3, seed=5))
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
    assert facts == {
        "data": competition.digest,
        "cut": "end",
        "share": 0.3,
        "seed": 5,
        "block": [49, 70],
        "rows": np.flatnonzero(held).tolist(),
    }


def test_the_marker_names_the_cut(competition: Competition, tmp_path: Path):
    for name, cut in (("a", Cut(share=0.3, kind=RANDOM)), ("b", Cut(share=0.3, kind=BLOCK, start=5))):
        hold_out(competition, tmp_path / name, cut)
    facts = [json.loads((tmp_path / name / "holdout.json").read_text()) for name in "ab"]
    assert [one["cut"] for one in facts] == ["random", "block"]
    assert "block" not in facts[0]
    assert facts[1]["block"] == [5, 26]


def test_the_same_seed_makes_the_same_bytes(competition: Competition, tmp_path: Path):
    for name in ("a", "b"):
        hold_out(competition, tmp_path / name, Cut(share=0.3, seed=5))
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [
        *("IdLookupTable.csv", "SampleSubmission.csv", "answers.csv", "holdout.json", "test.zip", "training.zip")
    ]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_nothing_is_trained_on_the_answers(competition: Competition, tmp_path: Path):
    """The digest names all that a training may hang on."""
    hold_out(competition, tmp_path / "out", Cut(share=0.3, seed=5))
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
        hold_out(competition, folder, Cut(share=0.3))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--share=0", "--share 0: expected a share between 0 and 1"),
        ("--share=1", "--share 1: expected a share between 0 and 1"),
        ("--share=nan", "--share nan: expected a share between 0 and 1"),
        ("--seed=-1", "--seed -1: expected 0 or more"),
        ("--block=-1", "--block -1: expected 0 or more"),
        ("--together", "--together: expected --random with it"),
        ("--out=/", "--out /: expected a folder that is new or empty"),
        ("--out=loop/deep", "expected a folder that is new or empty, got: Symlink loop"),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, option: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    assert main(["holdout", "--data", "nowhere", option], tmp_path) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


def test_files_of_a_killed_process_are_removed(competition: Competition, tmp_path: Path):
    old, new, other = (tmp_path / f".{'0' * 11}{i}-{name}" for i, name in enumerate(("out", "out", "else")))
    for path in (old, new, other):
        path.mkdir()
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    hold_out(competition, tmp_path / "out", Cut(share=0.3))
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)


def test_a_label_of_zero_is_a_label(competition: Competition, tmp_path: Path):
    faces = competition.train
    row = int(np.flatnonzero(held_out(faces, Cut(share=0.3, seed=5)))[0])
    point = int(np.flatnonzero(~np.isnan(faces.coords[row, :, 0]))[0])
    faces.coords[row, point] = (0, 1e-7)
    hold_out(competition, tmp_path / "out", Cut(share=0.3, seed=5))
    found = read_competition(tmp_path / "out", tmp_path / "cache").answered
    np.testing.assert_allclose(found.coords[0, point], (0, 1e-7))


def test_damaged_answers_name_the_right_remedy(
    competition: Competition, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold_out(competition, tmp_path / "out", Cut(share=0.3, seed=5))
    (tmp_path / "out" / "answers.csv").write_text("RowId,Location\n1,2\n")
    assert main(["data", "--data", str(tmp_path / "out")], tmp_path) == 2
    said = capsys.readouterr().err
    assert "make it again: `python -m solution holdout`" in said
    assert "kaggle.com" not in said


def test_faces_whose_answers_are_known_are_refused(
    drawn_folder: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["holdout", "--data", str(folder), "--share", "0.3"], tmp_path) == 0
    for known in (drawn_folder, tmp_path / "data" / "holdout-end-0"):
        assert main(["holdout", "--data", str(known), "--seed", "9"], tmp_path) == 2
        assert "expected the competition's own files, got drawn faces or rows held out" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["holdout-end-0"]


def test_a_hold_out_without_its_answers_is_still_one(competition: Competition, tmp_path: Path):
    held = hold_out(competition, tmp_path / "out", Cut(share=0.3, seed=5))
    (tmp_path / "out" / "answers.csv").rename(tmp_path / "out" / "looked-away.csv")
    found = read_competition(tmp_path / "out", tmp_path / "cache")
    assert (found.held_out, found.answers, len(found.test)) == (True, None, held.sum())
    with pytest.raises(UserError, match="rows held out before"):
        hold_out(found, tmp_path / "again", Cut(share=0.3))
    assert read_competition(tmp_path / "out", tmp_path / "cache").held_out  # from the cache, too


def test_drawn_faces_without_their_answers_are_refused(drawn: Competition, tmp_path: Path):
    with pytest.raises(UserError, match="got drawn faces"):
        hold_out(replace(drawn, answers=None), tmp_path / "out", Cut(share=0.3))


def test_a_fifth_is_held_out_unless_asked_otherwise(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write_tiny(tmp_path / "many", rows15=80, rows4=120)
    assert main(["holdout", "--data", str(tmp_path / "many"), "--out", str(tmp_path / "a b")], tmp_path) == 0
    said = capsys.readouterr().out
    assert "40 of 200 labelled faces" in said
    assert f"--data '{tmp_path / 'a b'}'`" in said


def test_a_run_on_the_rest_ends_with_its_true_score(
    folder: Path, tmp_path: Path, use_recipes: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    use_recipes(tiny_recipes.ALL[0])
    cut = ["--share", "0.3", "--seed", "4", "--random", "--together"]
    assert main(["holdout", "--data", str(folder), *cut], tmp_path) == 0
    out = tmp_path / "data" / "holdout-together-4"
    assert main(["run", "--data", str(out), "--scale", "smoke", "--jobs", "1"], tmp_path) == 0
    said = capsys.readouterr().out
    assert "True RMSE on the test pictures, over every answer: " in said
    assert "Kaggle's private leaderboard" in said
    record = json.loads((tmp_path / "submissions" / "holdout-together-4" / "submission.json").read_text())
    assert "true" not in record  # what is sent, or kept beside it, is made without the answers
    assert main(["submit", "--data", str(out), "--scale", "smoke", "--message", "a try", "--yes"], tmp_path) == 2
    assert "got one for labelled rows that were held out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ([], "holdout-end-0"),
        (["--block", "12", "--seed", "3"], "holdout-block12-3"),
        (["--random"], "holdout-random-0"),
        (["--random", "--together", "--seed", "1"], "holdout-together-1"),
    ],
)
def test_the_folder_names_the_cut(folder: Path, tmp_path: Path, given: list[str], name: str):
    assert main(["holdout", "--data", str(folder), "--share", "0.3", *given], tmp_path) == 0
    assert [path.name for path in (tmp_path / "data").iterdir()] == [name]


def test_a_block_of_random_rows_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["holdout", "--data", str(folder), "--random", "--block", "5"], tmp_path) == 2
    assert "--random, --block: expected only one of the two" in capsys.readouterr().err
