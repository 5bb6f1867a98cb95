"""Submissions: write test predictions as Kaggle's file, check it, and read it again.

A submission is a CSV of RowId,Location with a JSON record of the same name beside it. The record describes what the
file was made from and has its SHA-256. It is written last, so a file without a matching record is never sent.
"""

import csv
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from solution import __version__
from solution.data.competition import Competition
from solution.faces import Predictions
from solution.keypoints import FACE15, SIZE
from solution.runtime.artifacts import file_digest, write_json, write_text
from solution.runtime.errors import UPDATE, UserError, is_later

FORMAT = 2
"""Format of a record. In the first one, label drift was added by rank even to test pictures that continue the training
file."""

COLUMNS = ["RowId", "Location"]
HIGHEST = SIZE - 1  # the last pixel of a picture; locations are clipped to [0, HIGHEST] px
AGAIN = "Run the submission stage again."
REPOSITORY = Path(__file__).resolve().parents[2]


def record_path(path: Path) -> Path:
    """The path of a submission's record: NAME.json beside NAME.csv."""
    return path.with_suffix(".json")


def write_submission(path: Path, competition: Competition, predictions: Predictions, record: dict[str, Any]) -> Path:
    """Write the submission and its record; return the submission's path.

    predictions: one row for each test picture, in any order, coords (N, 15, 2) in pixels. record: JSON values to keep
    (`expected` and the other figures also go to the ledger). UserError where a picture or an asked cell has no
    prediction; no hole is filled.
    """
    cells = _asked_cells(competition, predictions)
    rows = zip(competition.lookup.row_id.tolist(), _written(cells), strict=True)
    write_text(path, "\n".join([",".join(COLUMNS), *(f"{row},{text}" for row, text in rows)]) + "\n")
    facts = {
        "format": FORMAT,
        "file": path.name,
        "sha256": file_digest(path),
        "rows": len(cells),
        "clipped": int((cells != np.clip(cells, 0, HIGHEST)).sum()),
        "data": competition.digest,
        "drawn": competition.drawn,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": code_version(),
    }
    write_json(record_path(path), {**record, **facts})
    return path


def locations_of(competition: Competition, predictions: Predictions) -> np.ndarray:
    """The locations that a submission of these predictions contains, (M,) in pixels, in the lookup table's order."""
    return np.array([float(text) for text in _written(_asked_cells(competition, predictions))])


def _written(cells: np.ndarray) -> list[str]:
    """Locations (M,) as the file has them."""
    return [f"{value:.4f}" for value in np.clip(cells, 0, HIGHEST).tolist()]


def check_submission(path: Path, competition: Competition) -> dict[str, Any]:
    """Read a submission and its record and return the record.

    UserError, naming the row, unless the file answers the lookup table row by row with numbers inside the picture, and
    unless the record describes this content and this data.
    """
    _locations(path, competition)
    record = read_record(path)
    if is_later(record.get("format"), FORMAT):
        raise UserError(
            f"{path}: expected a submission of format {FORMAT}, got one of format {record['format']}, which a later "
            f"version of the code wrote. {UPDATE}, or run `python -m solution run` with this one."
        )
    if record.get("format") != FORMAT:
        raise UserError(
            f"{path}: expected a submission of format {FORMAT}, got one of an earlier version, whose 4-keypoint rows "
            "may have label drift in a wrong place. Run `python -m solution run` with the same --data and --scale "
            "first; nothing is trained again."
        )
    if record.get("sha256") != file_digest(path):
        raise UserError(
            f"{path}: expected the content that {record_path(path).name} describes, got another: "
            f"the file or its record was changed, or is of another run. {AGAIN}"
        )
    if record.get("data") != competition.digest or record.get("drawn") != competition.drawn:
        raise UserError(
            f"{path}: expected a submission of the data read now ({competition.digest}), "
            f"got one of other data ({record.get('data')}). {AGAIN}"
        )
    return record


def read_submission(path: Path, competition: Competition) -> np.ndarray:
    """The file's locations at the test faces' points, (N, 15, 2) in pixels, NaN where none is asked.

    UserError unless it answers the lookup table row by row.
    """
    return competition.at_points(_locations(path, competition))


def code_version(root: Path = REPOSITORY) -> dict[str, Any]:
    """The package's version, the git commit, and whether files differ from it; the last two None without git."""
    place = _git(root, "rev-parse", "--show-toplevel", "HEAD")
    top, commit = place.splitlines() if place else ("", None)
    if commit is None or Path(top).resolve() != root:  # a copy inside another repository has no commit
        return {"version": __version__, "commit": None, "dirty": None}
    return {"version": __version__, "commit": commit, "dirty": bool(_git(root, "status", "--porcelain"))}


def _git(root: Path, *arguments: str) -> str | None:
    """Git's output, or None where there is no git, no repository or no commit."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _asked_cells(competition: Competition, predictions: Predictions) -> np.ndarray:
    """The predicted location of every asked cell, (M,) float64 in pixels, in the lookup table's order."""
    lookup = competition.lookup
    if not np.array_equal(np.sort(predictions.ids), np.sort(competition.test.ids)):
        unmatched = np.setxor1d(predictions.ids, competition.test.ids)
        example = f", ImageId {unmatched[0]} is on one side only" if len(unmatched) else ", some of them twice"
        raise UserError(
            f"{predictions.name}: expected one prediction for each of the {len(competition.test)} test pictures, "
            f"got {len(predictions.ids)}{example}. Predict the test pictures again."
        )
    cells = predictions.coords[lookup.rows_in(predictions.ids), lookup.column // 2, lookup.column % 2].astype(
        np.float64
    )
    holes = np.flatnonzero(~np.isfinite(cells))
    if len(holes):
        first = holes[0]
        raise UserError(
            f"{predictions.name}: expected a location for every asked cell, got {cells[first]} for RowId "
            f"{lookup.row_id[first]} ({FACE15.columns[lookup.column[first]]} of ImageId {lookup.image_id[first]}), "
            f"{len(holes)} such cells in all. Add a specialist that predicts them and stack again."
        )
    return cells


def _locations(path: Path, competition: Competition) -> np.ndarray:
    """The file's Location column, (M,) float64 in pixels, checked row by row against the lookup table."""
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.reader(handle))
    except FileNotFoundError:
        raise UserError(
            f"{path}: expected a submission, got none. "
            "Run `python -m solution run` with the same --data and --scale first."
        ) from None
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(
            f"{path}: expected a CSV file with the columns RowId,Location, it cannot be read: {error}. {AGAIN}"
        ) from error
    header = rows.pop(0) if rows else []
    if header != COLUMNS:
        raise UserError(f"{path}: expected the columns RowId,Location, got {','.join(header)[:60]!r}. {AGAIN}")
    asked = competition.lookup.row_id.tolist()
    values = np.array([_location(path, i, row, want) for i, (row, want) in enumerate(zip(rows, asked, strict=False))])
    if len(rows) != len(asked):
        raise UserError(
            f"{path}: expected {len(asked)} rows as the lookup table asks, got {len(rows)}. "
            f"Is the file cut off, or was it edited? {AGAIN}"
        )
    return values


def _location(path: Path, index: int, row: list[str], want: int) -> float:
    """One row's location in pixels. UserError naming the data row, counted from 1, unless it answers RowId `want`."""
    where = f"{path} row {index + 1}"
    if len(row) != len(COLUMNS) or row[0] != str(want):
        raise UserError(f"{where}: expected RowId {want} and its Location, got {','.join(row)[:60]!r}. {AGAIN}")
    try:
        value = float(row[1])
    except ValueError:
        value = float("nan")
    if not 0 <= value <= HIGHEST:
        raise UserError(
            f"{where} (RowId {want}): expected a location from 0 to {HIGHEST} px, got {row[1][:40]!r}. {AGAIN}"
        )
    return value


def read_record(path: Path) -> dict[str, Any]:
    """The submission's record. UserError where it is missing or no JSON object."""
    beside = record_path(path)
    try:
        record = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{beside}: expected the record of {path.name}, it cannot be read: {error}. {AGAIN}") from error
    if not isinstance(record, dict):
        raise UserError(f"{beside}: expected a JSON object, got {type(record).__name__}. {AGAIN}")
    return record
