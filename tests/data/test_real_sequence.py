"""Where the test pictures of the competition's own files stand, and those of files cut from them at known places."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from solution.data.competition import Competition
from solution.data.folds import groups_of
from solution.data.placement import CONTINUES, INTERLEAVED, UNKNOWN
from solution.data.reader import read_competition
from solution.data.sequence import place_pictures
from tests.places import SHARED

SHARED = SHARED
TEST_FILES = ("test.zip", "IdLookupTable.csv", "SampleSubmission.csv")

pytestmark = pytest.mark.skipif(
    not (SHARED / "kaggle").is_dir() or not (SHARED / "fkd").is_dir(), reason="the real files are not in ../shared"
)


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory: pytest.TempPathFactory) -> Competition:
    """Labelled rows of the competition beside Kaggle's own test file."""
    folder = tmp_path_factory.mktemp("kaggle")
    (folder / "training.zip").symlink_to(SHARED / "fkd" / "training.zip")
    for name in TEST_FILES:
        (folder / name).symlink_to(SHARED / "kaggle" / name)
    return read_competition(folder, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def keys(kaggle: Competition) -> tuple[np.ndarray, np.ndarray]:
    """The 4-keypoint pictures of the training and the test file as integers, equal for identical pictures."""
    train, test = (faces.images[faces.subset == 4] for faces in (kaggle.train, kaggle.test))
    group = groups_of(np.concatenate([train, test]))
    return group[: len(train)], group[len(train) :]


def test_kaggles_test_file_continues_the_training_file(kaggle: Competition):
    found = kaggle.placement[4]
    assert (found.relation, found.pictures) == (CONTINUES, 250)
    assert found.period == pytest.approx(490, abs=10)
    assert found.concentration >= 0.9
    assert found.by_rank <= 0.15
    assert found.chance < 0.3
    assert 0.7 <= found.rate <= 0.85
    assert abs(found.phase) < 60
    assert found.places[0] == len(kaggle.train.ids[kaggle.train.subset == 4])
    assert kaggle.placement[15].relation == UNKNOWN


def test_rows_drawn_at_random_without_duplicates_across_are_unknown(tmp_path: Path):
    found = read_competition(SHARED / "fkd", tmp_path).placement
    assert {s: one.relation for s, one in found.items()} == {15: UNKNOWN, 4: UNKNOWN}
    assert found[4].pictures == 0


@pytest.mark.parametrize("size", [810, 1192])
def test_no_block_from_the_middle_continues(keys: tuple[np.ndarray, np.ndarray], size: int):
    train, _ = keys
    starts = np.random.default_rng(size).integers(150, len(train) - size - 150, 20)
    found = [
        place_pictures(np.delete(train, np.s_[start : start + size]), train[start : start + size], 4).relation
        for start in starts
    ]
    assert found == [UNKNOWN] * 20


def ends(train: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for row in np.linspace(1500, len(train) - 500, 10).astype(int):
        yield train[:row], train[row : row + 1192]


def test_training_files_cut_off_elsewhere_are_continued_by_the_next_rows(keys: tuple[np.ndarray, np.ndarray]):
    found = [place_pictures(before, after, 4) for before, after in ends(keys[0])]
    assert sum(one.relation == CONTINUES for one in found) >= 8


def test_the_places_of_a_continuation_are_off_by_what_their_error_says(keys: tuple[np.ndarray, np.ndarray]):
    """Near the boundary and far from it: passes differ in length, so a place is less certain after each."""
    off, stated = [], []
    for before, after in ends(keys[0]):
        found = place_pictures(before, after, 4)
        if found.relation == CONTINUES and len(after) > 1000:
            assert found.error is not None
            miss = found.places - (len(before) + np.arange(len(after)))
            off.append([np.mean(part**2) for part in np.array_split(miss, 3)])
            stated.append([np.mean(part**2) for part in np.array_split(found.error, 3)])
    ratio = np.sqrt(np.mean(off, axis=0) / np.mean(stated, axis=0))
    assert (ratio < 1.3).all(), ratio


def test_random_rows_are_interleaved_and_their_places_are_known(keys: tuple[np.ndarray, np.ndarray]):
    train, _ = keys
    misses, stated = [], []
    for seed in range(5):
        held = np.random.default_rng(seed).random(len(train)) < 0.2
        found = place_pictures(train[~held], train[held], 4)
        assert found.relation == INTERLEAVED
        truth = np.searchsorted(np.flatnonzero(~held), np.flatnonzero(held)) - 0.5
        misses.append(np.sqrt(((found.places - truth) ** 2).mean()))
        stated.append(np.sqrt((found.error**2).mean()))
    assert max(misses) < 15  # by rank up to 80
    assert np.mean(misses) == pytest.approx(np.mean(stated), rel=0.3)


def test_shuffled_files_are_unknown(keys: tuple[np.ndarray, np.ndarray]):
    train, test = keys
    rng = np.random.default_rng(0)
    orders = [
        (rng.permutation(train), test),
        (train, rng.permutation(test)),
        (rng.permutation(train), rng.permutation(test)),
    ]
    assert [place_pictures(*order, 4).relation for order in orders] == [UNKNOWN] * 3
