"""Follows the faces of a video or a camera, and writes the video with its faces drawn."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Before cv2 is imported: our one line about a broken file is enough, without those of the decoder.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

import cv2
import numpy as np

from solution.deploy.photo.images import NO_FACE, WRONG, decorated, line_of, picture_record
from solution.deploy.photo.tracking import Tracker
from solution.runtime.artifacts import atomic
from solution.runtime.errors import UserError

CODECS = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""The codec of a written video, by the suffix of its name."""

DEFAULT_RATE, LARGEST_RATE = 30.0, 1000.0
"""Frames a second: assumed if the source gives none, or more than the second number (the clock of its container)."""

MISSING = 0.02
"""Share of a file's frames that may be missing, since some containers only estimate their number."""

PROGRESS = 5.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True)
class Outcome:
    """What a run has read."""

    frames: int
    expected: int
    """Frames that the file announces, 0 if none."""
    with_face: int
    """Frames with a face."""
    seconds: float

    @property
    def speed(self) -> float:
        """Frames a second, with reading, drawing and writing."""
        return self.frames / max(self.seconds, 1e-9)


@dataclass(frozen=True)
class VideoRun:
    """One call of the command `video`."""

    source: str
    """A file, or the number of a camera."""
    out: Path | None
    """The video to write. None: nothing is written."""
    tracker: Tracker
    filters: tuple[str, ...] = ()
    """Drawn on the faces instead of the points."""
    as_json: bool = False
    """Print one line of JSON for each frame."""
    most: int = 0
    """Frames after which to stop, 0 for all."""

    def run(self) -> int:
        """Read the source to its end. Returns the exit code. UserError if it cannot be read, or `out` not written."""
        if self.out is not None and self.out.suffix.lower() not in CODECS:
            raise UserError(f"{self.out}: expected a name that ends in {', '.join(sorted(CODECS))}")
        capture = _open(self.source)
        try:
            outcome = self._read(capture)
        finally:
            capture.release()
        return self._conclude(outcome)

    def _read(self, capture: cv2.VideoCapture) -> Outcome:
        rate = capture.get(cv2.CAP_PROP_FPS)
        rate = rate if 0 < rate <= LARGEST_RATE else DEFAULT_RATE
        camera = self.source.isdecimal() and not Path(self.source).exists()
        expected = 0 if camera else max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        frames = with_face = 0
        began = reported = time.perf_counter()
        first = _next(capture)
        if first is None:
            raise UserError(f"{self.source}: expected a video with frames, got none. Is the file complete?")
        with _writer(self.out, rate, first.shape[1], first.shape[0]) as write:
            try:
                for frame in _frames(capture, first, self.most):
                    with_face += self._step(frame, frames, 1 / rate, write)
                    frames += 1
                    if time.perf_counter() - reported > PROGRESS:
                        reported = time.perf_counter()
                        print(f"{frames} frames, {frames / (reported - began):.1f} frames/s", file=sys.stderr)
            except KeyboardInterrupt:
                if not camera:  # Ctrl-C is the usual end for a camera
                    raise
        return Outcome(frames, expected, with_face, time.perf_counter() - began)

    def _step(self, frame: np.ndarray, number: int, seconds: float, write: Callable[[np.ndarray], None]) -> bool:
        """Follow, draw and write one frame. Returns whether it has a face."""
        tracked = self.tracker.step(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), seconds)
        faces = [track.face for track in tracked]
        if self.out is not None:
            write(decorated(frame, faces, self.filters, self.tracker.finder))
        if self.as_json:
            height, width = frame.shape[:2]
            record = picture_record(self.source, width, height, faces, self.tracker.finder.landmarker.schema)
            for face, track in zip(record["faces"], tracked, strict=True):
                face["track"] = track.number
            print(line_of({**record, "frame": number}))
        return bool(faces)

    def _conclude(self, outcome: Outcome) -> int:
        """Print what was read. Returns the exit code."""
        line = f"{self.source}: {outcome.frames} frames, {outcome.with_face} with a face, {outcome.speed:.1f} frames/s"
        written = f", written to {self.out}" if self.out else ""
        print(line + written, file=sys.stderr if self.as_json else sys.stdout)
        stopped = self.most and outcome.frames >= self.most
        if outcome.frames < outcome.expected * (1 - MISSING) - 1 and not stopped:
            print(
                f"error: {self.source}: expected {outcome.expected} frames, the file ends after {outcome.frames}. "
                "These frames are done.",
                file=sys.stderr,
            )
            return WRONG
        if outcome.with_face == 0:
            print(f"{self.source}: no face found", file=sys.stderr)
            return NO_FACE
        return 0


def _open(source: str) -> cv2.VideoCapture:
    """The file of this name or, if there is none, the camera of this number. UserError if it cannot be opened."""
    if Path(source).exists():
        capture = cv2.VideoCapture(source)
        expected = "a video that OpenCV can read"
    elif source.isdecimal():
        capture = cv2.VideoCapture(int(source))
        expected = "a camera of that number"
    else:
        raise UserError(f"{source}: expected a video file or the number of a camera, found none")
    if not capture.isOpened():
        raise UserError(f"{source}: expected {expected}, got none. Is it complete, connected, and not in use?")
    return capture


def _next(capture: cv2.VideoCapture) -> np.ndarray | None:
    """The next frame (H, W, 3), or None at the end."""
    more, frame = capture.read()
    return frame if more else None


def _frames(capture: cv2.VideoCapture, first: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """The frames, at most this many (0: all), each resized to the first one's size."""
    frame: np.ndarray | None = first
    number = 0
    while frame is not None:
        yield frame if frame.shape == first.shape else cv2.resize(frame, first.shape[1::-1])
        number += 1
        if most and number >= most:
            return
        frame = _next(capture)


@contextmanager
def _writer(out: Path | None, rate: float, width: int, height: int) -> Iterator[Callable[[np.ndarray], None]]:
    """A function that writes a frame into the video file. The file is in place when the block ends."""
    if out is None:
        yield lambda frame: None
        return
    with atomic(out) as temporary:
        code = cv2.VideoWriter.fourcc(*CODECS[out.suffix.lower()])
        video = cv2.VideoWriter(str(temporary), code, rate, (width, height))
        if not video.isOpened():
            raise UserError(f"{out}: expected to write a video of {width}×{height} pixels there, could not")
        count = 0

        def write(frame: np.ndarray) -> None:
            nonlocal count
            video.write(frame)
            count += 1

        try:
            yield write
        finally:
            video.release()
        if (readable := _count(temporary)) < count:  # OpenCV reports no error if it cannot write a frame
            raise UserError(
                f"{out}: expected to write {count} frames there, only {readable} can be read. Is the disk full?"
            )


def _count(path: Path) -> int:
    """The number of frames in a video file, 0 if it cannot be opened."""
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.grab():
        count += 1
    capture.release()
    return count
