"""The one order in which the 4-keypoint rows of both files are labelled, and its passes over the same pictures.

A place counts 4-keypoint rows: those of the training file come first, those of the test file continue them. Each pass
goes over the same pictures in the same order, so that one share of any two passes shows the same part of it. The
training file breaks off within a pass, and the test file begins with the rest of it.
"""

from dataclasses import dataclass

import numpy as np

from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.slots import purpose_rng

UNEVEN = 0.03
"""How much shorter or longer than stated a pass is at most, as a share of its length."""


@dataclass(frozen=True, eq=False)
class Passes:
    """Where each pass begins and ends, in places of the common order."""

    bounds: np.ndarray
    """The first place of each of P passes, then the end of the last, which may be beyond the test file's: (P + 1,)."""
    train: int
    """Number of 4-keypoint training rows: the first place of the test file."""
    total: int
    """Number of 4-keypoint rows of both files."""

    @property
    def count(self) -> int:
        """Number of passes, P."""
        return len(self.bounds) - 1

    def locate(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The pass of each place, (N,) whole numbers from 0, and the share of the pass that is over there, (N,)."""
        number = np.searchsorted(self.bounds, places, "right") - 1
        start, end = self.bounds[number], self.bounds[number + 1]
        return number, (places - start + 0.5) / (end - start)

    def place_at(self, number: np.ndarray, share: np.ndarray) -> np.ndarray:
        """The place where a share, (N,), of a pass, (N,), is over; within the pass for any share. (N,)."""
        start, end = self.bounds[number], self.bounds[number + 1]
        return np.clip(start + np.floor(share * (end - start)).astype(np.int64), start, end - 1)

    def first_rows(self) -> dict[str, list[int]]:
        """The first row of each pass that begins in a file, 0-based among the file's 4-keypoint rows."""
        starts = self.bounds[:-1]
        test = starts[(starts >= self.train) & (starts < self.total)] - self.train
        return {"training": starts[starts < self.train].tolist(), "test": test.tolist()}


def plan_passes(settings: DrawnSettings) -> Passes:
    """Passes of nearly equal length that cover the 4-keypoint rows of both files."""
    total = settings.train4 + settings.test4
    length = max(1.0, (settings.train4 or settings.test4) / settings.passes)
    shortest = max(1, int(length * (1 - UNEVEN)))
    factors = 1 + purpose_rng(settings.seed, "passes").uniform(-UNEVEN, UNEVEN, total // shortest + 1)
    ends = np.cumsum(np.maximum(1, np.rint(length * factors)).astype(np.int64))
    needed = int(np.searchsorted(ends, total)) + 1
    return Passes(np.concatenate([[0], ends[:needed]]), settings.train4, total)
