"""The order in which the 4-keypoint rows of both files are labelled: passes over the same pictures, with label drift.

A place is the number of a 4-keypoint row: the rows of the training file come first, and those of the test file follow.
Each pass goes over the same pictures in the same order, so the same part of any two passes shows the same pictures. The
training file ends within a pass, and the test file begins with the rest of it.

Each pass has a labeller with a label bias of its own. The bias is constant through the pass, apart from a slow wave,
and changes abruptly where the next pass begins. The pass in which the training file ends keeps its labeller in the test
file; the passes after it have new labellers, who labelled no training row.
"""

from dataclasses import dataclass

import numpy as np

from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.slots import purpose_rng
from solution.keypoints import FACE4

UNEVEN = 0.03  # largest deviation of a pass from the stated length, as a share of it

BIAS_RMS = np.array([[0.3, 0.3], [0.3, 0.3], [0.3, 0.8], [0.3, 1.4]])
"""(4, 2): rms of the labellers' biases for each point of FACE4 in x and y, pixels."""

WAVE = 0.4  # the rms of the wave within a pass, as a share of BIAS_RMS


@dataclass(frozen=True, eq=False)
class Passes:
    """Where each of P passes begins and ends, in places of the common order."""

    bounds: np.ndarray
    """(P + 1,): the first place of each pass, then the end of the last one, which may be beyond the test file."""

    train: int  # number of 4-keypoint training rows: the first place of the test file
    total: int  # number of 4-keypoint rows of both files

    @property
    def count(self) -> int:
        """Number of passes, P."""
        return len(self.bounds) - 1

    def locate(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each place (N,) its pass, counted from 0, and the share of the pass that is over there; (N,) each."""
        number = np.searchsorted(self.bounds, places, "right") - 1
        start, end = self.bounds[number], self.bounds[number + 1]
        return number, (places - start + 0.5) / (end - start)

    def place_at(self, number: np.ndarray, share: np.ndarray) -> np.ndarray:
        """The place (N,) where a share (N,) of a pass (N,) is over; always within the pass."""
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


def drift_at(settings: DrawnSettings, passes: Passes, places: np.ndarray) -> np.ndarray:
    """The drift of the 4-keypoint labels at places (N,) of the common order: (N, 4, 2) pixels.

    A bias is uniform within ±√3 rms, so that six labellers already differ about as much as stated. The wave within a
    pass has one to two periods. A switch of convention comes on top.
    """
    number, share = passes.locate(places)
    draws = purpose_rng(settings.seed, "drift").uniform(0, 1, (passes.count, 3, FACE4.size, 2))
    bias, periods, phase = np.moveaxis(draws[number], 1, 0)
    wave = np.sin(2 * np.pi * ((1 + periods) * share[:, None, None] + phase))
    drift = settings.drift * BIAS_RMS * (np.sqrt(3) * (2 * bias - 1) + WAVE * np.sqrt(2) * wave)
    if settings.switch is not None:
        drift[places >= settings.switch * settings.train4, -1, 1] += settings.switch_step
    return drift
