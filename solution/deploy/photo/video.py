"""Videos and cameras: frames in, faces followed, frames out."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # one line of ours, not a page of a decoder's
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # nor one a frame that could not be written

import cv2
import numpy as np

from solution.deploy.photo.images import NO_FACE, WRONG, decorated
from solution.deploy.photo.records import line_of, picture_record
from solution.deploy.photo.tracking import Tracker
from solution.runtime.artifacts import atomic
from solution.runtime.errors import UserError

CODECS = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""What is written, by the ending of the file's name."""

USUAL = 30.0
"""Frames a second, where a camera or file does not say."""

MOST = 1000.0
"""Frames a second above which a file's own word is not believed: some give the clock of their container."""

SLACK = 0.02
"""Share of a file's frames that may be missing: some containers only estimate how many they hold."""

TELL = 5.0
"""Seconds from one line of progress to the next."""


@dataclass(frozen=True)
class Outcome:
    """frames: how many were read. expected: how many the file promised, 0 if nothing. seen: frames with a face."""

    frames: int
    expected: int
    seen: int
    seconds: float

    @property
    def speed(self) -> float:
        """Frames a second, reading, drawing and writing included."""
        return self.frames / max(self.seconds, 1e-9)


@dataclass(frozen=True)
class VideoRun:
    """What is done with a video. source: a file, or a camera's number. out: where the drawn one goes, None for nowhere.

    as_json: a line a frame. most: frames after which to stop, 0 for all.
    """

    source: str
    out: Path | None
    tracker: Tracker
    filters: tuple[str, ...] = ()
    as_json: bool = False
    most: int = 0

    def run(self) -> int:
        """Do it, say how fast; the exit code."""
        if self.out is not None and self.out.suffix.lower() not in CODECS:
            raise UserError(f"{self.out}: expected a name that ends in {', '.join(sorted(CODECS))}")
        capture = _open(self.source)
        try:
            outcome = self._whole(capture)
        finally:
            capture.release()
        return self._concluded(outcome)

    def _whole(self, capture: cv2.VideoCapture) -> Outcome:
        rate = capture.get(cv2.CAP_PROP_FPS)
        rate = rate if 0 < rate <= MOST else USUAL
        camera = self.source.isdecimal() and not Path(self.source).exists()
        expected = 0 if camera else max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        frames = seen = 0
        began = told = time.perf_counter()
        first = _next(capture)
        if first is None:
            raise UserError(f"{self.source}: expected a video with frames, got none. Is it whole?")
        with _writer(self.out, rate, first.shape[1], first.shape[0]) as write:
            try:
                for frame in _frames(capture, first, self.most):
                    seen += self._one(frame, frames, 1 / rate, write)
                    frames += 1
                    if time.perf_counter() - told > TELL:
                        told = time.perf_counter()
                        print(f"{frames} frames, {frames / (told - began):.1f} frames/s", file=sys.stderr)
            except KeyboardInterrupt:
                if not camera:  # a camera has no other end
                    raise
        return Outcome(frames, expected, seen, time.perf_counter() - began)

    def _one(self, frame: np.ndarray, number: int, seconds: float, write: Callable[[np.ndarray], None]) -> bool:
        """Follow, draw and write one frame; whether it has a face."""
        tracked = self.tracker.step(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), seconds)
        faces = [one.face for one in tracked]
        if self.out is not None:
            write(decorated(frame, faces, self.filters, self.tracker.finder))
        if self.as_json:
            height, width = frame.shape[:2]
            record = picture_record(self.source, width, height, faces, self.tracker.finder.landmarker.schema)
            for face, one in zip(record["faces"], tracked, strict=True):
                face["track"] = one.number
            print(line_of({**record, "frame": number}))
        return bool(faces)

    def _concluded(self, outcome: Outcome) -> int:
        said = f"{self.source}: {outcome.frames} frames, {outcome.seen} with a face, {outcome.speed:.1f} frames/s"
        print(
            f"{said}{f', written to {self.out}' if self.out else ''}", file=sys.stderr if self.as_json else sys.stdout
        )
        stopped = self.most and outcome.frames >= self.most
        if outcome.frames < outcome.expected * (1 - SLACK) - 1 and not stopped:
            print(
                f"error: {self.source}: expected {outcome.expected} frames, the file ends after {outcome.frames}. "
                "What there is has been done.",
                file=sys.stderr,
            )
            return WRONG
        if outcome.seen == 0:
            print(f"{self.source}: no face found", file=sys.stderr)
            return NO_FACE
        return 0


def _open(source: str) -> cv2.VideoCapture:
    """The file, or the camera of that number where no file is called so. UserError where there is none."""
    if Path(source).exists():
        capture = cv2.VideoCapture(source)
        wish = "a video that OpenCV can read"
    elif source.isdecimal():
        capture = cv2.VideoCapture(int(source))
        wish = "a camera of that number"
    else:
        raise UserError(f"{source}: expected a video file or a camera's number, found none")
    if not capture.isOpened():
        raise UserError(f"{source}: expected {wish}, got none. Is it whole, plugged in, and not in use?")
    return capture


def _next(capture: cv2.VideoCapture) -> np.ndarray | None:
    """The next frame (H, W, 3), or None at the end."""
    found, frame = capture.read()
    return frame if found else None


def _frames(capture: cv2.VideoCapture, first: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """All frames, each of the first one's size."""
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
    """Something that takes frames for a video file, which is in place once all have come."""
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
        if (whole := _count(temporary)) < count:  # OpenCV's writer tells nobody when a frame could not be written
            raise UserError(
                f"{out}: expected to write {count} frames there, {whole} can be read again. Is the disk full?"
            )


def _count(path: Path) -> int:
    """Frames that a video file really has, 0 where it cannot be opened."""
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.grab():
        count += 1
    capture.release()
    return count
