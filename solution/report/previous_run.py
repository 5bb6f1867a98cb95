"""Another finished run on the same data, read from its folder, to compare a run with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solution.data.competition import Competition
from solution.ensemble.selection import ARRAYS, FINAL, FORMAT, PLAIN
from solution.faces import FaceSet, Predictions, aligned
from solution.runtime.artifacts import digest_of, intact, manifest
from solution.runtime.errors import UPDATE, UserError, is_later
from solution.specialists.training import PREDICTIONS

STACK = "stack"


@dataclass(frozen=True, eq=False)
class Other:
    """The other run."""

    folder: Path
    coords: Mapping[str, np.ndarray]
    """By name, `compared` first and then each specialist: out-of-fold predictions (N, 15, 2) in pixels in the faces'
    order, NaN where there is none."""

    digests: Mapping[str, str]
    """By specialist, the digest of its trainings' inputs."""

    compared: str = FINAL
    """Which predictions of the ensemble can be compared, FINAL or PLAIN."""


def read_other(folder: Path, competition: Competition) -> Other:
    """Read a folder folds/DATASET. UserError unless it has a finished and undamaged run on the same data."""
    trainings = _trainings(folder)
    parts = {
        name: _specialist(folder, name, [files for _, files in folds], competition) for name, folds in trainings.items()
    }
    digests = {name: digest_of([inputs for inputs, _ in folds]) for name, folds in trainings.items()}
    compared = _compared(folder)
    return Other(folder, {compared: _together(folder, compared, competition.train), **parts}, digests, compared)


def _compared(folder: Path) -> str:
    """PLAIN for a stack of an earlier format, whose FINAL had the labels' drift added by rank. UserError for a later
    format: what its FINAL contains is not known here.
    """
    form = _sealed(folder / STACK, folder, ARRAYS)["inputs"].get("format")
    if is_later(form, FORMAT):
        raise UserError(
            f"--against {folder}: expected a run with a stack of format {FORMAT} or earlier, got format {form}, which "
            f"a later version of the code wrote. {UPDATE}."
        )
    return FINAL if form == FORMAT else PLAIN


def _trainings(folder: Path) -> dict[str, list[list[str]]]:
    """By specialist and fold, the digests of a training's inputs and files, from the stack's manifest."""
    trainings = _sealed(folder / STACK, folder, ARRAYS)["inputs"].get("trainings")
    if not isinstance(trainings, dict) or not trainings or not all(map(_is_pairs, trainings.values())):
        raise _unfinished(folder, f"{folder / STACK} does not name its trainings")
    return trainings


def _is_pairs(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(pair, list) and len(pair) == 2 for pair in value)


def _together(folder: Path, name: str, faces: FaceSet) -> np.ndarray:
    with np.load(folder / STACK / ARRAYS, allow_pickle=False) as arrays:
        coords = arrays[f"oof_{name}"] if f"oof_{name}" in arrays else np.empty(0)
    if coords.shape != faces.coords.shape:
        raise _unfinished(folder, f"{folder / STACK} holds no {name} predictions of the {len(faces)} labelled faces")
    return coords.astype(np.float32).astype(np.float64)  # as exact as predictions: equal ones have no difference


def _specialist(folder: Path, name: str, files: list[str], competition: Competition) -> np.ndarray:
    """A specialist's folds as one array, from the trainings that the stack was made from."""
    parts = []
    for fold, digest in enumerate(files):
        place = folder / name / f"fold{fold}"
        content = _sealed(place, folder, PREDICTIONS)
        data = content["inputs"].get("data")
        if data not in (competition.train_digest, competition.digest):  # of all files, before
            raise _other_data(folder, f"data {data}, not {competition.train_digest}")
        if digest_of(content.get("files")) != digest:
            raise _unfinished(folder, f"{place} was trained again since its stack was made")
        parts.append(_held_out(place))
    ids, coords = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    unknown = np.full(coords.shape[:2], np.nan, np.float32)
    try:
        return aligned(competition.train, Predictions(name, ids, coords, unknown))
    except ValueError as error:
        raise _other_data(folder, f"other faces in {name} ({error})") from error


def _held_out(place: Path) -> tuple[np.ndarray, np.ndarray]:
    """ids (N,) and coords (N, 15, 2) of a fold's held-out rows. Every format has these names."""
    with np.load(place / PREDICTIONS, allow_pickle=False) as arrays:
        return arrays["held_ids"], arrays["held_coords"]


def _sealed(place: Path, folder: Path, file: str) -> dict[str, Any]:
    """A folder's manifest. UserError unless it names this file and its files are intact."""
    content = manifest(place)
    if content is None or not isinstance(content.get("inputs"), dict):
        raise _unfinished(folder, f"{place} has no manifest")
    if not intact(place, content, [file]):
        raise _unfinished(folder, f"files in {place} differ from its manifest")
    return content


def _unfinished(folder: Path, got: str) -> UserError:
    return UserError(
        f"--against {folder}: expected a finished run's folder (folds/DATASET), but {got}. "
        "Name another one, or finish that run with `python -m solution run` and its own options."
    )


def _other_data(folder: Path, got: str) -> UserError:
    return UserError(
        f"--against {folder}: expected a run on the same data, got one on {got}. "
        "Errors on different pictures cannot be paired: compare runs of one data folder."
    )
