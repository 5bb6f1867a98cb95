"""Faces as JSON values and CSV rows."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from solution.deploy.photo.finder import Face
from solution.keypoints import Schema
from solution.runtime.artifacts import atomic, write_text

COLUMNS = ("file", "face", "box_x", "box_y", "box_width", "box_height", "point", "x", "y", "sigma")
DIGITS = 2
"""Decimals of a pixel that are written."""


def face_record(face: Face, schema: Schema) -> dict[str, Any]:
    """One face: its box [x, y, w, h] and each point's [x, y, standard deviation], the picture's pixels."""
    reading = face.reading
    values = [(*coords.tolist(), float(sigma)) for coords, sigma in zip(reading.coords, reading.sigma, strict=True)]
    points = {
        name: [round(value, DIGITS) for value in triple] for name, triple in zip(schema.points, values, strict=True)
    }
    return {"box": [round(value, 1) for value in face.box.tolist()], "points": points}


def picture_record(name: str, width: int, height: int, faces: Sequence[Face], schema: Schema) -> dict[str, Any]:
    """One picture with its faces."""
    return {"file": name, "width": width, "height": height, "faces": [face_record(face, schema) for face in faces]}


def line_of(record: dict[str, Any]) -> str:
    """The record as one line of JSON."""
    return json.dumps(record, ensure_ascii=False)


def write_records(folder: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write faces.json, a list of the records, and faces.csv, a row a point."""
    lines = ",\n".join(line_of(record) for record in records)
    write_text(folder / "faces.json", f"[\n{lines}\n]\n")
    with atomic(folder / "faces.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        for record in records:
            for number, face in enumerate(record["faces"]):
                for name, values in face["points"].items():
                    writer.writerow((record["file"], number, *face["box"], name, *values))
