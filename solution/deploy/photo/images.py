"""Finds the faces of many pictures. An error in one picture does not stop the others."""

import csv
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np

from solution.data.images import SUFFIXES, read_picture
from solution.deploy.photo.filters import apply
from solution.deploy.photo.finder import Face, FaceFinder
from solution.keypoints import SIZE, Schema
from solution.report import drawing
from solution.runtime.artifacts import as_user_error, atomic, write_bytes, write_text
from solution.runtime.errors import UserError

WRONG, NO_FACE = 2, 3
"""Exit codes: a picture could not be read; all could be read, and none has a face."""

STDIN = "-"
COLUMNS = ("file", "face", "box_x", "box_y", "box_width", "box_height", "point", "x", "y", "sigma")


@dataclass
class ImageRun:
    """One call of the command `photo`."""

    finder: FaceFinder
    out: Path | None
    """Folder for pictures and tables. None: nothing is written."""
    as_json: bool = False
    """Print one line of JSON for each picture."""
    filters: tuple[str, ...] = ()
    """Drawn on the faces instead of the points."""
    records: list[dict[str, Any]] = field(default_factory=list)
    errors: int = 0
    written: Counter[str] = field(default_factory=Counter)
    """Number of pictures written, by the stem of their names."""

    def run(self, names: Sequence[str], lines: TextIO | None = None) -> int:
        """Read all pictures; the exit code. A name may be a folder, or "-" for names on `lines` (default: stdin).

        UserError if `out` cannot be written to.
        """
        if self.out is not None:
            with as_user_error(self.out):
                self.out.mkdir(parents=True, exist_ok=True)
        for path in self._paths(names, lines or sys.stdin or io.StringIO()):
            try:
                self._read(path)
            except UserError as error:
                self._report(error)
        if self.out is not None and self.records:
            write_records(self.out, self.records)
        if not (self.errors or self.records):
            self._report(UserError("expected pictures, got none: no line on standard input has a name"))
        if self.errors:
            return WRONG
        return 0 if any(record["faces"] for record in self.records) else NO_FACE

    def _paths(self, names: Sequence[str], lines: TextIO) -> Iterator[Path]:
        listed = (line.strip() for name in names for line in (lines if name == STDIN else [name]))
        for name in filter(None, listed):
            path = Path(name)
            try:
                yield from _pictures_in(path) if path.is_dir() else [path]
            except OSError as error:  # a name that is too long, or a folder without permission
                self._report(UserError(f"{name}: expected a picture or a folder, got: {error.strerror}"))
            except UserError as error:
                self._report(error)

    def _report(self, error: UserError) -> None:
        self.errors += 1
        print(f"error: {error}", file=sys.stderr)

    def _read(self, path: Path) -> None:
        picture = read_picture(path)
        if picture.note:
            print(f"note: {path}: {picture.note}", file=sys.stderr)
        faces = self.finder.find(picture.grey)
        height, width = picture.grey.shape
        record = picture_record(readable(path), width, height, faces, self.finder.landmarker.schema)
        self.records.append(record)
        if self.as_json:
            print(line_of(record), flush=True)
        line = f"{len(faces)} face{'s' if len(faces) > 1 else ''}" if faces else "no face found"
        if self.out is not None:
            line += f", {self._write(path, picture.colour, faces)}"
        if not (faces and self.as_json):
            print(f"{path}: {line}", file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def _write(self, path: Path, colour: np.ndarray, faces: Sequence[Face]) -> Path:
        """Write the picture with its faces drawn. A number keeps pictures of the same name apart."""
        assert self.out is not None
        self.written[path.stem] += 1
        count = self.written[path.stem]
        target = self.out / f"{path.stem}-faces{'' if count == 1 else f'-{count}'}.jpg"
        done, data = cv2.imencode(".jpg", decorated(colour, faces, self.filters, self.finder))
        if not done:
            raise UserError(f"{path}: expected a picture that a JPEG can hold, got {colour.shape[1]}×{colour.shape[0]}")
        write_bytes(target, data.tobytes())
        return target


def decorated(colour: np.ndarray, faces: Sequence[Face], filters: Sequence[str], finder: FaceFinder) -> np.ndarray:
    """A copy of a picture (H, W, 3) with filters on its faces or, without filters, with their boxes and points."""
    canvas = colour.copy()
    for face in faces:
        reading = face.reading
        for name in filters:
            apply(name, canvas, reading.coords, finder.landmarker.schema)
        if not filters:
            drawing.mark_face(canvas, face.box, reading.coords, reading.sigma, reading.frame.side / SIZE)
    return canvas


def picture_record(name: str, width: int, height: int, faces: Sequence[Face], schema: Schema) -> dict[str, Any]:
    """A picture and its faces as JSON values."""
    return {"file": name, "width": width, "height": height, "faces": [_face_record(face, schema) for face in faces]}


def _face_record(face: Face, schema: Schema) -> dict[str, Any]:
    """A face's box [x, y, width, height] and each point's [x, y, standard deviation], in the picture's pixels."""
    values = np.column_stack([face.reading.coords, face.reading.sigma]).astype(float).tolist()  # (K, 3)
    points = {name: [round(x, 2) for x in row] for name, row in zip(schema.points, values, strict=True)}
    return {"box": [round(x, 1) for x in face.box.tolist()], "points": points}


def line_of(record: dict[str, Any]) -> str:
    """A record as one line of JSON."""
    return json.dumps(record, ensure_ascii=False)


def write_records(folder: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write faces.json, a list of the records, and faces.csv, one row for each point."""
    lines = ",\n".join(line_of(record) for record in records)
    write_text(folder / "faces.json", f"[\n{lines}\n]\n")
    with atomic(folder / "faces.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        for record in records:
            for number, face in enumerate(record["faces"]):
                for name, values in face["points"].items():
                    writer.writerow((record["file"], number, *face["box"], name, *values))


def readable(path: Path) -> str:
    """A file's name as text. Bytes that are no text are written as \\xNN, so that tables can hold any name."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder, by name, without subfolders. UserError if there is none."""
    try:
        pictures = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    except OSError as error:
        raise UserError(f"{folder}: expected a folder that can be read, got: {error.strerror}") from error
    if not pictures:
        raise UserError(f"{folder}: expected pictures in the folder, found none")
    return pictures
