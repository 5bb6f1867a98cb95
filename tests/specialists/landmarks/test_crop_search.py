"""Crop search: which faces are searched for, which crops are accepted, and how crops are refined."""

from collections.abc import Sequence

import numpy as np
import pytest

from solution.data.crop import CENTRE, Frame
from solution.faces import FaceSet
from solution.keypoints import FACE15, SIZE
from solution.specialists.landmarks.crop_search import UNCROPPED, CropSearchConfig, refined_crop, search_crops

CONFIG = CropSearchConfig()
USUAL, HIGH = 2.0, 8.0
SHIFTS = (0, 1, -1)
READ = len(CONFIG.grid()) + CONFIG.refined


def faces(*places: tuple[int, int], subset: int | Sequence[int] = 4) -> FaceSet:
    """A picture a place (x, y), grey with a bright square of 5 pixels there."""
    images = np.full((len(places), 96, 96), 60, np.uint8)
    for image, (x, y) in zip(images, places, strict=True):
        image[y - 2 : y + 3, x - 2 : x + 3] = 255
    unknown = np.full((len(places), 15, 2), np.nan, np.float32)
    subsets = np.broadcast_to(np.array(subset, np.int8), len(places))
    return FaceSet(np.arange(len(places)), images, unknown, FACE15, subsets)


class Reader:
    """Finds the square, with the usual sigma in the middle of a picture only."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, Sequence[int]]] = []

    def __call__(self, faces: FaceSet, tta_shifts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        self.calls.append((len(faces), tta_shifts))
        coords = np.full((len(faces), 15, 2), np.nan, np.float32)
        sigma = np.full((len(faces), 15), np.nan, np.float32)
        for row, image in enumerate(faces.images.astype(float)):
            weight = np.clip(image - 120, 0, None)
            ys, xs = np.mgrid[:96, :96]
            at = np.array([(weight * xs).sum(), (weight * ys).sum()]) / max(weight.sum(), 1e-9)
            coords[row, [0, 1]] = at, at + np.array([10, 0])
            sigma[row, [0, 1]] = self.sigma(image, at) if weight.sum() else HIGH
        return coords, sigma

    def sigma(self, image: np.ndarray, at: np.ndarray) -> float:
        """The sigma of a picture's points when the square is at (x, y)."""
        return USUAL if np.abs(at - 47.5).max() < 24 else HIGH


def search(reader: Reader, pictures: FaceSet, factor: Sequence[float] | float = 1.0) -> tuple[np.ndarray, ...]:
    """Search, after the first reading's sigma is multiplied: coords, sigma and the replaced rows."""
    coords, sigma = reader(pictures, SHIFTS)
    sigma *= np.broadcast_to(factor, len(sigma))[:, None]
    reader.calls.clear()
    return coords, sigma, search_crops(reader, pictures, coords, sigma, SHIFTS, CONFIG)


def test_a_face_far_from_the_usual_place_is_found_in_another_crop():
    reader, pictures = Reader(), faces((40, 50), (50, 40), (89, 47), (45, 45), (30, 6))
    before = reader(pictures, SHIFTS)[0]
    coords, sigma, rows = search(reader, pictures)
    assert rows.tolist() == [2, 4]
    np.testing.assert_allclose(coords[[2, 4], 0], [[89, 47], [30, 6]], atol=0.3)
    for row in rows:  # as sure as usual, in a crop of one of the zooms or of its own points
        assert any(np.allclose(sigma[row, :2], USUAL / zoom) for zoom in (*(zoom for zoom, _ in CONFIG.zooms), 1.0))
    assert np.isnan(coords[:, 2:]).all()
    np.testing.assert_array_equal(coords[[0, 1, 3]], before[[0, 1, 3]])
    assert reader.calls == [(2, (0,))] * READ + [(2, SHIFTS)]


def test_a_face_that_no_crop_makes_surer_is_left_alone():
    class Blind(Reader):
        def sigma(self, image: np.ndarray, at: np.ndarray) -> float:
            return HIGH

    reader, pictures = Blind(), faces((40, 50), (50, 40), (45, 45))
    before = reader(pictures, SHIFTS)
    coords, sigma, rows = search(reader, pictures, [1, 10, 1])
    assert rows.tolist() == []
    np.testing.assert_array_equal(coords, before[0])
    np.testing.assert_array_equal(sigma[[0, 2]], before[1][[0, 2]])
    assert reader.calls == [(1, (0,))] * READ


@pytest.mark.parametrize(
    ("places", "subset", "factor"),
    [
        ([], 4, 1.0),
        ([(40, 50)], 4, 1.0),
        ([(40, 50), (50, 40)], 4, 1.0),
        ([(40, 50), (89, 47)], 4, np.nan),  # a network without sigma
        ([(40, 50), (50, 40), (45, 45), (40, 41)], [15, 15, 15, 4], [1, 1, 1, 3]),  # usual is what its subset has
    ],
)
def test_usual_faces_are_not_searched_for(places: list, subset: int | list[int], factor: float | list[float]):
    reader = Reader()
    assert search(reader, faces(*places, subset=subset), factor)[2].tolist() == []
    assert reader.calls == []


@pytest.mark.parametrize(("share", "searched"), [(0.97, False), (1.03, True)])
def test_a_face_is_searched_for_above_a_multiple_of_the_usual_sigma(share: float, searched: bool):
    reader = Reader()
    search(reader, faces((40, 50), (50, 40), (45, 45)), [1, CONFIG.low_confidence * share, 1])
    assert bool(reader.calls) == searched


@pytest.mark.parametrize(("share", "rows"), [(0.97, [1]), (1.03, [])])
def test_a_crop_is_accepted_below_a_share_of_the_whole_pictures_sigma(share: float, rows: list[int]):
    class Fixed(Reader):
        def sigma(self, image: np.ndarray, at: np.ndarray) -> float:
            uncropped = image[50, 89] == 255 and image[40, 40] == 60
            return HIGH if uncropped else CONFIG.accepted * HIGH * share

    pictures = faces((40, 50), (89, 50), (45, 45))
    reader = Fixed()
    first = reader(pictures, SHIFTS)[1][:, 0]
    assert search(reader, pictures, [USUAL / first[0], 1, USUAL / first[2]])[2].tolist() == rows


def test_a_face_between_the_grids_crops_is_found_by_refinement_alone():
    class Narrow(Reader):
        def sigma(self, image: np.ndarray, at: np.ndarray) -> float:
            return USUAL if np.abs(at - (45, 45)).max() < 1 else HIGH

    coords, sigma, rows = search(Narrow(), faces((45, 45), (45, 45), (45, 45), (81, 33)))
    assert rows.tolist() == [3]
    np.testing.assert_allclose(coords[3, 0], [81, 33], atol=0.3)
    np.testing.assert_allclose(sigma[3, :2], USUAL * np.hypot(*(coords[3, 1] - coords[3, 0])) / 10, rtol=0.01)


def test_points_without_extent_give_no_refined_crop():
    class OnePoint(Reader):
        def __call__(self, faces: FaceSet, tta_shifts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
            coords, sigma = super().__call__(faces, tta_shifts)
            coords[:, 1], sigma[:, 1] = np.nan, np.nan
            return coords, sigma

    coords, _, rows = search(OnePoint(), faces((40, 50), (50, 40), (89, 47), (45, 45)))
    assert rows.tolist() == [2]
    np.testing.assert_allclose(coords[2, 0], [89, 47], atol=0.3)


def test_the_whole_picture_is_in_the_grid():
    assert CONFIG.grid().count(UNCROPPED) == 1
    image = faces((20, 70)).images[0]
    np.testing.assert_array_equal(UNCROPPED.crop(image), image)


@pytest.mark.parametrize(
    ("turn", "zoom", "move", "refined"),
    [
        (0.0, 2.5, 2.0, True),
        (0.5, 1.2, 8.0, True),
        (1.2, 1.2, 8.0, False),
        (0.0, 1.0, 60.0, False),
        (0.0, 1.0, -60.0, False),
    ],
)
def test_a_refined_crop_has_the_usual_face_and_is_neither_upside_down_nor_outside(
    turn: float, zoom: float, move: float, refined: bool
):
    usual = np.array([[30.0, 40], [66, 40], [48, 60], [48, 75]])
    points = Frame(CENTRE + move, CENTRE, SIZE / zoom, turn).to_picture(usual)
    crop = refined_crop(points, usual, CONFIG)
    assert (crop != UNCROPPED) == refined
    if refined:
        np.testing.assert_allclose(crop.from_picture(points), usual, atol=1e-6)


def test_a_tiny_face_stays_in_the_middle_of_the_smallest_crop():
    usual = np.array([[20.0, 30], [60, 30], [40, 50]])
    points = (usual - usual.mean(axis=0)) / 10 + 70
    crop = refined_crop(points, usual, CONFIG)
    assert crop.side == CONFIG.sides[0]
    np.testing.assert_allclose(crop.from_picture(points).mean(axis=0), usual.mean(axis=0), atol=1e-6)
