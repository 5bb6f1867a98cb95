import numpy as np

from solution.keypoints import BEYOND_FOUR, FACE4, FACE15, IN_FOUR, mirror, subset_of


def test_partners_swap_left_and_right_and_keep_the_middle():
    for schema in (FACE15, FACE4):
        for point, partner in zip(schema.points, schema.mirror, strict=True):
            other = schema.points[partner]
            if "left" in point or "right" in point:
                assert other != point
                assert sorted(other.replace("left", "right")) == sorted(point.replace("left", "right"))
            else:
                assert other == point
        assert np.array_equal(schema.mirror[schema.mirror], np.arange(schema.size))


def test_columns_stand_as_in_the_competition():
    assert FACE15.columns[:3] == ("left_eye_center_x", "left_eye_center_y", "right_eye_center_x")
    assert len(FACE15.columns) == 30
    assert [FACE15.points[i] for i in IN_FOUR] == list(FACE4.points)
    assert sorted([*IN_FOUR, *BEYOND_FOUR]) == list(range(15))


def test_mirroring_moves_the_centre_nowhere_and_twice_is_nothing():
    coords = np.random.default_rng(0).uniform(0, 95, (3, 15, 2))
    coords[1, 4] = np.nan
    before = coords.copy()
    flipped = mirror(coords)
    np.testing.assert_array_equal(coords, before)
    np.testing.assert_allclose(mirror(flipped), coords)
    assert np.argwhere(np.isnan(flipped)).tolist() == [[1, FACE15.mirror[4], axis] for axis in (0, 1)]
    left, right = FACE15.points.index("left_eye_center"), FACE15.points.index("right_eye_center")
    np.testing.assert_allclose(flipped[:, right, 0], 95 - coords[:, left, 0])
    np.testing.assert_allclose(flipped[:, right, 1], coords[:, left, 1])
    np.testing.assert_allclose(mirror(np.full((1, 15, 2), 47.5))[..., 0], 47.5)


def test_mirrored_points_fit_the_mirrored_picture():
    image = np.zeros((96, 96), np.uint8)
    image[30, 20] = 255
    coords = np.full((1, 15, 2), np.nan)
    coords[0, FACE15.points.index("nose_tip")] = (20, 30)
    x, y = mirror(coords)[0, FACE15.points.index("nose_tip")].astype(int)
    assert image[:, ::-1][y, x] == 255


def test_a_row_with_any_point_beyond_the_four_is_a_15_keypoint_row():
    known = np.zeros((4, 15), bool)
    known[:, IN_FOUR[0]] = True
    known[1, IN_FOUR] = True
    known[2, BEYOND_FOUR[3]] = True
    known[3] = True
    assert subset_of(known).tolist() == [4, 4, 15, 15]
