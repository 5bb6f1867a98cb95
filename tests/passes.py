"""Made passes over one picture order, as the 4-keypoint rows are: each picture an integer, equal where identical."""

from functools import lru_cache

import numpy as np

ROWS, PICTURES, PERIOD = 3000, 750, 400
"""Rows of a training file, pictures of a test file, and rows from one pass to the next."""


@lru_cache
def passes(seed: int, rows: int = ROWS + PICTURES, period: int = PERIOD, repeated: float = 0.25) -> np.ndarray:
    """Identities (rows,) of passes over one order of pictures. Each pass leaves out one place in ten, so that passes
    differ in length; at a share of the places it shows the very picture of other passes, else one of its own.
    """
    rng = np.random.default_rng(seed)
    places, present = round(period / 0.9), 0.9
    found: list[int] = []
    while len(found) < rows:
        shown = np.flatnonzero(rng.random(places) < present)
        own = places + len(found) + np.arange(len(shown))
        found += np.where(rng.random(len(shown)) < repeated, shown, own).tolist()
    return np.array(found[:rows])


def dealt(seed: int) -> np.ndarray:
    """Rows held out at random, bool."""
    held = np.zeros(ROWS + PICTURES, bool)
    held[np.random.default_rng(seed).permutation(len(held))[:PICTURES]] = True
    return held
