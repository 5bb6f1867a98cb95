"""One unit of work: a recipe on a fold. Independent of every other job but the one it starts from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from solution.faces import FaceSet
from solution.recipe import Recipe

WEIGHTS = "weights.safetensors"
HISTORY = "history.csv"
SETTINGS = "recipe.json"
PREDICTIONS = "predictions.npz"


@dataclass(frozen=True, eq=False)
class Job:
    """Train `recipe` (already at its scale) on `train`; `held` is only watched, never learnt from.

    folder: where its artefacts go. start_from: the folder whose weights it starts from. inputs: what its manifest
    names; a checkpoint with other inputs is not resumed. weights: the file of pretrained weights, where the recipe's
    settings name one.
    """

    recipe: Recipe
    fold: int
    folder: Path
    train: FaceSet
    held: FaceSet
    device: torch.device
    inputs: dict[str, Any]
    start_from: Path | None = None
    weights: Path | None = None

    @property
    def title(self) -> str:
        return f"{self.recipe.name} fold {self.fold}"
