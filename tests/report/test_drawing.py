from pathlib import Path

import cv2
import numpy as np
import pytest

from docs.pictures import make
from solution.data.synthetic import DrawnSettings
from solution.report import drawing
from solution.report.drawing import LABEL, PREDICTED

GREY = np.full((96, 96), 128, np.uint8)


def centre_of(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """The mean place (x, y) of the pixels of a colour."""
    y, x = np.nonzero((np.abs(picture.astype(int) - colour) < 40).all(axis=2))
    assert len(x) > 0
    return np.array([x.mean(), y.mean()])


@pytest.mark.parametrize("zoom", [2, 3, 5])
def test_a_point_lies_where_its_pixel_is_in_the_enlargement(zoom: int):
    for point in ([10.0, 70.0], [47.5, 20.25], [80.3, 33.8]):
        drawn = drawing.face(GREY, np.array([point]), zoom=zoom)
        assert drawn.shape == (96 * zoom, 96 * zoom, 3)
        np.testing.assert_allclose(centre_of(drawn, LABEL), (np.array(point) + 0.5) * zoom - 0.5, atol=0.3)


def test_predictions_are_dots_and_labels_rings_around_nothing():
    drawn = drawing.face(GREY, np.array([[30.0, 30.0]]), np.array([[60.0, 40.0]]))
    np.testing.assert_allclose(centre_of(drawn, PREDICTED), [181, 121], atol=0.5)
    np.testing.assert_allclose(centre_of(drawn, LABEL), [91, 91], atol=0.5)
    np.testing.assert_array_equal(drawn[91, 91], 128)


def test_points_that_are_not_there_are_not_drawn():
    nothing = np.full((15, 2), np.nan)
    np.testing.assert_array_equal(drawing.face(GREY, nothing, nothing), drawing.face(GREY))


def test_a_heatmap_glows_where_it_is_high():
    share = np.zeros((2, 24, 24))
    share[0, 5, 10], share[1, 20, 3] = 0.5, 0.1
    glow = drawing.heat(GREY, share, zoom=2).max(axis=2).astype(int)
    bright = np.argwhere(glow > 220)
    for row, column in ((5, 10), (20, 3)):
        at = np.array([row, column]) * 8 + 3.5
        assert np.abs(bright - at).max(axis=1).min() < 2
    assert glow[150, 150] == int(128 * 0.6)


def test_a_sheet_holds_its_tiles_in_rows():
    tiles = [np.full((4, 5, 3), shade, np.uint8) for shade in (10, 20, 30)]
    page = drawing.sheet(tiles, columns=2, gap=1)
    assert page.shape == (9, 11, 3)
    assert [page[0, 0, 0], page[0, 10, 0], page[8, 4, 0], page[8, 10, 0], page[4, 0, 0]] == [10, 20, 30, 255, 255]


def test_a_curve_falls_as_its_values_do():
    page = drawing.curve([8.0, np.nan, 4.0, 2.0], "px", width=400, height=200)
    orange = (np.abs(page.astype(int) - LABEL) < 40).all(axis=2)
    columns = np.flatnonzero(orange.any(axis=0))
    heights = [np.flatnonzero(orange[:, column]).mean() for column in (columns[3], columns[-4])]
    assert heights[0] < 60
    assert heights[1] > 120


def test_a_picture_is_kept_as_it_is(tmp_path: Path):
    page = drawing.sheet([drawing.face(GREY, np.array([[30.0, 30.0]]))] * 2, 2)
    path = drawing.save(tmp_path / "new" / "page.png", page)
    np.testing.assert_array_equal(cv2.imread(str(path)), page)
    assert [one.name for one in path.parent.iterdir()] == ["page.png"]


def test_the_readmes_pictures_can_be_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(make, "HERE", tmp_path)
    monkeypatch.setattr(make, "FACES", DrawnSettings(train15=12, train4=12, test15=8, test4=6))
    monkeypatch.setattr(make, "EPOCHS", 1)
    make.main()
    sizes = {path.name: cv2.imread(str(path)).shape for path in tmp_path.iterdir()}
    assert sizes == dict.fromkeys(["drawn_faces.png", "predictions.png"], (390, 1182, 3)) | {
        "heatmaps.png": (192, 1182, 3)
    }


def test_the_readmes_pictures_are_small():
    kept = list(Path(make.__file__).parent.glob("*.png"))
    assert {path.stem for path in kept} == {"drawn_faces", "predictions", "heatmaps"}
    assert all(path.stat().st_size <= 150_000 for path in kept)
