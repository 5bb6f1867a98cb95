import argparse
from dataclasses import replace

import cv2
import numpy as np
import pytest

from solution.cli.photo import add_reading_options
from solution.data.crop import Frame
from solution.deploy.photo.filters import FILTERS, apply, on_eyes
from solution.deploy.photo.images import decorated
from solution.keypoints import FACE15, FACE68, SHARED
from tests.deploy.photo.fakes import SHAPE, finder, picture

every = pytest.mark.parametrize("name", FILTERS)
GROUND = 128


def drawn(name: str, frame: Frame, size: tuple[int, int] = (400, 400)) -> np.ndarray:
    """How much the filter changes each pixel of a grey picture, (H, W) float."""
    canvas = np.full((*size, 3), GROUND, np.uint8)
    apply(name, canvas, frame.to_picture(SHAPE), FACE15)
    return np.abs(canvas.astype(float) - GROUND).max(axis=2)


def middle(change: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: change.shape[0], : change.shape[1]]
    return np.array([(x * change).sum(), (y * change).sum()]) / change.sum()


def test_the_command_line_names_all_filters():
    parser = argparse.ArgumentParser()
    add_reading_options(parser)
    (choices,) = [action.choices for action in parser._actions if action.dest == "filter"]
    assert sorted(choices) == sorted(FILTERS)


@every
def test_it_moves_grows_and_turns_with_the_face(name: str):
    base = drawn(name, Frame(200, 220, 120))
    assert (base > 20).sum() > 100
    moved = drawn(name, Frame(230, 205, 120))
    np.testing.assert_allclose(middle(moved) - middle(base), (30, -15), atol=0.5)
    grown = drawn(name, Frame(200, 220, 180))
    np.testing.assert_allclose(grown.sum() / base.sum(), 2.25, rtol=0.1)
    turned = drawn(name, Frame(200, 220, 120, np.radians(25)))
    turn = Frame(200, 220, 96, np.radians(25))
    np.testing.assert_allclose(middle(turned), turn.to_picture(middle(base) - (200, 220) + 47.5), atol=1.0)
    np.testing.assert_allclose(turned.sum(), base.sum(), rtol=0.03)


def test_each_lies_where_it_belongs():
    frame = Frame(200, 220, 192)
    place = {name: frame.from_picture(middle(drawn(name, frame))) for name in FILTERS}
    points = dict(zip(FACE15.points, SHAPE, strict=True))
    assert abs(place["sunglasses"][1] - points["left_eye_center"][1]) < 5
    assert points["nose_tip"][1] < place["moustache"][1] < points["mouth_center_bottom_lip"][1]
    assert place["hat"][1] < points["left_eyebrow_inner_end"][1] - 10
    np.testing.assert_allclose(place["clown"], points["nose_tip"], atol=3)
    for where in place.values():
        assert abs(where[0] - 47.8) < 3


def test_eyes_are_hidden_behind_sunglasses():
    frame = Frame(200, 200, 150)
    change = drawn("sunglasses", frame)
    for eye in ("left_eye_center", "right_eye_center"):
        x, y = np.rint(frame.to_picture(SHAPE)[FACE15.points.index(eye)]).astype(int)
        assert change[y, x] > 40


@every
@pytest.mark.parametrize("frame", [Frame(-30, 10, 120), Frame(395, 399, 300, 1.0), Frame(2000, 2000, 50)])
def test_a_face_at_the_edge_is_drawn_as_far_as_it_goes(name: str, frame: Frame):
    """As on a larger picture, cut off at the edge, but for a few pixels there that OpenCV smooths otherwise."""
    around = replace(frame, x=frame.x + 400, y=frame.y + 400)
    whole = drawn(name, around, (1200, 1200))[400:800, 400:800]
    assert (np.abs(drawn(name, frame) - whole) > 2).sum() < 20


@every
def test_a_face_without_extent_breaks_nothing(name: str):
    canvas = np.zeros((50, 50, 3), np.uint8)
    apply(name, canvas, np.full((15, 2), 25.0), FACE15)
    assert np.abs(np.argwhere(canvas.any(axis=2)) - 25).max(initial=0) <= 2


@every
def test_68_points_place_it_as_their_fifteen_do(name: str):
    points = np.zeros((68, 2))
    for point, value in zip(FACE15.points, SHAPE, strict=True):
        points[list(SHARED[point])] = value
    for corner in (
        "left_eye_inner_corner",
        "left_eye_outer_corner",
        "right_eye_inner_corner",
        "right_eye_outer_corner",
    ):
        points[list(SHARED[corner])] = SHAPE[FACE15.points.index(corner.rsplit("_", 2)[0] + "_center")]
    one, other = (np.full((300, 300, 3), GROUND, np.uint8) for _ in range(2))
    apply(name, one, points * 2, FACE68)
    apply(name, other, SHAPE * 2, FACE15)
    np.testing.assert_array_equal(one, other)


def test_the_measure_of_a_turned_face_is_not_its_width_alone():
    points = dict(zip(FACE15.points, SHAPE, strict=True))
    front = on_eyes(points)
    narrow = {name: (point - 48) * (0.5, 1) + 48 for name, point in points.items()}
    assert 0.6 < np.hypot(*on_eyes(narrow).across) / np.hypot(*front.across) < 0.9


def test_a_drawing_shows_box_and_points_and_leaves_the_picture():
    shot = picture((120, 110, 40))
    before = shot.copy()
    faces = finder().find(cv2.cvtColor(shot, cv2.COLOR_BGR2GRAY))
    canvas = decorated(shot, faces, (), finder())
    np.testing.assert_array_equal(shot, before)
    x, y, width, _ = faces[0].box.astype(int).tolist()
    assert (canvas[y, x + width // 2] != shot[y, x + width // 2]).any()
    for px, py in np.rint(faces[0].reading.coords).astype(int):
        assert np.ptp(canvas[py, px]) > 40
