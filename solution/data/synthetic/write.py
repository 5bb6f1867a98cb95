"""Write drawn faces as the competition's files, with the truth: answers, drift, passes, duplicates, wrong rows."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from solution.data.reader import ANSWERS, DRAWN, UNFINISHED
from solution.data.synthetic.labels import label
from solution.data.synthetic.paint import DrawnFace
from solution.data.synthetic.plan import Plan, plan_files
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.slots import Slot, draw_slot, slots
from solution.data.writer import Labelled, cell, write_lines, write_test, write_training
from solution.keypoints import FACE4
from solution.runtime.artifacts import remove_stale, write_json, write_text
from solution.runtime.errors import UserError
from solution.runtime.lock import hold

VERSION = 2  # raise it with every change to the faces that a seed draws

COMPETITION_FILES = ("training.zip", "test.zip", "IdLookupTable.csv", "SampleSubmission.csv")


def ensure_drawn(folder: Path, settings: DrawnSettings) -> None:
    """Write the drawn files unless the folder already has them for these settings."""
    if is_drawn(folder, settings):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder):
        if not is_drawn(folder, settings):  # another process may have drawn them meanwhile
            write_drawn(folder, settings)


def is_drawn(folder: Path, settings: DrawnSettings) -> bool:
    """Whether the folder has all files, drawn with these settings."""
    try:
        content = json.loads((folder / DRAWN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        content = {}
    content = content if isinstance(content, dict) else {}
    wanted = {"version": VERSION, "settings": asdict(settings)}
    files_there = all((folder / name).is_file() for name in (*COMPETITION_FILES, ANSWERS, "drift.csv"))
    return files_there and {key: content.get(key) for key in wanted} == wanted


def write_drawn(folder: Path, settings: DrawnSettings | None = None) -> None:
    """Write the competition's four files, answers.csv, drift.csv and, last, drawn.json; the same bytes for a seed.

    UserError where the folder has competition files that were not drawn, which are never overwritten, and where another
    process draws there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder):
        remove_stale(folder)
        _write_all(folder, settings or DrawnSettings())


def _write_all(folder: Path, settings: DrawnSettings) -> None:
    _claim(folder)
    plan = plan_files(settings)
    painter = _Painter(plan)
    write_training(folder, _faces(plan, "training", painter))
    write_test(folder, _faces(plan, "test", painter))
    _write_drift(folder, plan.drift)
    truth = {
        "version": VERSION,
        "settings": asdict(settings),
        "offsets": {"15": settings.offset15, "4": settings.offset4},
        "passes": plan.passes.first_rows(),
        "duplicates": [[earlier, row] for row, earlier in plan.duplicates.items()],
        "test_duplicates": [[earlier, row] for row, earlier in plan.test_duplicates.items()],
        "wrong": [{"row": row, "kind": kind} for row, kind in plan.wrong.items()],
    }
    write_json(folder / DRAWN, truth)
    (folder / UNFINISHED).unlink()


def _claim(folder: Path) -> None:
    """Mark the folder as unfinished, so that an interrupted drawing is recognised."""
    ours = (folder / DRAWN).exists() or (folder / UNFINISHED).exists()
    present = [name for name in COMPETITION_FILES if (folder / name).exists()]
    if present and not ours:
        raise UserError(
            f"{folder}: expected a folder for drawn faces, found {', '.join(present)} that were not drawn. "
            "Choose another folder, or move these files away."
        )
    write_text(folder / UNFINISHED, "")
    (folder / DRAWN).unlink(missing_ok=True)


class _Painter:
    """Draws each planned face once; a face of several rows is kept for the later ones."""

    def __init__(self, plan: Plan) -> None:
        self._seed = plan.settings.seed
        rows = Counter(slot for shown in plan.shown.values() for slot in shown)
        self._repeated = {slot for slot, count in rows.items() if count > 1}
        self._kept: dict[Slot, DrawnFace] = {}

    def face(self, slot: Slot) -> DrawnFace:
        """The face that belongs to a slot."""
        if slot not in self._repeated:
            return draw_slot(self._seed, slot)
        if slot not in self._kept:
            self._kept[slot] = draw_slot(self._seed, slot)
        return self._kept[slot]


def _faces(plan: Plan, file: str, painter: _Painter) -> Iterator[Labelled]:
    """A file's faces, each row with a label of its own."""
    wrong = plan.wrong if file == "training" else {}
    for row, (slot, shown) in enumerate(zip(slots(plan.settings, file), plan.shown[file], strict=True)):
        face = painter.face(shown)
        yield label(plan.settings, slot, face, plan.drift[file][row], wrong.get(row)), face.image


def _write_drift(folder: Path, drift: dict[str, np.ndarray]) -> None:
    """drift.csv: file, 0-based row, and the planted drift of the four points in pixels."""
    lines = [
        f"{file},{row}," + ",".join(map(cell, values))
        for file, rows in drift.items()
        for row, values in enumerate(rows.reshape(len(rows), -1).tolist())
    ]
    write_lines(folder / "drift.csv", ",".join(("file", "row", *FACE4.columns)), lines)
