"""Which labels are surely wrong, told from out-of-fold predictions."""

import numpy as np

ABSURD = 12.0
"""px rms over a row's labels. The median row errs by under 1 px and the 99th percentile by about 4 px: beyond 12 px it
is the label that is elsewhere (a collage, a swapped pair, another face), not the specialists."""

USUAL = 4.0
"""And this many times the median row: specialists that have hardly been trained err everywhere, and accuse nobody."""


def surely_wrong(coords: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rows whose labels lie absurdly far from the out-of-fold predictions (both (N, 15, 2)), bool (N,)."""
    known = ~np.isnan(labels)
    squared = np.where(known, (coords - labels) ** 2, 0.0)
    mean = squared.sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)
    judged = mean[known.any(axis=(1, 2)) & ~np.isnan(mean)]
    usual = np.median(judged) if judged.size else 0.0
    return mean > max(ABSURD**2, USUAL**2 * usual)
