"""Label drift: how the labellers' bias changes along the file, and where it may be added to predictions.

The exact position of the labels changes along the 4-keypoint rows, by up to 2 px for the bottom lip in y. No picture
shows this change. Only a row's place in the file shows it. The drift at a place is the mean residual (label minus
prediction) of the training rows around it.

A test picture has a known place only where the pictures themselves show it (data/sequence.py). Where test pictures are
interleaved with the training rows, the drift is read at their places. Where they continue the training file, the drift
of the last rows is extrapolated, with a factor below 1 and an exponential decay. Where their place is unknown, nothing
is added. The drift is added only if it lowers the error in a validation on rows that are cut like the test file: single
random rows among the others, or blocks that follow a stretch of rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypedDict

import numpy as np
from scipy.ndimage import gaussian_filter1d

from solution.data.placement import CONTINUES, INTERLEAVED, Placement
from solution.data.sequence import place_pictures
from solution.ensemble.config import CONFIG, DriftConfig
from solution.evaluation.metrics import SECTIONS, interval, resampled_means, resampled_ratios

CHUNK = 256  # places at once: 14,000 of them among 56,000 rows take 0.4 GiB of weights


@dataclass(frozen=True, kw_only=True, eq=False)
class DriftTrial:
    """The validation of one subset's drift on rows cut like the test file, and the drift. RMSE in px, no outliers."""

    relation: str  # how the test pictures stand to the training rows, as in data/placement.py
    plain: float = float("nan")  # RMSE of the validated rows without drift
    drift: float = float("nan")  # RMSE of the same rows with drift
    difference: tuple[float, float, float] = (float("nan"),) * 3
    """`drift` minus `plain`, and the ends of its 95 % interval over sections of rows."""

    rows: int = 0  # validated rows; with a continuation a row counts once for each stretch that it is in
    carried: tuple[int, float, float] | None = None
    """Window (rows), factor and decay (rows) of the extrapolation; None where the test does not continue."""

    oof: np.ndarray | None = None
    """(N, K, 2) px, drift of each training row from other rows, as the test gets it; None where the test continues."""

    test: np.ndarray | None = None  # (T, K, 2) px, drift of the test pictures; None where it cannot be read

    @property
    def used(self) -> bool:
        """Whether the drift is added: the whole interval of the difference is below 0."""
        return self.test is not None and self.difference[2] < 0


def try_drift(
    placement: Placement, residuals: np.ndarray, kept: np.ndarray, keys: np.ndarray, config: DriftConfig = CONFIG.drift
) -> DriftTrial:
    """Validate the drift of one subset for a test file of this placement.

    residuals: (N, K, 2) px, label minus out-of-fold prediction of the subset's training rows, NaN without a label.
    kept: (N,) bool, rows without outliers. keys: (N,) int64, equal for identical pictures.
    """
    if placement.places is None or len(residuals) == 0:
        return DriftTrial(relation=placement.relation)
    if placement.relation == INTERLEAVED:
        return _interleaved(placement, residuals, kept, keys, config)
    assert placement.relation == CONTINUES
    return _continued(placement, residuals, kept, config)


def drift_at(
    places: np.ndarray,
    known: np.ndarray,
    residuals: np.ndarray,
    rows: float | np.ndarray,
    config: DriftConfig = CONFIG.drift,
) -> np.ndarray:
    """Drift (M, K, 2) in pixels at `places` (M,), from residuals (N, K, 2) at `known` places (N,).

    rows: the Gaussian's standard deviation in rows, one for all places or (M,). A point without labels has drift 0.
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
    known: np.ndarray, residuals: np.ndarray, rows: float, config: DriftConfig = CONFIG.drift
) -> np.ndarray:
    """Drift (N, K, 2) at the rows themselves, each row's own residual left out. Arguments as in `drift_at`.

    Places are distinct whole numbers and the Gaussian is the same for all, so a filter along the file computes it.
    """
    if len(known) == 0:
        return np.zeros(residuals.shape, np.float32)
    clipped, labelled = _clipped(residuals, config)
    at = known - known.min()
    grid = np.zeros((2, at.max() + 1, *residuals.shape[1:]))
    grid[0, at], grid[1, at] = clipped, labelled
    peak = rows * np.sqrt(2 * np.pi)  # the filter's kernel sums to 1; this makes its middle 1
    total, weight = gaussian_filter1d(grid, rows, axis=1, mode="constant")[:, at] * peak
    return ((total - clipped) / (weight - labelled + config.prior)).astype(np.float32)


def drift_of_training(
    rows: np.ndarray, residuals: np.ndarray, kept: np.ndarray, subset: int, config: DriftConfig = CONFIG.drift
) -> np.ndarray:
    """Drift of one subset's training rows from their neighbours, each row's own residual left out: (N, K, 2) pixels.

    It is 0 everywhere where it does not lower the squared error of the kept rows. rows: (N,) sorted places in the file.
    residuals (N, K, 2) and kept (N,) as in `try_drift`.
    """
    drift = drift_without_own(rows, centred(residuals, config), config.near(subset), config)
    better = np.nansum((residuals - drift)[kept] ** 2) < np.nansum(residuals[kept] ** 2)
    return drift if better else np.zeros_like(drift)


def centred(residuals: np.ndarray, config: DriftConfig = CONFIG.drift) -> np.ndarray:
    """Residuals (N, K, 2), clipped, minus each point's mean: neither a constant nor a gross error is drift."""
    clipped = np.clip(residuals, -config.clip, config.clip)
    labelled = (~np.isnan(clipped)).sum(axis=0)
    return clipped - np.nansum(clipped, axis=0) / np.maximum(labelled, 1)


def _interleaved(
    placement: Placement, residuals: np.ndarray, kept: np.ndarray, keys: np.ndarray, config: DriftConfig
) -> DriftTrial:
    """Validate on random single rows, which are placed among the others as the test pictures are."""
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
    """The drift at a placement's places. The uncertainty of the places widens the Gaussian."""
    assert placed.places is not None
    assert placed.error is not None
    return drift_at(placed.places, known, centred(residuals, config), np.hypot(width, placed.error), config)


def _deals(rows: int, pictures: int, subset: int) -> Iterator[np.ndarray]:
    """Random parts of the rows, (N,) bool, each row in one part. A part is as large as the test file's share of all."""
    shares = int(np.clip(round((rows + pictures) / max(pictures, 1)), 2, 10))
    deal = np.random.default_rng(subset).permutation(rows) % shares
    return (deal == part for part in range(shares))


def _continued(placement: Placement, residuals: np.ndarray, kept: np.ndarray, config: DriftConfig) -> DriftTrial:
    """Validate on stretches as long as the test file, predicted from the training rows before each."""
    assert placement.places is not None
    distance = placement.places - len(residuals)
    length = max(1, round(float(distance.max())))
    validated, shown = np.where(kept[:, None, None], residuals, np.nan), centred(residuals, config)
    starts = range(max(config.windows), len(residuals) - config.step, config.step)
    stretches = {start: validated[start : start + length] for start in starts}
    stretches = {start: rows for start, rows in stretches.items() if not np.isnan(rows).all()}
    if len(stretches) < config.fewest:
        return DriftTrial(relation=CONTINUES)
    tried = list(product(config.windows, config.factors, config.decays))
    squares = np.array([float(np.nansum(rows**2)) for rows in stretches.values()])
    cells = np.array([int((~np.isnan(rows)).sum()) for rows in stretches.values()])
    moved = [
        [_moved_squares(rows, shown[:start], *values, config) for values in tried] for start, rows in stretches.items()
    ]
    gains = np.array(moved) - squares[:, None]  # (stretches, tried) px²; below 0 is better
    # Each stretch uses the values that are best on the stretches with which it shares no row.
    reach = 3 * max(config.decays) + max(config.windows)  # beyond, the extrapolation is nearly 0
    apart = np.abs(np.subtract.outer(list(stretches), list(stretches))) > reach
    chosen = np.array([gains[others].sum(axis=0).argmin() for others in apart])
    window, factor, decay = best = tried[gains.sum(axis=0).argmin()]
    share = _kept_share(distance, factor, decay).reshape(-1, *(1,) * (residuals.ndim - 1))
    return DriftTrial(
        relation=CONTINUES,
        **_compared_sums(gains[np.arange(len(gains)), chosen], squares, cells, placement.subset, config),
        rows=sum(map(len, stretches.values())),
        carried=best,
        test=(share * _mean(shown[-window:], config)).astype(np.float32),
    )


def _moved_squares(
    rows: np.ndarray, before: np.ndarray, window: int, factor: float, decay: float, config: DriftConfig
) -> float:
    """Sum of squares of a stretch (R, K, 2) after subtraction of what the rows before it extrapolate, px²."""
    share = _kept_share(np.arange(len(rows)), factor, decay)[:, None, None]
    return float(np.nansum((rows - share * _mean(before[-window:], config)) ** 2))


def _mean(residuals: np.ndarray, config: DriftConfig) -> np.ndarray:
    """Mean of residuals (W, K, 2), pulled to 0 as if `prior` rows had none: (K, 2)."""
    return np.nansum(residuals, axis=0) / ((~np.isnan(residuals)).sum(axis=0) + config.prior)


def _kept_share(distance: np.ndarray, factor: float, decay: float) -> np.ndarray:
    """The share of the mean that is left at this distance (rows) after the last row."""
    return factor * np.exp(-distance / decay)


class _Validated(TypedDict):
    """The figures of a validation, by DriftTrial's names."""

    plain: float
    drift: float
    difference: tuple[float, float, float]


def _compared(with_drift: np.ndarray, plain: np.ndarray, subset: int) -> _Validated:
    """The figures from squared errors (N, K, 2) with drift and without it."""
    roots = [float(np.sqrt(np.nanmean(squared))) for squared in (with_drift, plain)]
    draws = [np.sqrt(resampled_means(s, np.random.default_rng(0), SECTIONS[subset])) for s in (with_drift, plain)]
    return {"drift": roots[0], "plain": roots[1], "difference": (roots[0] - roots[1], *interval(draws[0] - draws[1]))}


def _compared_sums(
    gained: np.ndarray, squares: np.ndarray, cells: np.ndarray, subset: int, config: DriftConfig
) -> _Validated:
    """The same from sums over stretches, (stretches,) each. Neighbouring stretches are resampled together."""
    plain = np.sqrt(squares.sum() / cells.sum())
    drift = np.sqrt((squares + gained).sum() / cells.sum())
    together = max(1, round(SECTIONS[subset] / config.step))
    draws = [
        np.sqrt(resampled_ratios(sums, cells, np.random.default_rng(0), together, fewest=1))
        for sums in (squares + gained, squares)
    ]
    return {
        "drift": float(drift),
        "plain": float(plain),
        "difference": (float(drift - plain), *interval(draws[0] - draws[1])),
    }


def _clipped(residuals: np.ndarray, config: DriftConfig) -> tuple[np.ndarray, np.ndarray]:
    labelled = ~np.isnan(residuals)
    return np.clip(np.nan_to_num(residuals), -config.clip, config.clip), labelled.astype(float)
