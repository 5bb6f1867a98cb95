"""Pictures: points are where they belong, lines run through their points, a file holds what was drawn."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from docs.pictures import make
from solution.data.synthetic import DrawnSettings
from solution.report import drawing
from solution.report.drawing import AXES, CHART_SIZE, LABEL, PREDICTION, Chart, Curve

GREY = np.full((96, 96), 128, np.uint8)


def centre_of(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """The mean place (x, y) of the pixels of a colour."""
    y, x = np.nonzero((np.abs(picture.astype(int) - colour) < 40).all(axis=2))
    assert len(x) > 0
    return np.array([x.mean(), y.mean()])


@pytest.mark.parametrize("zoom", [2, 3, 5])
@pytest.mark.parametrize("point", [[10.0, 70.0], [47.5, 20.25], [80.3, 33.8]])
def test_a_point_is_drawn_where_its_pixel_is_in_the_enlargement(zoom: int, point: list[float]):
    picture = drawing.face(GREY, np.array([point]), zoom=zoom)
    assert picture.shape == (96 * zoom, 96 * zoom, 3)
    np.testing.assert_allclose(centre_of(picture, LABEL), (np.array(point) + 0.5) * zoom - 0.5, atol=0.3)


def test_predictions_are_dots_and_labels_empty_rings_that_a_line_may_join():
    labels, predictions = np.array([[30.0, 30.0]]), np.array([[60.0, 40.0]])
    picture = drawing.face(GREY, labels, predictions)
    np.testing.assert_allclose(centre_of(picture, PREDICTION), [181, 121], atol=0.5)
    np.testing.assert_allclose(centre_of(picture, LABEL), [91, 91], atol=0.5)
    np.testing.assert_array_equal(picture[91, 91], 128)
    assert (picture[106, 136] == 128).all()  # half way between them
    assert (drawing.face(GREY, labels, predictions, links=True)[106, 136] != 128).all()


def test_points_that_are_nan_are_not_drawn():
    nothing = np.full((15, 2), np.nan)
    np.testing.assert_array_equal(drawing.face(GREY, nothing, nothing, links=True), drawing.face(GREY))


def test_a_heatmap_is_bright_where_it_is_high():
    maps = np.zeros((2, 24, 24))
    maps[0, 5, 10], maps[1, 20, 3] = 0.5, 0.1
    brightness = drawing.heat(GREY, maps, zoom=2).max(axis=2).astype(int)
    bright = np.argwhere(brightness > 220)
    for row, column in ((5, 10), (20, 3)):
        at = np.array([row, column]) * 8 + 3.5
        assert np.abs(bright - at).max(axis=1).min() < 2
    assert brightness[150, 150] == int(128 * 0.6)


def test_a_sheet_holds_its_tiles_in_rows():
    tiles = [np.full((4, 5, 3), shade, np.uint8) for shade in (10, 20, 30)]
    page = drawing.sheet(tiles, columns=2, gap=1)
    assert page.shape == (9, 11, 3)
    assert [page[0, 0, 0], page[0, 10, 0], page[8, 4, 0], page[8, 10, 0], page[4, 0, 0]] == [10, 20, 30, 255, 255]


def test_names_keep_their_distance_and_their_order():
    places = np.array([0.50, 0.10, 0.51, 0.52, 0.99])
    moved = drawing.keep_apart(places, 0.1)
    assert np.argsort(moved).tolist() == np.argsort(places).tolist()
    assert np.diff(np.sort(moved)).min() >= 0.1 - 1e-9
    assert moved.min() >= 0
    assert moved.max() <= 1
    np.testing.assert_allclose(drawing.keep_apart(np.array([0.05, 0.4]), 0.1), [0.05, 0.4])


def test_lines_of_a_chart_run_through_their_points():
    curves = [
        Curve("falls", [(0, 10.0), (5, 1.0)], "#ff0000", bold=True),
        Curve("stays", [(0, 3.0), (5, 3.0)], "#0000ff"),
    ]
    picture = drawing.line_chart(Chart("Title", "below it", "minutes", curves))
    np.testing.assert_array_equal(picture, drawing.line_chart(Chart("Title", "below it", "minutes", curves)))
    width, height = CHART_SIZE
    assert picture.shape == (height, width, 3)
    left, right = AXES[0] * width, (AXES[0] + AXES[2]) * width
    bottom, top = (1 - AXES[1]) * height, (1 - AXES[1] - AXES[3]) * height
    red = np.argwhere((picture[..., 2] > 200) & (picture[..., :2] < 60).all(axis=2))
    assert red[np.abs(red[:, 1] - left - 15) < 5, 0].mean() < top + 40  # high at the start
    assert red[np.abs(red[:, 1] - right + 15) < 5, 0].mean() > bottom - 40
    assert (red[:, 1] > right + 30).any()  # its name
    blue = np.argwhere((picture[..., 0] > 200) & (picture[..., 1:] < 60).all(axis=2))
    blue = blue[(blue[:, 1] > left + 10) & (blue[:, 1] < right - 10)]
    share = np.log(3 / (1 / 1.08)) / np.log(10 * 1.08**2)
    assert np.ptp(blue[:, 0]) <= 3
    assert blue[:, 0].mean() == pytest.approx(bottom - share * (bottom - top), abs=2)


def test_a_file_holds_what_was_drawn(tmp_path: Path):
    page = drawing.sheet([drawing.face(GREY, np.array([[30.0, 30.0]]))] * 2, 2)
    path = drawing.save(tmp_path / "new" / "page.png", page)
    np.testing.assert_array_equal(cv2.imread(str(path)), page)
    assert [file.name for file in path.parent.iterdir()] == ["page.png"]


def test_the_readmes_pictures_can_be_made_anew(tmp_path: Path):
    make.main(tmp_path, DrawnSettings(train15=12, train4=12, test15=8, test4=6), epochs=1)
    sizes = {path.name: cv2.imread(str(path)).shape for path in tmp_path.iterdir()}
    assert sizes == dict.fromkeys(["drawn_faces.png", "predictions.png"], (390, 1182, 3)) | {
        "heatmaps.png": (192, 1182, 3)
    }


def test_the_readmes_pictures_are_small():
    kept = list(Path(make.__file__).parent.glob("*.png"))
    assert {path.stem for path in kept} == {"drawn_faces", "predictions", "heatmaps"}
    assert all(path.stat().st_size <= 150_000 for path in kept)
