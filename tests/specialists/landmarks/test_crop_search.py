from collections.abc import Sequence

import numpy as np
import pytest

from solution.data.crop import CENTRE, Frame
from solution.faces import FaceSet
from solution.keypoints import FACE15, SIZE
from solution.specialists.landmarks.crop_search import (
    FOLLOWED,
    FOUND,
    FRAMES,
    LOOKS,
    LOW_CONFIDENCE,
    SIDES,
    UNCROPPED,
    _framed_anew,
    search_crops,
)

USUAL, UNSURE = 2.0, 8.0
SHIFTS = (0, 1, -1)


def faces(*places: tuple[int, int]) -> FaceSet:
    """A picture a place (x, y), grey with a bright square of 5 pixels there."""
    images = np.full((len(places), 96, 96), 60, np.uint8)
    for image, (x, y) in zip(images, places, strict=True):
        image[y - 2 : y + 3, x - 2 : x + 3] = 255
    unknown = np.full((len(places), 15, 2), np.nan, np.float32)
    return FaceSet(np.arange(len(places)), images, unknown, FACE15, np.full(len(places), 4, np.int8))


class Reader:
    """Finds the square wherever it is; sure of it in the middle of a picture only, and nowhere when `blind`."""

    def __init__(self, blind: bool = False) -> None:
        self.blind = blind
        self.shown: list[tuple[int, Sequence[int]]] = []

    def __call__(self, faces: FaceSet, tta_shifts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        self.shown.append((len(faces), tta_shifts))
        coords = np.full((len(faces), 15, 2), np.nan, np.float32)
        sigma = np.full((len(faces), 15), np.nan, np.float32)
        for row, image in enumerate(faces.images.astype(float)):
            weight = np.clip(image - 120, 0, None)
            ys, xs = np.mgrid[:96, :96]
            at = np.array([(weight * xs).sum(), (weight * ys).sum()]) / max(weight.sum(), 1e-9)
            coords[row, [0, 1]] = at, at + np.array([10, 0])
            sure = not self.blind and weight.sum() > 0 and np.abs(at - 47.5).max() < 24
            sigma[row, [0, 1]] = USUAL if sure else UNSURE
        return coords, sigma


def read_both(reader: Reader, seen: FaceSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    coords, sigma = reader(seen, SHIFTS)
    reader.shown.clear()
    rows = search_crops(reader, seen, coords, sigma, SHIFTS)
    return coords, sigma, rows


def test_a_face_beyond_the_usual_place_is_found_in_another_frame():
    reader, seen = Reader(), faces((40, 50), (50, 40), (89, 47), (45, 45), (30, 6))
    before = reader(seen, SHIFTS)[0]
    coords, sigma, rows = read_both(reader, seen)
    assert rows.tolist() == [2, 4]
    np.testing.assert_allclose(coords[2, 0], [89, 47], atol=0.3)
    np.testing.assert_allclose(coords[4, 0], [30, 6], atol=0.3)
    for row in rows:  # as sure as usual, in a frame of one of the zooms or of its own points
        assert any(np.allclose(sigma[row, :2], USUAL / zoom) for zoom in (*(zoom for zoom, _ in LOOKS), 1.0))
    assert np.isnan(coords[:, 2:]).all()
    untouched = [0, 1, 3]
    np.testing.assert_array_equal(coords[untouched], before[untouched])
    assert reader.shown == [(2, (0,))] * (len(FRAMES) + FOLLOWED) + [(2, SHIFTS)]


def test_what_no_frame_makes_surer_stays_as_it_is():
    reader, seen = Reader(), faces((40, 50), (50, 40), (45, 45))
    coords, sigma = reader(seen, SHIFTS)
    sigma[1] *= 10
    blind = Reader(blind=True)
    before = coords.copy(), sigma.copy()
    assert search_crops(blind, seen, coords, sigma, SHIFTS).tolist() == []
    np.testing.assert_array_equal(coords, before[0])
    np.testing.assert_array_equal(sigma, before[1])
    assert blind.shown == [(1, (0,))] * (len(FRAMES) + FOLLOWED)


@pytest.mark.parametrize("places", [[], [(40, 50)], [(40, 50), (50, 40)]])
def test_usual_pictures_are_not_looked_at_again(places: list[tuple[int, int]]):
    reader = Reader()
    assert read_both(reader, faces(*places))[2].tolist() == []
    assert reader.shown == []


def test_a_network_without_a_spread_is_not_asked():
    reader, seen = Reader(), faces((40, 50), (89, 47))
    coords, sigma = reader(seen, SHIFTS)
    sigma[:] = np.nan
    reader.shown.clear()
    assert search_crops(reader, seen, coords, sigma, SHIFTS).tolist() == []
    assert reader.shown == []


def test_what_is_usual_is_told_by_each_subset_for_itself():
    reader, seen = Reader(), faces((40, 50), (50, 40), (45, 45), (40, 41))
    coords, sigma = reader(seen, SHIFTS)
    kinds = np.array([15, 15, 15, 4], np.int8)
    sigma[kinds == 4] *= 3  # three times the median of all four together
    reader.shown.clear()
    mixed = FaceSet(seen.ids, seen.images, seen.coords, seen.schema, kinds)
    assert search_crops(reader, mixed, coords, sigma, SHIFTS).tolist() == []
    assert reader.shown == []


class Told(Reader):
    """Gives spreads as told: for the picture as it is, and for every other frame."""

    def __init__(self, own: float, other: float) -> None:
        super().__init__()
        self.own, self.other = own, other

    def __call__(self, faces: FaceSet, tta_shifts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        coords, sigma = super().__call__(faces, tta_shifts)
        own = np.array([image[50, 89] == 255 and image[40, 40] == 60 for image in faces.images])
        sigma[:, :2] = np.where(own, self.own, self.other)[:, None]
        return coords, sigma


@pytest.mark.parametrize(("share", "asked"), [(0.97, False), (1.03, True)])
def test_a_face_is_lost_beyond_a_share_of_the_usual_spread(share: float, asked: bool):
    reader, seen = Reader(), faces((40, 50), (50, 40), (45, 45))
    coords, sigma = reader(seen, SHIFTS)
    sigma[1] *= LOW_CONFIDENCE * share
    reader.shown.clear()
    search_crops(reader, seen, coords, sigma, SHIFTS)
    assert bool(reader.shown) == asked


@pytest.mark.parametrize(("share", "rows"), [(0.97, [1]), (1.03, [])])
def test_a_face_is_found_below_a_share_of_its_own_spread(share: float, rows: list[int]):
    reader, seen = Told(own=UNSURE, other=FOUND * UNSURE * share), faces((40, 50), (89, 50), (45, 45))
    coords, sigma = reader(seen, SHIFTS)
    sigma[[0, 2]] = USUAL
    assert search_crops(reader, seen, coords, sigma, SHIFTS).tolist() == rows


def test_a_face_between_the_frames_is_found_by_its_own_points_alone():
    class Narrow(Reader):
        """Sure only where the square lies within a pixel of where the usual one does."""

        def __call__(self, faces: FaceSet, tta_shifts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
            coords, sigma = super().__call__(faces, tta_shifts)
            sure = np.abs(coords[:, 0] - (45, 45)).max(axis=1) < 1
            sigma[:, :2] = np.where(sure, USUAL, UNSURE)[:, None]
            return coords, sigma

    reader, seen = Narrow(), faces((45, 45), (45, 45), (45, 45), (81, 33))
    coords, sigma, rows = read_both(reader, seen)
    assert rows.tolist() == [3]
    np.testing.assert_allclose(coords[3, 0], [81, 33], atol=0.3)
    np.testing.assert_allclose(sigma[3, :2], USUAL * np.hypot(*(coords[3, 1] - coords[3, 0])) / 10, rtol=0.01)


def test_points_without_extent_give_no_new_frame():
    class OnePoint(Reader):
        def __call__(self, faces: FaceSet, tta_shifts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
            coords, sigma = super().__call__(faces, tta_shifts)
            coords[:, 1], sigma[:, 1] = np.nan, np.nan
            return coords, sigma

    coords, _, rows = read_both(OnePoint(), faces((40, 50), (50, 40), (89, 47), (45, 45)))
    assert rows.tolist() == [2]
    np.testing.assert_allclose(coords[2, 0], [89, 47], atol=0.3)


def test_a_face_framed_anew_lies_as_the_usual_one_does():
    usual = np.array([[30.0, 40.0], [60.0, 40.0], [45.0, 70.0]])
    far = usual * 0.4 + (50, 5)
    frame = _framed_anew(far, usual)
    np.testing.assert_allclose(frame.from_picture(far), usual, atol=1e-6)
    assert _framed_anew(usual * 0.01 + 50, usual).side == SIDES[0]


def test_the_picture_s_own_frame_is_one_of_them():
    assert FRAMES.count(UNCROPPED) == 1
    image = faces((20, 70)).images[0]
    np.testing.assert_array_equal(UNCROPPED.crop(image), image)


@pytest.mark.parametrize(
    ("turn", "zoom", "move", "taken"),
    [(0.5, 1.2, 8.0, True), (1.2, 1.2, 8.0, False), (0.0, 1.0, 60.0, False), (0.0, 1.0, -60.0, False)],
)
def test_a_frame_of_its_own_points_is_neither_upside_down_nor_out_of_the_picture(
    turn: float, zoom: float, move: float, taken: bool
):
    usual = np.array([[30.0, 40], [66, 40], [48, 60], [48, 75]])
    frame = Frame(CENTRE + move, CENTRE, SIZE / zoom, turn)
    found = _framed_anew(frame.to_picture(usual), usual)
    assert (found != UNCROPPED) == taken
    if taken:
        np.testing.assert_allclose(found.from_picture(frame.to_picture(usual)), usual, atol=1e-6)


def test_a_tiny_face_stays_in_the_middle_of_the_smallest_frame():
    usual = np.array([[20.0, 30], [60, 30], [40, 50]])
    points = (usual - usual.mean(axis=0)) / 10 + 70
    frame = _framed_anew(points, usual)
    assert frame.side == SIDES[0]
    np.testing.assert_allclose(frame.from_picture(points).mean(axis=0), usual.mean(axis=0), atol=1e-6)
