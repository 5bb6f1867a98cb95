"""Write labelled faces as files: a PNG each, and one table of keypoints."""

import csv
import io
from pathlib import Path

import cv2
import numpy as np

from solution.faces import FaceSet
from solution.keypoints import IN_FOUR
from solution.runtime.artifacts import atomic_folder
from solution.runtime.errors import UserError

TABLE = "keypoints.csv"


def rows_of(faces: FaceSet, subset: str) -> FaceSet:
    """The faces of a subset: "15", "4" or "all"."""
    return faces if subset == "all" else faces.take(faces.subset == int(subset))


def complete_rows(faces: FaceSet) -> np.ndarray:
    """Faces with every label that their subset can have, bool (N,)."""
    known = ~np.isnan(faces.coords).any(axis=2)
    return np.where(faces.subset == 15, known.all(axis=1), known[:, IN_FOUR].all(axis=1))


def extract(faces: FaceSet, folder: Path) -> None:
    """Write ID.png for each face, and TABLE: file, id, subset, then x and y of each point in pixels.

    A missing label is an empty cell. The folder is written atomically; UserError where it is not empty, or where there
    is no face to write.
    """
    with atomic_folder(folder) as temporary:
        if len(faces) == 0:
            raise UserError("expected faces with every label of their subset, found none. Try --incomplete.")
        for identity, image in zip(faces.ids.tolist(), faces.images, strict=True):
            (temporary / _file(identity)).write_bytes(cv2.imencode(".png", image)[1].tobytes())
        (temporary / TABLE).write_text(_table(faces), encoding="utf-8")


def _file(identity: int) -> str:
    return f"{identity:05d}.png"


def _table(faces: FaceSet) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("file", "id", "subset", *faces.schema.columns))
    for identity, subset, coords in zip(faces.ids.tolist(), faces.subset.tolist(), faces.coords, strict=True):
        writer.writerow((_file(identity), identity, subset, *map(_cell, coords.ravel())))
    return text.getvalue()


def _cell(value: np.float32) -> str:
    """The shortest decimal number that reads back as the same value; empty for NaN."""
    return "" if np.isnan(value) else np.format_float_positional(value, unique=True, trim="-")
