import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from solution.data import cache as caching
from solution.data.competition import Competition
from solution.data.reader import read_competition
from solution.runtime.artifacts import MANIFEST
from solution.runtime.errors import UserError
from tests.data.tiny import write_tiny


@pytest.fixture
def competition(tmp_path: Path) -> Competition:
    return read_competition(write_tiny(tmp_path / "raw", 3, 3, 1, 1), tmp_path / "cache")


@pytest.fixture
def files(competition: Competition, tmp_path: Path) -> str:
    """The digest of the files that `competition` was read from."""
    (folder,) = (tmp_path / "cache").iterdir()
    return folder.name.removeprefix("competition-")


def test_a_stored_competition_is_loaded(competition: Competition, files: str, tmp_path: Path):
    loaded = caching.load(tmp_path / "cache", files)
    assert loaded.digest == competition.digest
    assert loaded.answers is None
    assert loaded.drawn is False
    for ours, theirs in ((loaded.train, competition.train), (loaded.test, competition.test)):
        assert ours.schema == theirs.schema
        for field in ("ids", "images", "coords", "subset"):
            assert getattr(ours, field).dtype == getattr(theirs, field).dtype
            np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field))
    for field in ("row_id", "image_id", "column"):
        np.testing.assert_array_equal(getattr(loaded.lookup, field), getattr(competition.lookup, field))


def _truncate(folder: Path) -> None:
    path = folder / caching.ARRAYS
    path.write_bytes(path.read_bytes()[:-100])


def _flip(folder: Path) -> None:
    path = folder / caching.ARRAYS
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _age(folder: Path) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    content["inputs"]["version"] = caching.VERSION - 1
    (folder / MANIFEST).write_text(json.dumps(content))


def _cut_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text()[:40])


def _remove(folder: Path) -> None:
    (folder / caching.ARRAYS).unlink()


@pytest.mark.parametrize("damage", [_truncate, _flip, _age, _cut_manifest, _remove])
def test_a_damaged_or_older_cache_is_made_again(
    competition: Competition, files: str, tmp_path: Path, damage: Callable[[Path], None]
):
    folder = caching.cache_folder(tmp_path / "cache", files)
    damage(folder)
    assert caching.load(tmp_path / "cache", files) is None
    again = read_competition(tmp_path / "raw", tmp_path / "cache")
    np.testing.assert_array_equal(again.train.images, competition.train.images)
    assert caching.load(tmp_path / "cache", files) is not None
    assert sorted(path.name for path in folder.iterdir()) == [caching.ARRAYS, MANIFEST]


@pytest.mark.usefixtures("competition")
def test_another_digest_has_no_cache(tmp_path: Path):
    assert caching.load(tmp_path / "cache", "0" * 16) is None


def test_a_cache_that_cannot_be_written_is_a_user_error(competition: Competition, tmp_path: Path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"competition\.npz: expected to write it, got: Not a directory"):
        caching.store(blocked, "0" * 16, competition)
