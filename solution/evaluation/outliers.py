"""Outliers: rows whose labels are far from the predictions. Each figure is given with them and without them."""

import numpy as np

OUTLIER = 10.0
"""px rms over a row's coordinates (14 px of distance). On real data the median row has under 1 px and the 99th
percentile under 3 px. Six rows are above the limit: five have wrong labels, and one is a face that no specialist can
read."""

USUAL = 4.0
"""An outlier also has this many times the median row's rms: barely trained specialists have large errors everywhere."""

OUTLIERS_IN_WORDS = f"at least {OUTLIER:.0f} px off, and {USUAL:.0f} times as far as the median row's"
"""How far an outlier's labels are from the predictions, in words."""


def is_outlier(coords: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rows whose labels are outliers of the out-of-fold predictions, both (N, 15, 2) in pixels: bool (N,)."""
    rms = row_rms(coords - labels, ~np.isnan(labels))
    return rms > outlier_threshold(rms)


def row_rms(residuals: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Each row's root mean square over its known cells, px: (N, 15, 2) and bool in, (N,) out.

    NaN for a row without a known cell, or with one whose residual is NaN.
    """
    squared = np.where(known, residuals**2, 0.0).sum(axis=(1, 2))
    count = known.sum(axis=(1, 2))
    return np.sqrt(np.where(count > 0, squared / np.maximum(count, 1), np.nan))


def outlier_threshold(rms: np.ndarray, least: float = OUTLIER) -> float:
    """The rms in pixels from which a row is an outlier: `least`, or more where the median of the rows (N,) is high."""
    judged = rms[~np.isnan(rms)]
    usual = np.median(judged) if judged.size else 0.0
    return float(max(least, USUAL * usual))
