"""The history of a training, epoch by epoch: written into its folder and read again."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solution.recipe import Recipe
from solution.runtime.artifacts import Workspace, atomic
from solution.runtime.errors import UserError
from solution.specialists.training import HISTORY


@dataclass(frozen=True)
class Epoch:
    """One line of a history."""

    number: int
    loss: float  # mean over the epoch, in the recipe's unit
    held: float | None  # RMSE on the held-out rows in pixels; None: not measured after this epoch
    seconds: float
    phase: str = ""  # empty for a training of one phase


@dataclass(frozen=True)
class Curve:
    """One training: a recipe on a fold."""

    recipe: str
    fold: int
    epochs: tuple[Epoch, ...]


def read_curves(workspace: Workspace, recipes: Sequence[Recipe], folds: int) -> tuple[Curve, ...]:
    """The curves of all trainings, by recipe and fold. UserError if a history cannot be read."""
    return tuple(
        Curve(recipe.name, fold, _epochs(workspace.fold(recipe.name, fold) / HISTORY))
        for recipe in recipes
        for fold in range(folds)
    )


def mean_held(curves: Sequence[Curve]) -> list[tuple[int, float]]:
    """Epoch and held-out RMSE, the mean over the folds, for the epochs that all of these curves measured."""
    by_epoch: dict[int, list[float]] = {}
    for curve in curves:
        for epoch in curve.epochs:
            if epoch.held is not None:
                by_epoch.setdefault(epoch.number, []).append(epoch.held)
    whole = {number: held for number, held in by_epoch.items() if len(held) == len(curves)}
    return [(number, sum(held) / len(held)) for number, held in sorted(whole.items())]


def mean_loss(curves: Sequence[Curve]) -> list[float]:
    """The loss of each epoch that all of these curves have, the mean over the folds."""
    return [sum(e.loss for e in epochs) / len(epochs) for epochs in zip(*(c.epochs for c in curves), strict=False)]


def by_recipe(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """The curves of each recipe, in their order."""
    found: dict[str, list[Curve]] = {}
    for curve in curves:
        found.setdefault(curve.recipe, []).append(curve)
    return found


def _epochs(path: Path) -> tuple[Epoch, ...]:
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            return tuple(_epoch(line) for line in csv.DictReader(handle))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: expected a training's history with epoch, loss, held_rmse and seconds, got: {error!r}. "
            f"Remove {path.parent} and run the train stage again."
        ) from error


def _epoch(line: dict[str, str]) -> Epoch:
    held = float(line["held_rmse"] or math.nan)
    return Epoch(
        number=int(line["epoch"]),
        loss=float(line["loss"]),
        held=None if math.isnan(held) else held,
        seconds=float(line["seconds"]),
        phase=line.get("phase") or "",
    )


def trained_for(folder: Path) -> float:
    """Seconds of all epochs, also of those before a stop."""
    with (folder / HISTORY).open(encoding="utf-8", newline="") as handle:
        return sum(float(epoch["seconds"]) for epoch in csv.DictReader(handle))


def write_history(path: Path, history: list[dict[str, Any]]) -> None:
    """Write epochs as CSV, one line each. The held-out RMSE is empty where it was not measured."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows(history)
