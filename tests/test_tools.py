"""The small programs that the checks on every commit use."""

from pathlib import Path

import numpy as np
import pytest

from solution.data.competition import Competition
from solution.data.reader import read_competition
from tests import drawn_folder as drawing
from tests.places import SHARED
from tests.slice_real import slice_folder

REAL = SHARED / "fkd"


def test_a_slice_holds_every_nth_row_and_what_is_asked_of_it(drawn_folder: Path, drawn: Competition, tmp_path: Path):
    slice_folder(drawn_folder, tmp_path / "slice", 3)
    part = read_competition(tmp_path / "slice", tmp_path / "cache")
    np.testing.assert_array_equal(part.train.images, drawn.train.images[::3])
    np.testing.assert_array_equal(part.train.coords, drawn.train.coords[::3])
    np.testing.assert_array_equal(part.train.subset, drawn.train.subset[::3])
    np.testing.assert_array_equal(part.test.ids, drawn.test.ids[::3])
    np.testing.assert_array_equal(part.test.images, drawn.test.images[::3])
    asked = np.isin(drawn.lookup.image_id, part.test.ids)
    np.testing.assert_array_equal(part.lookup.row_id, drawn.lookup.row_id[asked])
    assert not part.drawn


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not in ../shared/fkd")
def test_the_real_files_can_be_sliced(tmp_path: Path):
    slice_folder(REAL, tmp_path / "slice", 100)
    part = read_competition(tmp_path / "slice", tmp_path / "cache")
    assert 50 < len(part.train) < 75
    assert {15, 4} == set(part.train.subset.tolist())
    assert (np.diff(part.test.ids) == 100).all()


def test_a_drawn_folder_is_named_on_stdout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(drawing.tempfile, "mkdtemp", lambda: str(tmp_path))
    monkeypatch.setattr(drawing, "SETTINGS", drawing.DrawnSettings(train15=4, train4=4, test15=2, test4=2))
    drawing.main()
    folder = Path(capsys.readouterr().out.strip())
    assert folder == tmp_path / drawing.NAME
    faces = read_competition(folder, tmp_path / "cache")
    assert (len(faces.train), len(faces.test), faces.drawn) == (8, 4, True)
