"""Where test pictures stand, on made passes over one picture order: identities alone, and faces with pictures."""

import time
from dataclasses import replace

import numpy as np
import pytest

from solution.data.placement import CONTINUES, INTERLEAVED, UNKNOWN, Placement
from solution.data.sequence import CONFIG, place_pictures, place_test
from solution.faces import FaceSet
from solution.keypoints import FACE15
from tests.passes import PERIOD, PICTURES, ROWS, dealt, passes

SEEDS = range(6)


def continued(seed: int) -> Placement:
    every = passes(seed)
    return place_pictures(every[:ROWS], every[ROWS:], 4)


def without(every: np.ndarray, held: np.ndarray) -> Placement:
    return place_pictures(every[~held], every[held], 4)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_continuation_is_placed_after_the_last_row(seed: int):
    found = continued(seed)
    assert found.relation == CONTINUES
    assert found.period == pytest.approx(PERIOD, rel=0.03)
    assert found.rate == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(found.places, ROWS + found.rate * np.arange(PICTURES))
    assert found.together >= CONFIG.continues
    assert found.concentration > 0.9 > 0.5 > found.chance
    assert abs(found.phase) < 20
    assert 0 < found.phase_error < 10
    assert found.error.shape == (PICTURES,)
    assert (found.error > abs(found.phase)).all()
    assert (found.error < PERIOD / 10).all()
    assert 0 < found.rate_error < 0.05
    assert (np.diff(found.error) > 0).all()
    start = found.error[0]
    np.testing.assert_allclose(found.error, np.hypot(start, found.rate_error * np.arange(PICTURES)))


@pytest.mark.parametrize("period", [200, 300, 500])
def test_a_continuation_is_found_whatever_the_period(period: int):
    every = passes(0, period=period)
    found = place_pictures(every[:ROWS], every[ROWS:], 4)
    assert found.relation == CONTINUES
    assert found.period == pytest.approx(period, rel=0.03)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_thinner_test_file_advances_more_rows_with_each_picture(seed: int):
    """The test file shows nine tenths of what follows, so it has to be read with a rate of 10 / 9."""
    every = passes(seed)
    shown = np.sort(np.random.default_rng(seed).permutation(PICTURES)[: PICTURES * 9 // 10])
    found = place_pictures(every[:ROWS], every[ROWS + shown], 4)
    assert found.relation == CONTINUES
    assert found.rate == pytest.approx(10 / 9, abs=0.04)
    assert rms(found.places - (ROWS + shown)) < 20
    assert rms(ROWS + np.arange(len(shown)) - (ROWS + shown)) > 30  # what a rate of 1 would give


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("start", [0, 700, 1500])
def test_a_block_from_before_the_last_row_is_unknown(seed: int, start: int):
    held = np.zeros(ROWS + PICTURES, bool)
    held[start : start + round(2.5 * PERIOD)] = True
    found = without(passes(seed), held)
    assert found.relation == UNKNOWN
    assert found.places is None
    assert found.error is None
    assert found.together < CONFIG.continues


def test_a_block_of_whole_passes_cannot_be_told_from_a_continuation():
    """Two passes with three after them: each distance stays a multiple of the period, the limit the module names."""
    held = np.zeros(ROWS + PICTURES, bool)
    held[-5 * PERIOD : -3 * PERIOD] = True
    assert without(passes(0), held).relation == CONTINUES


@pytest.mark.parametrize("seed", SEEDS)
def test_files_in_random_order_are_unknown(seed: int):
    rng, every = np.random.default_rng(seed), passes(seed)
    for train, test in (
        (every[:ROWS], rng.permutation(every[ROWS:])),
        (rng.permutation(every[:ROWS]), every[ROWS:]),
        np.split(rng.permutation(every), [ROWS]),
    ):
        found = place_pictures(train, test, 4)
        assert found.relation == UNKNOWN
        assert found.places is None


@pytest.mark.parametrize("seed", SEEDS)
def test_random_rows_are_placed_nearer_the_truth_than_by_rank(seed: int):
    held = dealt(seed)
    found = without(passes(seed), held)
    truth = np.searchsorted(np.flatnonzero(~held), np.flatnonzero(held)) - 0.5
    by_rank = (np.arange(PICTURES) + 0.5) / PICTURES * ROWS - 0.5
    assert found.relation == INTERLEAVED
    assert found.by_rank >= CONFIG.interleaved
    assert rms(found.places - truth) < 0.5 * rms(by_rank - truth)
    assert 0.5 < rms((found.places - truth) / found.error) < 2


def uneven(seed: int, more: float) -> np.ndarray:
    """Rows held out that are more frequent at either end of the file than in the middle, or the other way round."""
    place = np.arange(ROWS + PICTURES) / (ROWS + PICTURES)
    return np.random.default_rng(seed).random(len(place)) < 0.2 * (1 + more * np.cos(2 * np.pi * place))


def lacking(seed: int, rows: int) -> np.ndarray:
    """Rows held out at random, none of them from one stretch of the file."""
    held = np.random.default_rng(seed).random(ROWS + PICTURES) < 0.2
    held[1500 : 1500 + rows] = False
    return held


@pytest.mark.parametrize("held", [uneven(0, 0.45), uneven(2, 0.35), lacking(0, 600)], ids=["ends", "ends less", "gap"])
def test_ranks_that_name_the_wrong_pass_are_no_places(held: np.ndarray, request: pytest.FixtureRequest):
    """The concentration by rank says interleaved, but the pictures show no random sample."""
    seed = 2 if request.node.callspec.id == "ends less" else 0
    found = without(passes(seed), held)
    assert found.by_rank >= max(CONFIG.interleaved, found.chance)
    assert found.misfit > 5 * CONFIG.misfit
    assert (found.relation, found.places, found.error) == (UNKNOWN, None, None)


@pytest.mark.parametrize("seed", [2, 7])
def test_a_sample_so_small_that_ranks_may_be_a_pass_off_is_unknown(seed: int):
    held = np.zeros(ROWS + PICTURES, bool)
    held[np.random.default_rng(seed).permutation(len(held))[: PICTURES // 5]] = True
    found = without(passes(seed), held)
    assert found.by_rank >= CONFIG.interleaved
    assert found.relation == UNKNOWN


@pytest.mark.parametrize("seed", SEEDS)
def test_random_rows_fit_as_a_random_sample_does(seed: int):
    assert without(passes(seed), dealt(seed)).misfit < 0.6 * CONFIG.misfit


@pytest.mark.parametrize("seed", [0, 2])
def test_a_long_training_file_does_not_outvote_the_pairs_across_the_files(seed: int):
    """Thousands of pairs within the training file, all a multiple of the period apart, and a random sample of it."""
    every = passes(seed, rows=5000, period=200, repeated=0.4)
    found = without(every, np.random.default_rng(seed).random(5000) < 0.05)
    assert found.together > CONFIG.continues
    assert found.relation != CONTINUES


def test_a_known_place_has_an_error():
    """Where all pictures across the files are in the first eighth of the test file, or agree on no phase."""
    every, rng = passes(0), np.random.default_rng(0)
    test = every.max() + 1 + np.arange(PICTURES)
    first, scattered = test.copy(), test.copy()
    first[: PICTURES // 8] = every[ROWS : ROWS + PICTURES // 8]
    scattered[rng.permutation(PICTURES)[:30]] = rng.permutation(every[:ROWS])[:30]
    for shown in (first, scattered):
        found = place_pictures(every[:ROWS], shown, 4)
        assert found.relation == CONTINUES or shown is scattered
        assert (found.error is None) == (found.places is None)
        assert found.error is None or np.isfinite(found.error).all()


def test_the_error_is_larger_where_no_identical_picture_is_near():
    """Identical pictures in the second half of the test file only."""
    every, held = passes(0).copy(), dealt(0)
    rows = np.flatnonzero(held)[: PICTURES // 2]
    every[rows] = every.max() + 1 + np.arange(len(rows))
    found = without(every, held)
    assert found.relation == INTERLEAVED
    assert found.error[100:275].min() > 1.5 * found.error[475:650].max()


def test_files_without_an_identical_picture_are_unknown():
    every = np.arange(ROWS + PICTURES)
    found = place_pictures(every[:ROWS], every[ROWS:], 4)
    assert (found.relation, found.pictures, found.pairs) == (UNKNOWN, 0, (0, 0, 0))
    assert np.isnan([found.period, found.rate, found.concentration, found.phase]).all()
    assert found.places is None
    assert "4-keypoint test pictures: place unknown (0 of them are identical" in found.describe()


@pytest.mark.parametrize("kept", ["within", "across"])
def test_too_few_identical_pictures_are_unknown(kept: str):
    """Of a true continuation, with fewer pairs than are needed within the training file or across the files."""
    every = passes(0).copy()
    twice = np.flatnonzero(np.bincount(every)[every] > 1)
    for rows in (twice[twice >= ROWS], twice[twice < ROWS]):
        if (kept == "within") == (rows[0] >= ROWS):
            every[rows] = every.max() + 1 + np.arange(len(rows))
    if kept == "across":  # the test file repeats some rows that no other row repeats, too few to be sure
        every[ROWS : ROWS + CONFIG.fewest - 1] = every[: CONFIG.fewest - 1]
    found = place_pictures(every[:ROWS], every[ROWS:], 4)
    assert found.relation == UNKNOWN
    assert min(found.pairs[:2]) < CONFIG.fewest
    assert "place unknown" in found.describe()


@pytest.mark.parametrize(("rows", "pictures"), [(0, 0), (0, 50), (50, 0), (1, 1), (2, 1)])
def test_files_of_hardly_a_row_are_unknown(rows: int, pictures: int):
    found = place_pictures(np.zeros(rows, int), np.zeros(pictures, int), 15)
    assert found.relation == UNKNOWN
    assert found.places is None


def test_near_copies_within_a_pass_do_not_count():
    every = np.repeat(np.arange(ROWS // 2), 2)  # each picture twice in a row
    found = place_pictures(every, np.arange(PICTURES), 4)
    assert found.pairs[0] == found.pairs[2] == 0
    assert found.relation == UNKNOWN
    apart = np.concatenate([np.arange(CONFIG.nearest), np.arange(CONFIG.nearest)])
    assert place_pictures(apart, apart[:0], 4).pairs[0] == CONFIG.nearest


def test_the_same_files_give_the_same_places():
    one, other = continued(1), continued(1)
    assert one.describe() == other.describe()
    np.testing.assert_array_equal(one.places, other.places)


def test_the_sentence_has_the_evidence():
    found = continued(0)
    assert found.describe() == (
        f"4-keypoint test pictures: continue the training rows ({found.pictures} identical to training pictures; "
        f"period {found.period:.0f} rows; concentration {found.concentration:.2f} after the last row, "
        f"{found.by_rank:.2f} by rank, {found.chance:.2f} by chance; phase at the boundary {found.phase:+.0f} ± "
        f"{found.phase_error:.0f} rows)"
    )
    assert "interleaved with the training rows" in without(passes(0), dealt(0)).describe()
    unknown = place_pictures(passes(0)[:ROWS], np.random.default_rng(0).permutation(passes(0)[ROWS:]), 4)
    assert "place unknown in the training rows" in unknown.describe()
    assert "nan" not in unknown.describe()


def faces_of(identities: np.ndarray, subset: np.ndarray, seed: int) -> FaceSet:
    """Faces whose pictures, 4 by 4, are equal where the identities are; random labels."""
    images = np.zeros((len(identities), 16), np.uint8)
    images[:, :4] = identities.astype(">u4")[:, None].view(np.uint8).reshape(-1, 4)
    coords = np.random.default_rng(seed).uniform(0, 95, (len(identities), FACE15.size, 2)).astype(np.float32)
    return FaceSet(np.arange(len(identities)), images.reshape(-1, 4, 4), coords, FACE15, subset.astype(np.int8))


@pytest.fixture(scope="module")
def files() -> tuple[FaceSet, FaceSet]:
    """A training and a test file: the 4-keypoint rows continue, and 15-keypoint rows that repeat nothing are among
    them.
    """
    every = passes(2)
    single = every.max() + 1 + np.arange(300)
    found = []
    for rows, others, seed in ((every[:ROWS], single[:200], 0), (every[ROWS:], single[200:], 1)):
        subset = np.full(len(rows) + len(others), 4)
        at = np.random.default_rng(seed).permutation(len(subset))[: len(others)]
        subset[at] = 15
        identities = np.empty(len(subset), int)
        identities[subset == 4], identities[subset == 15] = rows, others
        found.append(faces_of(identities, subset, seed))
    return found[0], found[1]


def test_each_subset_is_placed_among_its_own_rows(files: tuple[FaceSet, FaceSet]):
    found = place_test(*files)
    assert (found[15].relation, found[4].relation) == (UNKNOWN, CONTINUES)
    assert (found[15].subset, found[4].subset) == (15, 4)
    direct = continued(2)
    np.testing.assert_allclose(found[4].places, direct.places)
    assert found[4].describe() == direct.describe()


def test_labels_are_never_read(files: tuple[FaceSet, FaceSet]):
    train, test = files
    before = place_test(train, test)[4]
    for coords in (np.full_like(train.coords, np.nan), train.coords[::-1] + 3):
        after = place_test(replace(train, coords=coords), replace(test, coords=np.full_like(test.coords, np.nan)))[4]
        assert after.describe() == before.describe()
        np.testing.assert_array_equal(after.places, before.places)
        np.testing.assert_array_equal(after.error, before.error)


def test_it_takes_less_than_a_second():
    """Processor time, of 5,000 rows; another process on the machine does not count."""
    every = passes(0, rows=5000, period=440, repeated=0.2)
    place_pictures(every[:1000], every[1000:1300], 4)  # first calls load and compile
    held = np.zeros(5000, bool)
    held[np.random.default_rng(0).permutation(5000)[:1200]] = True
    for train, test in ((every[:3800], every[3800:]), (every[~held], every[held])):
        began = time.process_time()
        assert place_pictures(train, test, 4).relation != UNKNOWN
        assert time.process_time() - began < 1
