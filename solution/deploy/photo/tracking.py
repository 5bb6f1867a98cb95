"""Follows the faces of a video from frame to frame.

A face is read where its points were in the previous frame. The detector runs only in some of the frames. The points are
smoothed, so that they tremble less and still follow a face that moves.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from solution.deploy.photo.finder import Face, FaceFinder, is_same
from solution.keypoints import SIZE


@dataclass(frozen=True)
class TrackerConfig:
    """How faces are followed and smoothed."""

    cutoff: float = 1.2
    """Hz, for a face at rest. A lower value trembles less and lags more."""
    cutoff_by_speed: float = 0.12
    """Hz added for each crop pixel a second. A higher value lags less."""
    speed_cutoff: float = 1.0
    """Hz, for the speed itself."""
    detect_every: int = 12
    """Frames between two runs of the detector: a new face is seen within half a second."""
    detect_every_if_empty: int = 3
    """The same while no face is followed."""


CONFIG = TrackerConfig()


class OneEuro:
    """Smooths an array of coordinates: Casiez et al., "1 € Filter", CHI 2012."""

    def __init__(self) -> None:
        self._value: np.ndarray | None = None
        self._speed = np.zeros(1)

    def __call__(self, value: np.ndarray, seconds: float, pixel: float) -> np.ndarray:
        """The smoothed value. seconds: since the last value. pixel: size of a crop pixel in the value's pixels."""
        if self._value is None:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        speed = (value - self._value) / (seconds * pixel)
        self._speed = self._speed + _weight(CONFIG.speed_cutoff, seconds) * (speed - self._speed)
        # One cut-off for both axes of a point. A cut-off for each axis would bend the path.
        speeds = np.linalg.norm(self._speed, axis=-1, keepdims=True)
        cutoff = CONFIG.cutoff + CONFIG.cutoff_by_speed * speeds
        self._value = self._value + _weight(cutoff, seconds) * (value - self._value)
        return self._value


def _weight(cutoff: np.ndarray | float, seconds: float) -> np.ndarray | float:
    """The weight of a new value, by the cut-off in Hz."""
    turn = 2 * np.pi * cutoff * seconds
    return turn / (turn + 1)


@dataclass(eq=False)
class _Track:
    """A face that is followed, before smoothing."""

    number: int
    face: Face
    smooth: OneEuro = field(default_factory=OneEuro)


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """One face of a video frame."""

    number: int
    """The same for one face as long as it is followed."""
    face: Face


class Tracker:
    """Follows all faces of a video."""

    def __init__(self, finder: FaceFinder) -> None:
        self.finder = finder
        self._tracks: list[_Track] = []
        self._frames = self._numbers = 0

    def step(self, grey: np.ndarray, seconds: float) -> list[TrackedFace]:
        """The faces of the next frame (H, W), which is `seconds` after the last one. Their points are smoothed."""
        self._follow(grey)
        if self._frames % (CONFIG.detect_every if self._tracks else CONFIG.detect_every_if_empty) == 0:
            self._detect(grey)
        self._frames += 1
        return [TrackedFace(track.number, _smoothed(track, seconds)) for track in self._tracks]

    def _follow(self, grey: np.ndarray) -> None:
        """Read each face where it was. Drop faces that are gone or that have met another one."""
        landmarker = self.finder.landmarker
        calibration = landmarker.calibration
        frames = [calibration.of_points(track.face.reading.coords) for track in self._tracks]
        kept: list[_Track] = []
        for track, frame, reading in zip(self._tracks, frames, landmarker.read(grey, frames, reads=1), strict=True):
            now = calibration.of_points(reading.coords)
            met = any(is_same(now, calibration.of_points(other.face.reading.coords)) for other in kept)
            if not met and self.finder.is_face(replace(reading, frame=now), frame):
                track.face = Face(_moved(track.face.box, track.face.reading.coords, reading.coords), reading)
                kept.append(track)
        self._tracks = kept

    def _detect(self, grey: np.ndarray) -> None:
        """Start to follow the faces that the detector finds and that are not followed."""
        for face in self.finder.find(grey):
            if not any(is_same(face.reading.frame, track.face.reading.frame) for track in self._tracks):
                self._tracks.append(_Track(self._numbers, face))
                self._numbers += 1


def _smoothed(track: _Track, seconds: float) -> Face:
    reading = track.face.reading
    coords = track.smooth(reading.coords, seconds, reading.frame.side / SIZE)
    return replace(track.face, reading=replace(reading, coords=coords))


def _moved(box: np.ndarray, before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """A box (4,), moved and resized as its points (K, 2) moved and grew."""
    centre, size = (before.min(axis=0) + before.max(axis=0)) / 2, np.ptp(before, axis=0).max()
    growth = np.ptp(now, axis=0).max() / max(size, 1e-6)
    corner = (now.min(axis=0) + now.max(axis=0)) / 2 + (box[:2] - centre) * growth
    return np.concatenate([corner, box[2:] * growth])
