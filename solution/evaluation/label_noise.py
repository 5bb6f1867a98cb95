"""How much of the error is the labels' own noise, from identical pictures that were labelled more than once.

Duplicates are in one fold, so one network sees the same pixels: its error on a picture and on the duplicate is the
same. No network can learn how the labels of one picture differ. So the squared error of duplicates has two parts, as in
an analysis of variance. Duplicates are in different sections of the file. Residuals that contain the label drift give
the noise between sections. Residuals from which the drift is removed give the noise within a section.
"""

from dataclasses import dataclass

import numpy as np

from solution.evaluation.metrics import interval, resampled_ratios

FEWEST = 30  # pictures with duplicates; fewer give no estimate


@dataclass(frozen=True)
class Noise:
    """Error of the rows with duplicates, in pixels: rmse² = labels² + predictions²."""

    pictures: int
    """Different pictures that have duplicates."""

    rows: int
    """All rows of these pictures."""

    rmse: float
    labels: float
    """The labels' own part of the error."""

    interval: tuple[float, float]
    """95 % interval of `labels`."""

    predictions: float
    """The predictions' part of the error."""


@dataclass(frozen=True)
class SectionNoise:
    """The noise of one subset's labels, with the label drift and without it."""

    between: Noise
    """Between sections of the file: the drift is part of the noise."""

    within: Noise
    """Within a section, where the drift is known."""


def label_noise(residuals: np.ndarray, group: np.ndarray) -> Noise | None:
    """The noise from residuals (N, K, 2), NaN without a label, where rows of one group (N,) show one picture.

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
    twice = number > 1  # a cell with one label shows nothing of the label's noise
    apart = np.where(twice, squares - total**2 / np.maximum(number, 1), 0.0).sum(axis=1)
    free = np.where(twice, number - 1, 0).sum(axis=1)
    every, size = (np.where(twice, values, 0.0).sum(axis=1) for values in (squares, number))
    labels, whole = apart.sum() / free.sum(), every.sum() / size.sum()
    return Noise(
        pictures=count,
        rows=len(rows),
        rmse=float(np.sqrt(whole)),
        labels=float(np.sqrt(labels)),
        interval=interval(np.sqrt(resampled_ratios(apart, free, np.random.default_rng(0)))),
        predictions=float(np.sqrt(max(whole - labels, 0.0))),
    )


def _sums(values: np.ndarray, picture: np.ndarray, count: int) -> np.ndarray:
    """Values (R, C) summed over the rows of each picture, (P, C)."""
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, picture, values)
    return sums
