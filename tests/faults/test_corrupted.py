"""Damaged artefacts are made again or refused, never used. Intact ones are not made again."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from solution.__main__ import main
from solution.data.cache import ARRAYS as COMPETITION
from solution.ensemble.selection import ARRAYS as STACK
from solution.ensemble.selection import FACTS
from solution.runtime import checkpoint
from solution.runtime.artifacts import MANIFEST
from solution.specialists.landmarks.predict import OFFSET
from solution.specialists.training import HISTORY, PREDICTIONS, SETTINGS, WEIGHTS

Damage = Callable[[Path], None]


def cut(name: str) -> Damage:
    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) * 2 // 3])

    return damage


def flip(name: str) -> Damage:
    def damage(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 4
        (folder / name).write_bytes(content)

    return damage


def garbage(name: str, content: bytes = b"\x00{not json") -> Damage:
    return lambda folder: (folder / name).write_bytes(content) and None


def remove(*names: str) -> Damage:
    return lambda folder: [(folder / name).unlink() for name in names] and None


def edit(change: Callable[[dict], object]) -> Damage:
    """Change a folder's manifest."""

    def damage(folder: Path) -> None:
        content = json.loads((folder / MANIFEST).read_text())
        change(content)
        (folder / MANIFEST).write_text(json.dumps(content))

    return damage


def forget_predictions(folder: Path) -> None:
    """A manifest that agrees with a folder whose out-of-fold predictions are missing."""
    edit(lambda content: content["files"].pop(PREDICTIONS))(folder)
    (folder / PREDICTIONS).unlink()


def leave_a_damaged_checkpoint(folder: Path) -> None:
    """A stopped training whose checkpoint is cut off."""
    inputs = json.loads((folder / MANIFEST).read_text())["inputs"]
    checkpoint.save(folder, inputs, {"net": {"weight": torch.zeros(1000)}})
    cut(checkpoint.FILE)(folder)
    (folder / MANIFEST).unlink()


TRAININGS: dict[str, Damage] = {
    "base/fold0": cut(WEIGHTS),
    "base/fold1": flip(WEIGHTS),
    "base/fold2": remove(PREDICTIONS),
    "base/fold3": garbage(SETTINGS),
    "base/fold4": garbage(OFFSET, b"[]"),
    "child/fold0": cut(MANIFEST),
    "child/fold1": garbage(MANIFEST, b"[1, 2]"),
    "child/fold2": garbage(MANIFEST, b"[" * 100_000),
    "child/fold3": edit(lambda content: content["files"].clear()),
    "child/fold4": edit(lambda content: content.update(files=None)),
    "other/fold0": edit(lambda content: content["files"].update({WEIGHTS: "0" * 64})),
    "other/fold1": edit(lambda content: content["inputs"]["recipe"].update(epochs=99)),
    "other/fold2": forget_predictions,
    "other/fold3": leave_a_damaged_checkpoint,
    "other/fold4": flip(HISTORY),
}
ELSEWHERE: dict[str, tuple[str, Damage]] = {
    "stack arrays cut off": ("stack", cut(STACK)),
    "stack arrays changed": ("stack", flip(STACK)),
    "stack facts are garbage": ("stack", garbage(FACTS)),
    "stack manifest names nothing": ("stack", edit(lambda content: content.pop("files"))),
    "evaluation cut off": ("evaluation", cut("evaluation.json")),
    "cache cut off": ("cache/*", cut(COMPETITION)),
    "cache of another version": ("cache/*", edit(lambda content: content["inputs"].update(version=0))),
    "cache manifest is garbage": ("cache/*", garbage(MANIFEST)),
    "fold table is garbage": (".", garbage("folds.csv")),
    "fold table moved a row": (".", lambda folder: move_a_row(folder / "folds.csv")),
    "submission edited": ("../../submissions/faces", flip("submission.csv")),
    "record cut off": ("../../submissions/faces", cut("submission.json")),
}


def move_a_row(path: Path) -> None:
    """Put a row into another fold than its duplicate, or into one that does not exist."""
    lines = path.read_text().splitlines()
    row, subset, _, group = lines[1].split(",")
    path.write_text("\n".join([lines[0], f"{row},{subset},99,{group}", *lines[2:], ""]))


@pytest.fixture
def run_again(finished_copy: Path, finished: Path, drawn_folder: Path) -> Callable[[], set[str]]:
    """Run again, check that the submission is the same, and return the folders that were written again."""
    folds = finished_copy / "folds" / "faces"
    before = {path: path.stat().st_mtime_ns for path in folds.rglob(MANIFEST)}

    def run() -> set[str]:
        assert main(["run", "--data", str(drawn_folder), "--scale", "smoke", "--jobs", "1"], finished_copy) == 0
        for name in ("submission.csv", "submission-plain.csv"):
            places = [root / "submissions" / "faces" / name for root in (finished_copy, finished)]
            assert places[0].read_bytes() == places[1].read_bytes()
        made = [path.parent for path in folds.rglob(MANIFEST) if path.stat().st_mtime_ns != before.get(path)]
        return {str(folder.relative_to(folds)) for folder in made}

    return run


@pytest.mark.parametrize("part", [0, 1])
def test_each_damaged_training_and_no_other_is_made_again(
    finished_copy: Path, run_again: Callable[[], set[str]], part: int
):
    damaged = dict(list(TRAININGS.items())[part::2])
    for name, damage in damaged.items():
        damage(finished_copy / "folds" / "faces" / name)
    assert run_again() == {*damaged, "stack", "evaluation"}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_other_damaged_artefacts_are_made_again(finished_copy: Path, run_again: Callable[[], set[str]], case: str):
    where, damage = ELSEWHERE[case]
    folds = finished_copy / "folds" / "faces"
    [folder] = folds.glob(where) if "*" in where else [folds / where]
    damage(folder)
    made = run_again()
    assert made == ({str(folder.relative_to(folds))} if (folder / MANIFEST).is_file() else set())


def test_a_single_stage_refuses_damaged_artefacts(
    finished_copy: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
):
    def said(verb: str) -> str:
        assert main([verb, "--data", str(drawn_folder), "--scale", "smoke"], finished_copy) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        return lines[0]

    folds = finished_copy / "folds" / "faces"
    flip(WEIGHTS)(folds / "base" / "fold3")
    (folds / "stack" / MANIFEST).unlink()
    assert "base/fold3: expected a finished training" in said("stack")
    assert "expected the stack of the current trainings" in said("submission")
    garbage("folds.csv")(folds)
    assert "expected the fold table" in said("train")


def test_a_checkpoint_with_any_bit_flipped_is_not_used(tmp_path: Path):
    state = {"net": {"weight": torch.arange(500.0)}, "history": [{"epoch": 1, "loss": 0.5}]}
    checkpoint.save(tmp_path, {"of": "this"}, state)
    path = tmp_path / checkpoint.FILE
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in [0, 31, 32, len(whole) - 1, *rng.integers(0, len(whole), 60).tolist()]:
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        assert checkpoint.load(tmp_path, {"of": "this"}) is None
    path.write_bytes(whole)
    torch.testing.assert_close(checkpoint.load(tmp_path, {"of": "this"}), state)
    assert checkpoint.load(tmp_path, {"of": "that"}) is None
