"""How much of the error is the labels' own noise, from identical pictures that were labelled more than once.

Whatever a prediction gets wrong about a picture, it gets wrong about its duplicate: both are in one fold, so one
network sees the same pixels. What the labels of one picture differ by is no network's to learn. So the squared error of
duplicates has two parts, as in an analysis of variance. Duplicates are in different passes of the file: residuals
without the labels' drift give the noise between sections, residuals with the drift taken out the noise within one.
"""

from dataclasses import dataclass

import numpy as np

from solution.evaluation.metrics import BOOTSTRAPS

FEWEST = 30  # pictures with duplicates: of fewer nothing is said


@dataclass(frozen=True)
class Noise:
    """RMSE in px of the rows with duplicates, their labels' own part of it with its 95 % interval, and the
    predictions'.

    rmse² = labels² + predictions². pictures: different ones that have duplicates; rows: all of theirs.
    """

    pictures: int
    rows: int
    rmse: float
    labels: float
    interval: tuple[float, float]
    predictions: float


def label_noise(residuals: np.ndarray, group: np.ndarray) -> Noise | None:
    """What residuals (N, K, 2), NaN = no label, say where rows of one group (N,) show one picture.

    None with fewer than FEWEST such pictures.
    """
    sizes = np.bincount(group)
    rows = np.flatnonzero(sizes[group] > 1)
    _, picture = np.unique(group[rows], return_inverse=True)
    count = int(picture.max()) + 1 if len(rows) else 0
    if count < FEWEST:
        return None
    cells = residuals[rows].reshape(len(rows), -1)
    known = ~np.isnan(cells)
    number, total, squares = (
        _sums(np.where(known, values, 0.0), picture, count) for values in (np.ones_like(cells), cells, cells**2)
    )
    twice = number > 1  # a cell that is labelled once says nothing of its label's noise
    apart = np.where(twice, squares - total**2 / np.maximum(number, 1), 0.0).sum(axis=1)
    free = np.where(twice, number - 1, 0).sum(axis=1)
    every, size = (np.where(twice, values, 0.0).sum(axis=1) for values in (squares, number))
    rng = np.random.default_rng(0)
    draws = rng.integers(0, count, (BOOTSTRAPS, count))
    low, high = np.quantile(np.sqrt(apart[draws].sum(axis=1) / free[draws].sum(axis=1)), [0.025, 0.975])
    own, whole = apart.sum() / free.sum(), every.sum() / size.sum()
    left = float(np.sqrt(max(whole - own, 0.0)))
    return Noise(count, len(rows), float(np.sqrt(whole)), float(np.sqrt(own)), (float(low), float(high)), left)


def _sums(values: np.ndarray, picture: np.ndarray, count: int) -> np.ndarray:
    """Values (R, C) summed over the rows of each picture, (P, C)."""
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, picture, values)
    return sums
