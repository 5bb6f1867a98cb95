"""What a network's spread means: fitted to its errors on faces that it has not seen."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from solution.photo.calibration import Calibration
from solution.photo.landmarker import Reading

WITHIN = 0.683
"""Share of the errors of an axis that shall lie within the standard deviation, as in a normal distribution."""

SURE = 0.99
"""Share of true faces whose doubt is below what `ROOM` enlarges to the limit."""

ROOM = 1.25


def fitted(calibration: Calibration, readings: Sequence[Reading], labels: np.ndarray) -> Calibration:
    """The calibration with sd and doubt fitted to readings of unseen faces and their labels (N, K, 2).

    The readings must come from this calibration with `sd` 1: so they are in the pictures' pixels as the errors are.
    """
    errors = np.abs(np.stack([reading.coords for reading in readings]) - labels)
    spread = np.stack([reading.sd for reading in readings])[..., None]
    sd = np.quantile(errors / spread, WITHIN, axis=(0, 2)).astype(np.float32)
    doubt = float(np.quantile([reading.doubt for reading in readings], SURE)) * ROOM
    return replace(calibration, sd=sd, doubt=doubt)
