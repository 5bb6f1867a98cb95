import numpy as np

from solution.deploy.photo.tracking import CONFIG, OneEuro, Tracker
from tests.deploy.photo.fakes import finder, grey, points_of

RATE = 30.0


def test_a_still_face_trembles_less():
    rng = np.random.default_rng(0)
    smooth = OneEuro()
    np.testing.assert_array_equal(OneEuro()(np.ones((15, 2)), 1 / RATE, 1.0), 1)  # the first value stays
    noisy = 100 + rng.normal(0, 1.0, (300, 15, 2))
    steady = np.stack([smooth(value, 1 / RATE, 1.0) for value in noisy])[60:]
    assert np.diff(steady, axis=0).std() < 0.35 * np.diff(noisy, axis=0).std()
    assert abs(steady.mean() - 100) < 0.1


def test_a_moving_face_is_followed():
    smooth, speed = OneEuro(), 60.0  # frame pixels a second: across the face in a second and a half
    values = np.arange(90)[:, None, None] * speed / RATE * np.array([1.0, 0.0]) + np.zeros((90, 15, 2))
    followed = np.stack([smooth(value, 1 / RATE, 1.0) for value in values])
    assert 0 <= (values - followed)[45:].max() < 4.0


def test_a_large_face_is_smoothed_as_a_small_one():
    rng = np.random.default_rng(0)
    noisy = rng.normal(0, 1.0, (50, 15, 2))
    small, large = OneEuro(), OneEuro()
    for value in noisy:
        np.testing.assert_allclose(large(value * 7, 1 / RATE, 7.0), small(value, 1 / RATE, 1.0) * 7)


def test_a_face_is_followed_with_few_questions_to_the_detector():
    tracker = Tracker(finder())
    count = 3 * CONFIG.detect_every
    for step in range(count):
        x, y = 60 + 3 * step, 100 + 10 * np.sin(step / 5)
        (found,) = tracker.step(grey((x, y, 22)), 1 / RATE)
        assert found.number == 0
        error = np.linalg.norm(found.face.reading.coords - points_of(x, y, 22), axis=1).max()
        assert error < 4, step
        middle = found.face.box[:2] + found.face.box[2:] / 2
        assert np.hypot(*(middle - (x, y))) < 3
    assert tracker.finder.detector.asked == count // CONFIG.detect_every


def test_a_face_that_comes_later_has_its_own_number():
    tracker = Tracker(finder())
    first, second = (70, 120, 22), (230, 100, 30)
    for _ in range(3):
        assert [one.number for one in tracker.step(grey(first), 1 / RATE)] == [0]
    for _ in range(CONFIG.detect_every):
        both = tracker.step(grey(first, second), 1 / RATE)
    assert [one.number for one in both] == [0, 1]
    np.testing.assert_allclose(both[1].face.reading.coords, points_of(*second), atol=1)


def test_a_face_that_goes_is_forgotten_and_found_again():
    tracker = Tracker(finder())
    disc = (100, 120, 25)
    assert len(tracker.step(grey(disc), 1 / RATE)) == 1
    for _ in range(5):
        assert tracker.step(grey(), 1 / RATE) == []
    for _ in range(CONFIG.detect_every_if_empty):
        found = tracker.step(grey(disc), 1 / RATE)
    assert [one.number for one in found] == [1]


def test_two_trackers_of_one_film_agree():
    first, second = Tracker(finder()), Tracker(finder())
    for _ in range(4):
        (face,), (other,) = (tracker.step(grey((100, 120, 25)), 1 / RATE) for tracker in (first, second))
        np.testing.assert_array_equal(face.face.reading.coords, other.face.reading.coords)
