"""Faces from one video frame to the next: each is looked for where its points were, the detector asked now and then.

The points are smoothed, so that they tremble less and still follow a face that moves.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from solution.deploy.photo.finder import Face, FaceFinder, same
from solution.keypoints import SIZE

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


EVERY = 12
"""Frames from one question to the detector to the next: a new face is seen within half a second."""

EMPTY = 3
"""The same while no face is followed."""


@dataclass(eq=False)
class _Track:
    """One followed face, its number, and its filter."""

    number: int
    face: Face
    smooth: OneEuro = field(default_factory=OneEuro)


@dataclass(frozen=True, eq=False)
class Tracked:
    """One face of a video frame. number: the same for one face as long as it is followed."""

    number: int
    face: Face


class Tracker:
    """Follows every face of a video."""

    def __init__(self, finder: FaceFinder) -> None:
        self.finder = finder
        self._tracks: list[_Track] = []
        self._frames = self._numbers = 0

    def step(self, grey: np.ndarray, seconds: float) -> list[Tracked]:
        """The faces of the next frame (H, W), `seconds` after the last; points smoothed."""
        self._follow(grey)
        if self._frames % (EVERY if self._tracks else EMPTY) == 0:
            self._look_around(grey)
        self._frames += 1
        return [Tracked(track.number, _smoothed(track, seconds)) for track in self._tracks]

    def _follow(self, grey: np.ndarray) -> None:
        """Read each face where it was; forget those that are no longer there, or ran into another."""
        landmarker = self.finder.landmarker
        frames = [landmarker.calibration.of_points(track.face.reading.coords) for track in self._tracks]
        kept: list[_Track] = []
        for track, frame, reading in zip(self._tracks, frames, landmarker.read(grey, frames, looks=1), strict=True):
            now = landmarker.calibration.of_points(reading.coords)
            alone = not any(same(now, landmarker.calibration.of_points(o.face.reading.coords)) for o in kept)
            if alone and self.finder.believable(replace(reading, frame=now), frame):
                moved = _moved(track.face.box, track.face.reading.coords, reading.coords)
                track.face = Face(moved, reading)
                kept.append(track)
        self._tracks = kept

    def _look_around(self, grey: np.ndarray) -> None:
        """Begin to follow the faces that the detector sees and that are not followed."""
        for face in self.finder.find(grey):
            if not any(same(face.reading.frame, track.face.reading.frame) for track in self._tracks):
                self._tracks.append(_Track(self._numbers, face))
                self._numbers += 1


def _smoothed(track: _Track, seconds: float) -> Face:
    reading = track.face.reading
    coords = track.smooth(reading.coords, seconds, reading.frame.side / SIZE)
    return replace(track.face, reading=replace(reading, coords=coords))


def _moved(box: np.ndarray, before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """A box (4,) that goes along with its points: shifted and sized as they are."""
    middle, size = (before.min(axis=0) + before.max(axis=0)) / 2, np.ptp(before, axis=0).max()
    grown = np.ptp(now, axis=0).max() / max(size, 1e-6)
    new_middle = (now.min(axis=0) + now.max(axis=0)) / 2
    corner = new_middle + (box[:2] - middle) * grown
    return np.concatenate([corner, box[2:] * grown])
