"""Rows whose labels are far from the predictions, outliers: each figure is given with them and without."""

import numpy as np

OUTLIER = 10.0
"""px rms over a row's coordinates (14 px of distance). On real data the median row errs by under 1 px, the 99th
percentile by under 3 px. Of the six rows beyond, looked at, five have wrong labels, 11.5 px off or more in whatever
run, and one is a face that no specialist can read, 9 to 11 px off by the run. (The limit had been 12 px, beside one of
the wrong labels.)"""

USUAL = 4.0
"""And this many times the median row: specialists that have hardly been trained err everywhere, and accuse nobody."""

OUTLIERS_IN_WORDS = f"at least {OUTLIER:.0f} px off, and {USUAL:.0f} times as far as the median row's"
"""Where an outlier's labels lie, in words."""


def is_outlier(coords: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rows whose labels lie absurdly far from the out-of-fold predictions (both (N, 15, 2)), bool (N,)."""
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
    """The rms from which a row counts as far off, px, `least` or more, told from all rows' (N,), NaN = not judged."""
    judged = rms[~np.isnan(rms)]
    usual = np.median(judged) if judged.size else 0.0
    return float(max(least, USUAL * usual))
