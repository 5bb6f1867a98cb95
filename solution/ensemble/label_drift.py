"""How the labellers' habits drift along the file, and where that may be added to predictions.

Where exactly a labeller puts a point changes along the 4-keypoint rows: the bottom lip by up to 2 px in y. No picture
shows this; only a row's position does. The drift at a place is the mean residual (label minus prediction) of the
training rows around it.

A test picture has a known place only where the pictures themselves show it (data/sequence.py). Where they are
interleaved with the training rows, the drift is read off at their places. Where they continue the training file, what
the last rows show is carried on with a factor below 1 and an exponential decay. Where their place is unknown, nothing
is added. Either way it is added only if it wins in a validation that has the test's own shape: single random rows
placed among the others, or blocks that follow a stretch of rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypedDict

import numpy as np
from scipy.ndimage import gaussian_filter1d

from solution.data.sequence import CONTINUES, INTERLEAVED, Placement, place_pictures
from solution.evaluation.metrics import BOOTSTRAPS, SECTIONS, interval, resampled_means

CHUNK = 256  # places at once: 14,000 of them among 56,000 rows take 0.4 GiB of weights


@dataclass(frozen=True, kw_only=True)
class DriftConfig:
    """How drift is read and carried on. docs/experiments.md has what each value was chosen on."""

    clip: float = 4.0
    """px: a larger residual is a wrong label or a lost face, not a habit."""

    prior: float = 3.0
    """Rows' worth of "no drift": keeps a thinly labelled stretch from being believed."""

    near15: float = 40.0
    """Width of the Gaussian over rows whose places are known, 15-keypoint rows."""

    near4: float = 12.0
    """The same for 4-keypoint rows."""

    windows: tuple[int, ...] = (50, 100)
    """Last rows whose mean residual is carried on: the values that are tried."""

    factors: tuple[float, ...] = (0.3, 0.5, 0.7, 0.9)
    """Share of that mean which the next row keeps."""

    decays: tuple[float, ...] = (50.0, 100.0, 150.0, 200.0)
    """Rows after which a share of 1/e is left."""

    step: int = 50
    """Rows between the stretches on which what is carried on is judged."""

    fewest: int = 10
    """Stretches needed to learn what is carried on."""

    def near(self, subset: int) -> float:
        """The Gaussian's width of a subset, rows."""
        return self.near15 if subset == 15 else self.near4


CONFIG = DriftConfig()


@dataclass(frozen=True, kw_only=True, eq=False)
class DriftTrial:
    """What the drift of one subset is worth in a validation of the test's own shape, and what it adds to the test.

    All RMSE in pixels, over the rows whose labels are not far off.
    """

    relation: str
    """How the test pictures stand to the training rows, as in data/sequence.py."""

    plain: float = float("nan")
    """RMSE of the validated rows without drift."""

    drift: float = float("nan")
    """RMSE of the same rows with drift."""

    difference: tuple[float, float, float] = (float("nan"),) * 3
    """`drift` less `plain`, with its 95 % interval over sections of rows."""

    rows: int = 0
    """Rows validated; with a continuation a row counts once for each stretch that it is in."""

    carried: tuple[int, float, float] | None = None
    """Window (rows), factor and decay (rows) of what is carried on; None where the test does not continue."""

    oof: np.ndarray | None = None
    """(N, K, 2) drift of each training row from others, as the test gets it; None where a row has none of its own."""

    test: np.ndarray | None = None
    """(T, K, 2) drift of the test pictures, pixels; None where none can be had."""

    @property
    def used(self) -> bool:
        """Whether the validation supports adding it: better, and clear of chance."""
        return self.test is not None and self.difference[2] < 0


def try_drift(
    placement: Placement, residuals: np.ndarray, kept: np.ndarray, keys: np.ndarray, config: DriftConfig = CONFIG
) -> DriftTrial:
    """Judge the drift of one subset for a test file of this placement.

    residuals: (N, K, 2) label minus out-of-fold prediction of the subset's training rows, NaN without a label. kept:
    (N,) bool, rows whose labels are not far off. keys: (N,) int64, equal for identical pictures.
    """
    if placement.places is None or len(residuals) == 0:
        return DriftTrial(relation=placement.relation)
    if placement.relation == INTERLEAVED:
        return _interleaved(placement, residuals, kept, keys, config)
    assert placement.relation == CONTINUES
    return _continued(placement, residuals, kept, config)


def drift_at(
    places: np.ndarray, known: np.ndarray, residuals: np.ndarray, rows: float | np.ndarray, config: DriftConfig = CONFIG
) -> np.ndarray:
    """Drift at `places` (M,) from residuals (N, K, 2) at `known` places (N,), NaN where unlabelled.

    rows: the Gaussian's width in rows, one for all or one for each place, (M,). Returns (M, K, 2) pixels; 0 for points
    that are never labelled.
    """
    clipped, labelled = (part.reshape(len(known), -1) for part in _clipped(residuals, config))
    drift = np.zeros((len(places), clipped.shape[1]), np.float32)
    widths = np.broadcast_to(rows, len(places))
    for start in range(0, len(places), CHUNK):
        part = slice(start, start + CHUNK)
        steps = (places[part, None] - known) / widths[part, None]
        weights = np.exp(-(steps**2) / 2)
        drift[part] = (weights @ clipped) / (weights @ labelled + config.prior)
    return drift.reshape(len(places), *residuals.shape[1:])


def drift_without_own(
    known: np.ndarray, residuals: np.ndarray, rows: float, config: DriftConfig = CONFIG
) -> np.ndarray:
    """Drift at the rows themselves, each row's own residual left out. Shapes as in `drift_at`, (N, K, 2).

    Places are distinct whole numbers and the width is one: a filter along the file does it.
    """
    if len(known) == 0:
        return np.zeros(residuals.shape, np.float32)
    clipped, labelled = _clipped(residuals, config)
    at = known - known.min()
    grid = np.zeros((2, at.max() + 1, *residuals.shape[1:]))
    grid[0, at], grid[1, at] = clipped, labelled
    peak = rows * np.sqrt(2 * np.pi)  # the filter's kernel sums to 1: this makes its middle 1
    total, weight = gaussian_filter1d(grid, rows, axis=1, mode="constant")[:, at] * peak
    return ((total - clipped) / (weight - labelled + config.prior)).astype(np.float32)


def drift_of_training(rows: np.ndarray, residuals: np.ndarray, kept: np.ndarray, subset: int) -> np.ndarray:
    """Drift of one subset's training rows from their neighbours, each row's own residual left out: (N, K, 2) pixels.

    Training rows have known places. All 0 where it does not lower the squared error of the kept rows. rows: (N,) in the
    file, sorted. residuals (N, K, 2), kept (N,) as in `try_drift`.
    """
    drift = drift_without_own(rows, centred(residuals), CONFIG.near(subset))
    better = np.nansum((residuals - drift)[kept] ** 2) < np.nansum(residuals[kept] ** 2)
    return drift if better else np.zeros_like(drift)


def centred(residuals: np.ndarray, config: DriftConfig = CONFIG) -> np.ndarray:
    """Residuals (N, K, 2) clipped and less each point's mean: a constant is no drift, and a gross error none either."""
    clipped = np.clip(residuals, -config.clip, config.clip)
    labelled = (~np.isnan(clipped)).sum(axis=0)
    return clipped - np.nansum(clipped, axis=0) / np.maximum(labelled, 1)


def _interleaved(
    placement: Placement, residuals: np.ndarray, kept: np.ndarray, keys: np.ndarray, config: DriftConfig
) -> DriftTrial:
    """Single rows at random as test pictures, placed by rank and duplicates among the others, as the test's own are."""
    assert placement.places is not None
    count, width = len(residuals), config.near(placement.subset)
    known, oof = np.arange(count), np.zeros_like(residuals, dtype=np.float32)
    for held in _deals(count, len(placement.places), placement.subset):
        placed = place_pictures(keys[~held], keys[held], placement.subset)
        if placed.relation == INTERLEAVED:
            oof[held] = _at(placed, np.arange(int((~held).sum())), residuals[~held], width, config)
    plain, with_drift = (np.where(kept[:, None, None], residuals - shift, np.nan) ** 2 for shift in (0, oof))
    return DriftTrial(
        relation=INTERLEAVED,
        **_compared(with_drift, plain, placement.subset),
        rows=int(kept.sum()),
        oof=oof,
        test=_at(placement, known, residuals, width, config),
    )


def _at(placed: Placement, known: np.ndarray, residuals: np.ndarray, width: float, config: DriftConfig) -> np.ndarray:
    """The drift at a placement's places: the Gaussian is as wide as drift keeps and as the places are uncertain."""
    assert placed.places is not None
    assert placed.error is not None
    return drift_at(placed.places, known, centred(residuals, config), np.hypot(width, placed.error), config)


def _deals(rows: int, pictures: int, subset: int) -> Iterator[np.ndarray]:
    """Random shares of the rows, each as large as the test file's share of all, every row in one of them: (N,) bool."""
    shares = int(np.clip(round((rows + pictures) / max(pictures, 1)), 2, 10))
    deal = np.random.default_rng(subset).permutation(rows) % shares
    return (deal == one for one in range(shares))


def _continued(placement: Placement, residuals: np.ndarray, kept: np.ndarray, config: DriftConfig) -> DriftTrial:
    """Stretches as long as the test file, each after a row of the training file: what the rows before it carry on."""
    assert placement.places is not None
    distance = placement.places - len(residuals)
    stretches = list(_stretches(residuals, kept, max(1, round(float(distance.max()))), config))
    if len(stretches) < config.fewest:
        return DriftTrial(relation=CONTINUES)
    tried = list(product(config.windows, config.factors, config.decays))
    gains = np.array([[stretch.gain(*one) for one in tried] for stretch in stretches])  # (stretches, tried) px²
    cells = np.array([stretch.cells for stretch in stretches])
    squares = np.array([stretch.squares for stretch in stretches])
    learnt = np.array([_without(gains, stretches, i).argmin() for i in range(len(stretches))])
    gained = gains[np.arange(len(gains)), learnt]
    best = tried[gains.sum(axis=0).argmin()]
    carried = centred(residuals, config)[-best[0] :]
    shape = (1,) * (residuals.ndim - 1)
    return DriftTrial(
        relation=CONTINUES,
        **_compared_sums(gained, squares, cells, placement.subset, config),
        rows=int(sum(stretch.rows for stretch in stretches)),
        carried=best,
        test=(_kept_share(distance, *best[1:]).reshape(-1, *shape) * _mean(carried, config)).astype(np.float32),
    )


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Rows start to stop, which are judged, their residuals (stop - start, K, 2), NaN where they do not count, and the
    centred residuals (start, K, 2) of all rows before them.

    squares: sum of squared residuals, px²; cells: how many.
    """

    start: int
    stop: int
    before: np.ndarray
    residuals: np.ndarray
    squares: float
    cells: int
    config: DriftConfig

    @property
    def rows(self) -> int:
        return self.stop - self.start

    def gain(self, window: int, factor: float, decay: float) -> float:
        """Change of the sum of squares with what the last `window` rows before carry on, px²: below 0 is better."""
        share = _kept_share(np.arange(self.rows), factor, decay)[:, None, None]
        moved = self.residuals - share * _mean(self.before[-window:], self.config)
        return float(np.nansum(moved**2) - self.squares)


def _stretches(residuals: np.ndarray, kept: np.ndarray, length: int, config: DriftConfig) -> Iterator[_Stretch]:
    """A stretch of up to `length` rows after every `step` rows that have a window before them."""
    judged, shown = np.where(kept[:, None, None], residuals, np.nan), centred(residuals, config)
    for start in range(max(config.windows), len(residuals) - config.step, config.step):
        stop = min(start + length, len(residuals))
        held = judged[start:stop]
        squares, cells = float(np.nansum(held**2)), int((~np.isnan(held)).sum())
        if cells:
            yield _Stretch(start, stop, shown[:start], held, squares, cells, config)


def _without(gains: np.ndarray, stretches: list[_Stretch], judged: int) -> np.ndarray:
    """Sums of the gains over the stretches that share no row with the judged one, (tried,)."""
    one = stretches[judged]
    reach = 3 * max(one.config.decays) + max(one.config.windows)  # hardly anything is left of it further on
    apart = np.array([abs(other.start - one.start) > reach for other in stretches])
    return gains[apart].sum(axis=0)  # 0 for each that is tried where none is apart


def _mean(residuals: np.ndarray, config: DriftConfig) -> np.ndarray:
    """Mean of residuals (W, K, 2), pulled to 0 as if `prior` rows had none: (K, 2)."""
    return np.nansum(residuals, axis=0) / ((~np.isnan(residuals)).sum(axis=0) + config.prior)


def _kept_share(distance: np.ndarray, factor: float, decay: float) -> np.ndarray:
    """The share that is left so many rows after the last one."""
    return factor * np.exp(-distance / decay)


class _Judged(TypedDict):
    """What a validation found, as DriftTrial names it."""

    plain: float
    drift: float
    difference: tuple[float, float, float]


def _compared(ours: np.ndarray, theirs: np.ndarray, subset: int) -> _Judged:
    """RMSE and their difference from squared errors (N, K, 2), with its interval over sections of rows."""
    roots = [float(np.sqrt(np.nanmean(squared))) for squared in (ours, theirs)]
    draws = [np.sqrt(resampled_means(s, np.random.default_rng(0), SECTIONS[subset])) for s in (ours, theirs)]
    return {"drift": roots[0], "plain": roots[1], "difference": (roots[0] - roots[1], *interval(draws[0] - draws[1]))}


def _compared_sums(
    gained: np.ndarray, squares: np.ndarray, cells: np.ndarray, subset: int, config: DriftConfig
) -> _Judged:
    """The same from sums over stretches, each stretch one value: neighbouring stretches are resampled together."""
    plain = np.sqrt(squares.sum() / cells.sum())
    drift = np.sqrt((squares + gained).sum() / cells.sum())
    together = max(1, round(SECTIONS[subset] / config.step))
    rng = np.random.default_rng(0)
    starts = rng.integers(0, len(gained), (BOOTSTRAPS, -(-len(gained) // together)))
    drawn = (starts[..., None] + np.arange(together)).reshape(BOOTSTRAPS, -1)[:, : len(gained)] % len(gained)
    total = [values[drawn].sum(axis=1) for values in (squares, squares + gained, cells)]
    draws = np.sqrt(total[1] / total[2]) - np.sqrt(total[0] / total[2])
    return {"drift": float(drift), "plain": float(plain), "difference": (float(drift - plain), *interval(draws))}


def _clipped(residuals: np.ndarray, config: DriftConfig) -> tuple[np.ndarray, np.ndarray]:
    labelled = ~np.isnan(residuals)
    return np.clip(np.nan_to_num(residuals), -config.clip, config.clip), labelled.astype(float)
