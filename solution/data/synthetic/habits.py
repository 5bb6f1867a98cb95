"""The habits of those who label the 4-keypoint rows: how far they put each point from where it is.

Each pass has a labeller of its own. A habit stays the same through the pass, apart from a slow wave, and changes
abruptly where the next pass begins. The pass that the training file breaks off keeps its labeller in the test file; the
passes after it have new labellers, who labelled no training row.
"""

import numpy as np

from solution.data.synthetic.passes import Passes
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.slots import purpose_rng
from solution.keypoints import FACE4

HABIT_RMS = np.array([[0.3, 0.3], [0.3, 0.3], [0.3, 0.8], [0.3, 1.4]])
"""How far apart labellers are: a habit's rms for each point of FACE4's order, (x, y), pixels. (4, 2)."""

WAVE = 0.4
"""The rms of the wave within a pass, as a share of HABIT_RMS."""


def drift_at(settings: DrawnSettings, passes: Passes, places: np.ndarray) -> np.ndarray:
    """How far the 4-keypoint labels are moved at places (N,) of the common order: (N, 4, 2) pixels.

    A habit is uniform within ±√3 rms, so that six labellers already differ about as much as stated. The wave within a
    pass has one to two periods. A switch of convention comes on top.
    """
    number, share = passes.locate(places)
    draws = purpose_rng(settings.seed, "drift").uniform(0, 1, (passes.count, 3, FACE4.size, 2))
    habit, periods, phase = np.moveaxis(draws[number], 1, 0)
    wave = np.sin(2 * np.pi * ((1 + periods) * share[:, None, None] + phase))
    drift = settings.drift * HABIT_RMS * (np.sqrt(3) * (2 * habit - 1) + WAVE * np.sqrt(2) * wave)
    if settings.switch is not None:
        drift[places >= settings.switch * settings.train4, -1, 1] += settings.switch_step
    return drift
