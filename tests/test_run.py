import shutil
from pathlib import Path

import pytest

from solution.data.synthetic.settings import DrawnSettings
from solution.run import find_source
from solution.runtime.errors import UserError

SMALL = DrawnSettings(train15=3, train4=3, test15=1, test4=1)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    home = str(tmp_path_factory.mktemp("home"))
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", home)


def test_the_named_folder_comes_first(tmp_path: Path, drawn_folder: Path):
    found = find_source(tmp_path, drawn_folder)
    assert (found.folder, found.dataset) == (drawn_folder, "faces")


def test_a_named_folder_without_the_files_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"--data .*: expected a folder with the competition's files"):
        find_source(tmp_path, tmp_path)


def test_the_data_folder_is_kaggles_however_it_is_named(tmp_path: Path, drawn_folder: Path):
    shutil.copytree(drawn_folder, tmp_path / "data")
    for data in (None, tmp_path / "data", tmp_path / "data" / ".." / "data"):
        assert find_source(tmp_path, data).dataset == "kaggle"


def test_with_credentials_the_files_are_fetched(tmp_path: Path, drawn_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "0123456789abcdef")
    monkeypatch.setattr("solution.run.download", lambda folder: shutil.copytree(drawn_folder, folder))
    found = find_source(tmp_path, None)
    assert (found.folder, found.dataset) == (tmp_path / "data", "kaggle")


def test_without_anything_faces_are_drawn_once(tmp_path: Path):
    found = find_source(tmp_path, None, SMALL)
    assert (found.folder, found.dataset) == (tmp_path / "data" / "drawn", "drawn")
    drawn = (found.folder / "training.zip").stat().st_mtime_ns
    assert find_source(tmp_path, None, SMALL) == found
    assert find_source(tmp_path, found.folder) == found
    assert (found.folder / "training.zip").stat().st_mtime_ns == drawn


def test_a_data_folder_with_a_part_of_the_files_is_refused(tmp_path: Path, drawn_folder: Path):
    (tmp_path / "data").mkdir()
    shutil.copy(drawn_folder / "training.zip", tmp_path / "data")
    shutil.copy(drawn_folder / "test.zip", tmp_path / "data")
    with pytest.raises(UserError, match=r"got none of IdLookupTable\.csv\. Put the missing files there"):
        find_source(tmp_path, None)


def test_a_place_that_cannot_hold_drawn_faces_is_a_user_error(tmp_path: Path):
    (tmp_path / "data").touch()
    with pytest.raises(UserError, match="expected a folder to draw faces into"):
        find_source(tmp_path, None)
