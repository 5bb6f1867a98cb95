"""Many pictures, one after the other: what is wrong with one stops none of the others."""

import io
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np

from solution.data.images import SUFFIXES, read_picture
from solution.deploy.photo.filters import apply
from solution.deploy.photo.finder import Face, FaceFinder
from solution.deploy.photo.records import line_of, picture_record, write_records
from solution.keypoints import SIZE
from solution.report import drawing
from solution.runtime.artifacts import as_user_error, write_bytes
from solution.runtime.errors import UserError

WRONG, NO_FACE = 2, 3
"""Exit codes: a picture could not be read; every picture could, and none has a face."""

STDIN = "-"


@dataclass
class ImageRun:
    """What is done with each picture. out: where drawings and tables go, None for nowhere. as_json: a line a picture.

    filters: drawn on the faces in place of the points.
    """

    finder: FaceFinder
    out: Path | None
    as_json: bool = False
    filters: tuple[str, ...] = ()
    records: list[dict[str, Any]] = field(default_factory=list)
    wrong: int = 0
    taken: Counter[str] = field(default_factory=Counter)

    def run(self, given: Sequence[str], lines: TextIO | None = None) -> int:
        """Do all pictures named, in folders named, or listed on `lines` (stdin) for "-"; the exit code.

        UserError where `out` cannot be written to.
        """
        if self.out is not None:
            with as_user_error(self.out):
                self.out.mkdir(parents=True, exist_ok=True)
        for path in self._paths(given, lines or sys.stdin or io.StringIO()):
            try:
                self._one(path)
            except UserError as error:
                self._complain(error)
        if self.out is not None and self.records:
            write_records(self.out, self.records)
        if not (self.wrong or self.records):
            self._complain(UserError("expected pictures, got none: not a line on standard input names one"))
        if self.wrong:
            return WRONG
        return 0 if any(record["faces"] for record in self.records) else NO_FACE

    def _paths(self, given: Sequence[str], lines: TextIO) -> Iterator[Path]:
        for name in _named(given, lines):
            path = Path(name)
            try:
                yield from _held(path) if path.is_dir() else [path]
            except OSError as error:  # a name too long, a folder that may not be entered
                self._complain(UserError(f"{name}: expected a picture or a folder, got: {error.strerror}"))
            except UserError as error:
                self._complain(error)

    def _complain(self, error: UserError) -> None:
        self.wrong += 1
        print(f"error: {error}", file=sys.stderr)

    def _one(self, path: Path) -> None:
        picture = read_picture(path)
        if picture.note:
            print(f"note: {path}: {picture.note}", file=sys.stderr)
        faces = self.finder.find(picture.grey)
        height, width = picture.grey.shape
        record = picture_record(readable(path), width, height, faces, self.finder.landmarker.schema)
        self.records.append(record)
        if self.as_json:
            print(line_of(record), flush=True)
        said = _counted(len(faces)) if faces else "no face found"
        if self.out is not None:
            said += f", {self._write(path, picture.colour, faces)}"
        if not (faces and self.as_json):
            print(f"{path}: {said}", file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def _write(self, path: Path, colour: np.ndarray, faces: Sequence[Face]) -> Path:
        """The picture with its faces drawn in, beside those of the same name."""
        assert self.out is not None
        self.taken[path.stem] += 1
        count = self.taken[path.stem]
        target = self.out / f"{path.stem}-faces{'' if count == 1 else f'-{count}'}.jpg"
        done, data = cv2.imencode(".jpg", decorated(colour, faces, self.filters, self.finder))
        if not done:
            raise UserError(f"{path}: expected a picture that a JPEG can hold, got {colour.shape[1]}×{colour.shape[0]}")
        write_bytes(target, data.tobytes())
        return target


def decorated(colour: np.ndarray, faces: Sequence[Face], filters: Sequence[str], finder: FaceFinder) -> np.ndarray:
    """A copy of a picture (H, W, 3) with filters on its faces, or, without filters, their boxes and points."""
    canvas = colour.copy()
    for face in faces:
        reading = face.reading
        for name in filters:
            apply(name, canvas, reading.coords, finder.landmarker.schema)
        if not filters:
            drawing.mark_face(canvas, face.box, reading.coords, reading.sigma, reading.frame.side / SIZE)
    return canvas


def readable(path: Path) -> str:
    """A file's name as text: bytes that are none are written as \\xNN, so that tables can hold any name."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _held(folder: Path) -> list[Path]:
    """The pictures in a folder, by name; those in folders below are not. UserError where there is none."""
    try:
        held = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    except OSError as error:
        raise UserError(f"{folder}: expected a folder that can be read, got: {error.strerror}") from error
    if not held:
        raise UserError(f"{folder}: expected pictures in the folder, found none")
    return held


def _named(given: Sequence[str], lines: TextIO) -> Iterable[str]:
    for name in given:
        if name == STDIN:
            yield from (line.strip() for line in lines if line.strip())
        else:
            yield name


def _counted(faces: int) -> str:
    return "1 face" if faces == 1 else f"{faces} faces"
