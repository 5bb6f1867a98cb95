"""Faces from one video frame to the next: each is looked for where its points were, the detector asked now and then."""

from dataclasses import dataclass, field, replace

import numpy as np

from solution.keypoints import SIZE
from solution.photo.finder import Face, FaceFinder, same
from solution.photo.smoothing import OneEuro

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
