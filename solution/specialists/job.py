"""One unit of work: a recipe on a fold. Independent of every other job but the one it starts from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from solution.faces import FaceSet
from solution.recipe import Recipe
from solution.runtime import checkpoint
from solution.runtime.artifacts import MANIFEST, as_user_error, seal, write_bytes
from solution.runtime.errors import UserError

WEIGHTS = "weights.safetensors"
HISTORY = "history.csv"
SETTINGS = "recipe.json"
PREDICTIONS = "predictions.npz"
PREDICTING = "predicting"
"""The one of a job's inputs on which its predictions depend, but not its weights."""


@dataclass(frozen=True, eq=False)
class Job:
    """Train `recipe` (already at its scale) on `train`; `held` is only watched, never learnt from.

    folder: where its artefacts go. parent: the folder whose weights it starts from. inputs: what its manifest
    names. weights: the file of pretrained weights, where the recipe's settings name one. earlier_training: how
    manifests of an earlier format name the training inputs; weights that name these are kept.
    """

    recipe: Recipe
    fold: int
    folder: Path
    train: FaceSet
    held: FaceSet
    device: torch.device
    inputs: dict[str, Any]
    parent: Path | None = None
    weights: Path | None = None
    earlier_training: tuple[dict[str, Any], ...] = ()

    @property
    def training(self) -> dict[str, Any]:
        """The inputs on which the weights depend: a checkpoint with others is not resumed."""
        return {name: value for name, value in self.inputs.items() if name != PREDICTING}

    @property
    def title(self) -> str:
        return f"{self.recipe.name} fold {self.fold}"

    def open_folder(self) -> None:
        """Make the folder, free of what a killed process left half-written. UserError where that cannot be."""
        with as_user_error(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for left_over in self.folder.glob(".*-*"):
                left_over.unlink()

    def seal(self, **facts: Any) -> None:  # noqa: ANN401 - any JSON values
        """Declare the folder and every file in it complete; its checkpoint is needed no more."""
        passing = (MANIFEST, checkpoint.FILE)
        files = sorted(path.name for path in self.folder.iterdir() if path.is_file() and path.name not in passing)
        seal(self.folder, self.inputs, files, **facts)
        checkpoint.remove(self.folder)

    def checked(self, loss: float) -> float:
        """A batch's loss as it is. UserError where it is no number: to go on would only ruin the weights."""
        if not math.isfinite(loss):
            raise self.gone_wrong(f"the loss became {loss}")
        return loss

    def gone_wrong(self, what: str) -> UserError:
        """The error that says what number went wrong in this training, and what to try."""
        return UserError(f"{self.title}: {what}. Lower the recipe's lr or clip and train again.")

    def save_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Write a network's tensors into the folder. UserError where one is not finite."""
        wrong = [name for name, value in weights.items() if not value.isfinite().all()]
        if wrong:
            raise self.gone_wrong(f"the trained weights are not finite ({wrong[0]} and {len(wrong) - 1} more)")
        content = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
        write_bytes(self.folder / WEIGHTS, safetensors.torch.save(content))
