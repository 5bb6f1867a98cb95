"""Where the test pictures stand in the order of the training rows, from pictures that both files share.

The 4-keypoint rows are passes over one picture order: byte-identical pictures are a multiple of one period apart. So
the distances between identical pictures of the two files show where the test pictures stand. Three answers:

- interleaved: the test pictures are a sample of the same stretch of rows. Placed by rank, their distances to identical
  training pictures are multiples of the training file's period.
- continues: the test pictures follow the last training row. Placed after it, all distances, those within the training
  file too, are multiples of one period.
- unknown: neither holds, too few pictures are identical, or the identical pictures contradict their places.

Labels are never read. If a block of whole passes is cut out of the middle, every distance is still a multiple of the
period. So no picture can distinguish this case from a continuation.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from solution.data.folds import groups_of
from solution.data.placement import CONTINUES, INTERLEAVED, UNKNOWN, Placement
from solution.faces import FaceSet
from solution.keypoints import SUBSETS


@dataclass(frozen=True, kw_only=True)
class SequenceConfig:
    """What counts as evidence. The values are chosen on files cut from the competition's own rows at known places."""

    nearest: int = 50
    """Identical pictures fewer rows apart than this are near-copies within a pass and do not count."""

    fewest: int = 20
    """Pairs of identical pictures that either file needs: within the training file, and across the files."""

    continues: float = 0.88
    """Mean cosine over all pairs, with the test pictures after the last training row, from which they continue it.
    240 true continuations have 0.90 or more, 160 blocks of 810 or 1,192 rows from the middle 0.86 or less."""

    across: float = 0.7
    """Mean cosine of the pairs across the files alone, with the test pictures after the last training row, that a
    continuation needs: true ones have 0.90 or more. Without it the many pairs of a long training file outvote them."""

    interleaved: float = 0.45
    """Concentration by rank from which the files are samples of one stretch: 98 of 100 random samples have 0.53 or
    more, 200 files that are none 0.32 or less."""

    rates: tuple[float, float] = (0.7, 1.16)
    """Training rows that one test picture advances, lowest and highest that is tried."""

    shuffles: int = 5
    """Random orders of the test pictures that show which concentration chance reaches."""

    periods: int = 600
    """Periods that are tried, evenly spaced on a logarithmic scale."""

    misfit: float = 2.0
    """Highest `Placement.misfit` of interleaved files: random samples of 20 to 50 % of the rows have 0.4 to 1.3, and
    samples with wrong places mostly have 4 or more."""

    wandering: float = 0.28
    """Highest standard deviation of a random sample's rank from its place, in periods, at the middle of the file. A
    rank that is off by half a period or more names the wrong pass, and a smaller sample can be wrong throughout."""

    noise: float = 0.04
    """Standard deviation of an interleaved test picture's place as one identical picture shows it, in periods."""

    neighbours: float = 0.15
    """Width of the Gaussian over rows, in periods, within which passes keep their distance."""


CONFIG = SequenceConfig()


def place_test(train: FaceSet, test: FaceSet) -> dict[int, Placement]:
    """Where the test pictures of each subset stand."""
    group = groups_of(chain(train.images, test.images))
    labelled, asked = group[: len(train)], group[len(train) :]
    return {s: place_pictures(labelled[train.subset == s], asked[test.subset == s], s) for s in SUBSETS}


def place_pictures(train: np.ndarray, test: np.ndarray, subset: int, config: SequenceConfig = CONFIG) -> Placement:
    """Where pictures stand by their identities: train (N,) and test (T,) integers, equal for identical pictures."""
    pairs = _Pairs.of(train, test, config)
    found = Placement(subset=subset, relation=UNKNOWN, pictures=len(np.unique(pairs.test)), pairs=pairs.counts)
    if min(pairs.counts[:2]) < config.fewest:
        return found
    period = _period(pairs, config)
    if period is None:
        return found
    together, rate, fitted = _after_last(pairs, period, config)
    by_rank = _concentration(pairs.by_rank - pairs.row, period)
    phase = _phase(pairs, rate, fitted, config)
    rng = np.random.default_rng(subset)
    chance = max(_best_concentration(pairs.shuffled(rng), period, config) for _ in range(config.shuffles))
    concentration = _concentration(pairs.after_last(rate) - pairs.row, fitted)
    found = replace(found, rate=rate, concentration=concentration, by_rank=by_rank, chance=chance, together=together)
    found = replace(found, phase=phase.start, phase_error=phase.start_error, rate_error=phase.rate_error)
    across = _cosine(pairs.after_last(rate) - pairs.row, fitted)
    if together >= config.continues and together > by_rank and across >= config.across and phase.known:
        places = pairs.rows + rate * np.arange(pairs.pictures)
        error = _error_after_last(pairs, rate, fitted, phase)
        return replace(found, relation=CONTINUES, period=fitted, places=places, error=error)
    found = replace(found, period=period)
    if by_rank < max(config.interleaved, chance) or _wandering(pairs) > config.wandering * period:
        return found
    places, error, misfit = _among_rows(pairs, period, config)
    found = replace(found, misfit=misfit)
    if not misfit <= config.misfit:  # NaN where no pair shows it
        return found
    return replace(found, relation=INTERLEAVED, places=places, error=error)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of identical pictures of a training file with `rows` rows and a test file with `pictures` pictures.

    earlier, later: (A,) the rows of each pair within the training file. row, test: (B,) the training row and the test
    picture of each pair across the files. own: (C,) distances within the test file, pictures.
    """

    rows: int
    pictures: int
    earlier: np.ndarray
    later: np.ndarray
    row: np.ndarray
    test: np.ndarray
    own: np.ndarray

    @classmethod
    def of(cls, train: np.ndarray, test: np.ndarray, config: SequenceConfig) -> "_Pairs":
        across = _identical(test, train)
        (earlier, later), (first, second) = (_identical(keys, keys).T for keys in (train, test))
        apart = later - earlier >= config.nearest
        own = second - first
        rows, test_pictures = across[:, 1], across[:, 0]
        return cls(
            *(len(train), len(test), earlier[apart], later[apart], rows, test_pictures, own[own >= config.nearest])
        )

    @property
    def counts(self) -> tuple[int, int, int]:
        return len(self.within), len(self.row), len(self.own)

    @property
    def within(self) -> np.ndarray:
        """(A,) distances within the training file, rows."""
        return self.later - self.earlier

    @property
    def by_rank(self) -> np.ndarray:
        """(B,) places of the pairs' test pictures by rank."""
        return (self.test + 0.5) / self.pictures * self.rows - 0.5

    def after_last(self, rate: float) -> np.ndarray:
        """(B,) places of the pairs' test pictures after the last row."""
        return self.rows + rate * self.test

    def shuffled(self, rng: np.random.Generator) -> "_Pairs":
        """The same pairs with the test pictures in a random order."""
        order = rng.permutation(self.pictures)
        return replace(self, test=order[self.test])


def _identical(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pairs (i, j) with some[i] == others[j], (P, 2), in that order."""
    places = defaultdict(list)
    for j, key in enumerate(others.tolist()):
        places[key].append(j)
    pairs = [(i, j) for i, key in enumerate(some.tolist()) for j in places.get(key, ())]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _concentration(distances: np.ndarray, period: float) -> float:
    """Length of the mean of exp(2πi · distance / period), 0 to 1."""
    return float(abs(np.exp(2j * np.pi * distances / period).mean()))


def _cosine(distances: np.ndarray, period: float) -> float:
    """Mean of cos(2π · distance / period): 1 where all distances are multiples of the period."""
    return float(np.cos(2 * np.pi * distances / period).mean())


def _period(pairs: _Pairs, config: SequenceConfig) -> float | None:
    """The period of the training file's own pairs in rows; None where no period has its first multiple among them.

    Half of a true period fits all distances, too, but none is that short: the first multiple must have at least half of
    the pairs that it would have if all rows were paired equally.
    """
    best, found = 0.0, None
    for period in np.geomspace(1.2 * config.nearest, pairs.rows / 2, config.periods):
        multiples = np.maximum(pairs.rows - period * np.arange(1, pairs.rows / period + 1), 0)
        first = ((pairs.within > period / 2) & (pairs.within <= 1.5 * period)).mean()
        if first >= multiples[0] / multiples.sum() / 2:
            concentration = _concentration(pairs.within, period)
            if concentration > best:
                best, found = concentration, float(period)
    return found


def _rates(config: SequenceConfig) -> np.ndarray:
    return np.arange(*config.rates, 0.01)


def _after_last(pairs: _Pairs, period: float, config: SequenceConfig) -> tuple[float, float, float]:
    """Mean cosine over all pairs with the test pictures after the last row, with the rate and period that fit best."""
    best = (-1.0, 1.0, period)
    for tried in period * np.linspace(0.94, 1.06, 49):
        turn = 2 * np.pi / tried
        within = np.cos(turn * pairs.within).sum()
        for rate in _rates(config):
            across = np.cos(turn * (pairs.after_last(rate) - pairs.row)).sum()
            total = (within + across + np.cos(turn * rate * pairs.own).sum()) / sum(pairs.counts)
            best = max(best, (float(total), float(rate), float(tried)))
    return best


def _best_concentration(pairs: _Pairs, period: float, config: SequenceConfig) -> float:
    return max(_concentration(pairs.after_last(rate) - pairs.row, period) for rate in _rates(config))


def _remainder(distances: np.ndarray, period: float) -> np.ndarray:
    """How far distances exceed their nearest multiple of the period, rows, -period/2 to period/2."""
    return (distances + period / 2) % period - period / 2


@dataclass(frozen=True, kw_only=True)
class _Phase:
    """The line through the remainders of the distances after the last row; NaN where too few pairs have one.

    start: its value at the first test picture, rows. start_error: standard error of that. rate_error: of the rows that
    a test picture advances.
    """

    start: float = float("nan")
    start_error: float = float("nan")
    rate_error: float = float("nan")

    @property
    def known(self) -> bool:
        return not np.isnan(self.start)


def _phase(pairs: _Pairs, rate: float, period: float, config: SequenceConfig) -> _Phase:
    """The phase at the first test picture, and how well it and the rate are known."""
    remainder = _remainder(pairs.after_last(rate) - pairs.row, period)
    near = abs(remainder) < period / 4  # farther ones are identical by chance, not by the order
    if near.sum() < config.fewest // 2 or len(np.unique(pairs.test[near])) < config.fewest // 4:
        return _Phase()
    test, remainder = pairs.test[near], remainder[near]

    def line(kept: np.ndarray) -> np.ndarray:
        return np.polyfit(test[kept], remainder[kept], 1)[::-1]  # start, slope

    part = np.arange(len(test)) * 8 // len(test)  # pairs are in the test file's order
    left_out = np.array([line(part != one) for one in range(8)])
    start, slope = line(part >= 0)
    start_error, slope_error = np.sqrt((len(left_out) - 1) * left_out.var(axis=0))  # jackknife
    rate_error = np.sqrt(slope**2 + slope_error**2 + (rate * _uneven(pairs, period)) ** 2)
    return _Phase(start=float(start), start_error=float(start_error), rate_error=float(rate_error))


def _uneven(pairs: _Pairs, period: float) -> float:
    """Standard deviation of a pass's length, in periods, by the pairs that are one pass apart.

    Passes are a mean period long on the whole, and shorter or longer just after the last row.
    """
    one_pass = pairs.within[abs(pairs.within / period - 1) < 0.5]
    return _scatter(one_pass if len(one_pass) else pairs.within, period) / period


def _error_after_last(pairs: _Pairs, rate: float, period: float, phase: _Phase) -> np.ndarray:
    """Standard deviation (T,) of the places of test pictures after the last row, rows."""
    scatter = _scatter(pairs.after_last(rate) - pairs.row, period)
    return np.sqrt(scatter**2 + phase.start**2 + (phase.rate_error * np.arange(pairs.pictures)) ** 2)


def _scatter(distances: np.ndarray, period: float) -> float:
    """Standard deviation of the remainders, rows: of the half of the pairs that is nearest, so that chance pairs do not
    count."""
    return float(np.median(abs(_remainder(distances, period))) / 0.6745)


def _variance_by_rank(pairs: _Pairs) -> float:
    """Variance of a random sample's rank from its place, rows²: that of a Brownian bridge before its shape."""
    return pairs.rows**2 * (1 / pairs.pictures + 1 / pairs.rows)


def _wandering(pairs: _Pairs) -> float:
    """Standard deviation of a random sample's rank from its place at the middle of the file, rows."""
    return float(np.sqrt(_variance_by_rank(pairs)) / 2)


def _among_rows(pairs: _Pairs, period: float, config: SequenceConfig) -> tuple[np.ndarray, np.ndarray, float]:
    """Places of interleaved test pictures and their standard deviations, both (T,), rows; and the misfit.

    By rank, corrected by what the identical pictures show. Both files are samples of one sequence, so the difference of
    a place from its rank is a Brownian bridge; each identical picture measures it. The places are the posterior mean of
    that Gaussian process (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapter 2).

    A rank that is off by more than half a period names the wrong pass. What is measured then jumps by a period between
    neighbouring test pictures, which no bridge does: the misfit is large. A misfit above 1 widens the errors.
    """
    share = (np.arange(pairs.pictures) + 0.5) / pairs.pictures
    by_rank = share * pairs.rows - 0.5
    size = _variance_by_rank(pairs)
    distance = by_rank[pairs.test] - pairs.row
    kept = abs(distance) > period / 2
    test = pairs.test[kept]
    measured = (_local_distance(pairs, distance, period, config) - distance)[kept]
    noise = np.full(len(test), (config.noise * period) ** 2)

    def bridge(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return size * (np.minimum(a[:, None], b) - a[:, None] * b)

    cross = bridge(share, share[test])
    allowed = bridge(share[test], share[test]) + np.diag(noise)  # covariance of what is measured
    gain = np.linalg.solve(allowed, cross.T).T
    variance = size * share * (1 - share) - (gain * cross).sum(axis=1)
    misfit = float(measured @ np.linalg.solve(allowed, measured) / len(test)) if len(test) else float("nan")
    error = np.sqrt(np.maximum(variance, 1.0) * max(1.0, misfit))
    return by_rank + gain @ measured, error, misfit


def _local_distance(pairs: _Pairs, distance: np.ndarray, period: float, config: SequenceConfig) -> np.ndarray:
    """The true distance (B,) of each pair across the files, rows, near what it is by rank.

    Passes differ in length. So this is the distance of the pairs within the training file that span as many passes and
    stand near the same row; where there is none, that number of periods.
    """
    passes = np.round(distance / period)
    spanned = np.round(pairs.within / period)
    ends = np.where(passes[:, None] > 0, pairs.earlier, pairs.later)  # (B, A): the end that is the training row
    near = np.exp(-(((pairs.row[:, None] - ends) / (config.neighbours * period)) ** 2) / 2)
    weight = near * (abs(passes)[:, None] == spanned)
    total = weight @ pairs.within + abs(passes) * period * 0.2
    return np.sign(passes) * total / (weight.sum(axis=1) + 0.2)
