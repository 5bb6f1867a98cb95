"""Drawn faces as the competition's files, with the truth behind them beside: answers, drift, twins, wrong rows."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from solution.artefacts import sweep, write_json, write_text
from solution.data.drawn.labels import drift_at, label, plan_twins, plan_wrong, relative_places
from solution.data.drawn.settings import DrawnSettings
from solution.data.drawn.slots import FILES, draw_slot, slots
from solution.data.files import ANSWERS, DRAWN, UNFINISHED
from solution.data.writing import Labelled, cell, write_lines, write_test, write_training
from solution.errors import UserError
from solution.keypoints import FACE4
from solution.lock import hold

VERSION = 1
"""Changes with every change to what a seed draws."""

COMPETITION_FILES = ("training.zip", "test.zip", "IdLookupTable.csv", "SampleSubmission.csv")


def ensure_drawn(folder: Path, settings: DrawnSettings) -> None:
    """Write the drawn files unless the folder already holds them for these settings."""
    if is_drawn(folder, settings):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder):
        if not is_drawn(folder, settings):  # another process may have drawn them meanwhile
            write_drawn(folder, settings)


def is_drawn(folder: Path, settings: DrawnSettings) -> bool:
    """Whether the folder holds the files drawn with these settings, all of them."""
    try:
        content = json.loads((folder / DRAWN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        content = {}
    content = content if isinstance(content, dict) else {}
    wanted = {"version": VERSION, "settings": asdict(settings)}
    files_there = all((folder / name).is_file() for name in (*COMPETITION_FILES, ANSWERS, "drift.csv"))
    return files_there and {key: content.get(key) for key in wanted} == wanted


def write_drawn(folder: Path, settings: DrawnSettings | None = None) -> None:
    """Write the competition's four files, answers.csv, drift.csv and, last, drawn.json. The same bytes for a seed.

    UserError where the folder holds competition files that were not drawn: they are never overwritten; and where
    another process draws there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder):
        sweep(folder)
        _write_all(folder, settings or DrawnSettings())


def _write_all(folder: Path, settings: DrawnSettings) -> None:
    _claim(folder)
    twins = plan_twins(settings)
    wrong = plan_wrong(settings, twins)
    drift = {file: _drift_rows(settings, file) for file in FILES}
    write_training(folder, _faces(settings, "training", drift["training"], twins, wrong))
    write_test(folder, _faces(settings, "test", drift["test"], {}, {}))
    _write_drift(folder, drift)
    truth = {
        "version": VERSION,
        "settings": asdict(settings),
        "offsets": {"15": settings.offset15, "4": settings.offset4},
        "twins": [[earlier, row] for row, earlier in twins.items()],
        "wrong": [{"row": row, "kind": kind} for row, kind in wrong.items()],
    }
    write_json(folder / DRAWN, truth)
    (folder / UNFINISHED).unlink()


def _claim(folder: Path) -> None:
    """Mark the folder as being drawn into, so that one broken off is known as ours and as unfinished."""
    ours = (folder / DRAWN).exists() or (folder / UNFINISHED).exists()
    present = [name for name in COMPETITION_FILES if (folder / name).exists()]
    if present and not ours:
        raise UserError(
            f"{folder}: expected a folder for drawn faces, found {', '.join(present)} that were not drawn. "
            "Choose another folder, or move these files away."
        )
    write_text(folder / UNFINISHED, "")
    (folder / DRAWN).unlink(missing_ok=True)


def _drift_rows(settings: DrawnSettings, file: str) -> np.ndarray:
    """The drift of every row of a file, (N, 4, 2) pixels; 0 for 15-keypoint rows."""
    rows = slots(settings, file)
    in4 = np.array([slot.subset == 4 for slot in rows])
    drift = np.zeros((len(rows), FACE4.size, 2))
    drift[in4] = drift_at(settings, relative_places(int(in4.sum())))
    return drift


def _faces(
    settings: DrawnSettings, file: str, drift: np.ndarray, twins: dict[int, int], wrong: dict[int, str]
) -> Iterator[Labelled]:
    """A file's faces. twins: rows that show an earlier row's face; wrong: rows with a grossly wrong label."""
    rows = slots(settings, file)
    for row, slot in enumerate(rows):
        face = draw_slot(settings.seed, rows[twins.get(row, row)])
        yield label(settings, slot, face, drift[row], wrong.get(row)), face.image


def _write_drift(folder: Path, drift: dict[str, np.ndarray]) -> None:
    """drift.csv: file, 0-based row, and the planted drift of the four points in pixels."""
    lines = [
        f"{file},{row}," + ",".join(map(cell, values))
        for file, rows in drift.items()
        for row, values in enumerate(rows.reshape(len(rows), -1).tolist())
    ]
    write_lines(folder / "drift.csv", ",".join(("file", "row", *FACE4.columns)), lines)
