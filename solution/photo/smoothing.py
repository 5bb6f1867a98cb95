"""Points that tremble less from frame to frame, and still follow a face that moves."""

import numpy as np

STILL = 1.2
"""Hertz: what a face at rest is smoothed by; lower trembles less and lags more."""

QUICK = 0.12
"""How much the cut-off rises with speed, per frame pixel a second: higher lags less."""

SPEED = 1.0
"""Hertz: what the speed itself is smoothed by."""


class OneEuro:
    """Casiez et al., "1 € Filter", CHI 2012, over an array of coordinates at once."""

    def __init__(self) -> None:
        self._value: np.ndarray | None = None
        self._speed = np.zeros(1)

    def __call__(self, value: np.ndarray, seconds: float, pixel: float) -> np.ndarray:
        """The smoothed value. seconds: since the last one. pixel: of the network's frame, in the value's pixels."""
        if self._value is None:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        speed = (value - self._value) / (seconds * pixel)
        self._speed = self._speed + _share(SPEED, seconds) * (speed - self._speed)
        # One cut-off a point, by how fast it moves whichever way: an axis of its own would bend the path.
        cut_off = STILL + QUICK * np.linalg.norm(self._speed, axis=-1, keepdims=True)
        self._value = self._value + _share(cut_off, seconds) * (value - self._value)
        return self._value


def _share(cut_off: np.ndarray | float, seconds: float) -> np.ndarray | float:
    """How much of a new value is taken, by the cut-off in Hertz."""
    turn = 2 * np.pi * cut_off * seconds
    return turn / (turn + 1)
