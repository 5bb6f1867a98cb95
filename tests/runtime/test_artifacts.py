import os
from pathlib import Path

import pytest

from solution.runtime.artifacts import (
    MANIFEST,
    Workspace,
    atomic,
    complete,
    digest_of,
    manifest,
    seal,
    write_json,
    write_text,
)
from solution.runtime.errors import UserError

INPUTS = {"recipe": {"epochs": 3, "widths": (1, 2)}, "fold": 0}


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    write_text(tmp_path / "weights.bin", "w" * 1000)
    write_json(tmp_path / "facts.json", {"a": 1})
    seal(tmp_path, INPUTS, ["weights.bin", "facts.json"], seconds=1.5)
    return tmp_path


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "deep" / "file.txt"
    with atomic(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def write_half(path: Path, error: type[BaseException]) -> None:
    with atomic(path) as temporary:
        temporary.write_text("new, but h")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(error):
        write_half(path, error)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_a_sealed_folder_is_complete_for_its_inputs_alone(sealed: Path):
    assert complete(sealed, INPUTS)
    assert (manifest(sealed) or {})["seconds"] == 1.5
    assert not complete(sealed, {**INPUTS, "fold": 1})
    assert not complete(sealed, {"recipe": {"epochs": 3, "widths": [1, 3]}, "fold": 0})


def test_a_truncated_file_is_noticed(sealed: Path):
    os.truncate(sealed / "weights.bin", 999)
    assert not complete(sealed, INPUTS)


def test_an_edited_file_of_the_same_length_is_noticed(sealed: Path):
    (sealed / "weights.bin").write_text("w" * 999 + "v")
    assert not complete(sealed, INPUTS)


def test_a_missing_file_is_noticed(sealed: Path):
    (sealed / "facts.json").unlink()
    assert not complete(sealed, INPUTS)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"inputs": {}}', "\x00"])
def test_a_damaged_manifest_is_no_manifest(sealed: Path, content: str):
    (sealed / MANIFEST).write_text(content)
    assert not complete(sealed, INPUTS)


def test_digests_know_values_not_the_order_of_keys():
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": (1, 2), "a": 1})
    assert digest_of({"a": 1, "b": [1, 2]}) != digest_of({"a": 1, "b": [2, 1]})
    assert len(digest_of(None)) == 16


def test_a_workspace_keeps_data_sets_apart_and_leaves_no_probe(tmp_path: Path):
    one, two = Workspace(tmp_path, "one").ready(), Workspace(tmp_path, "two").ready()
    assert one.fold("unet", 3) == tmp_path / "folds" / "one" / "unet" / "fold3"
    assert not {one.folds, one.submissions} & {two.folds, two.submissions}
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_file_in_the_folders_place_is_a_user_error(tmp_path: Path):
    (tmp_path / "folds").touch()
    with pytest.raises(UserError, match="expected a folder that can be written to"):
        Workspace(tmp_path, "one").ready()
