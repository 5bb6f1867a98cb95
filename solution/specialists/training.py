"""A training in progress: a recipe, its faces and a device. It also names the files that a training writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from solution.faces import FaceSet, Predictions
from solution.recipe import Recipe
from solution.runtime import checkpoint
from solution.runtime.artifacts import MANIFEST, as_user_error, atomic, seal, write_bytes
from solution.runtime.errors import UserError

WEIGHTS = "weights.safetensors"
HISTORY = "history.csv"
SETTINGS = "recipe.json"
PREDICTIONS = "predictions.npz"
LEAST = (WEIGHTS, SETTINGS, HISTORY, PREDICTIONS)
"""The files that every training leaves."""

PREDICTING = "predicting"
"""The only input on which the predictions of a training depend, but not its weights."""

FIELDS = ("ids", "coords", "sigma")
"""The arrays of `Predictions` that are written."""


@dataclass(frozen=True, eq=False)
class Training:
    """One recipe on one fold, with its faces in memory."""

    recipe: Recipe  # at its scale
    fold: int
    folder: Path  # where its files go
    train: FaceSet  # the faces that it learns from
    held: FaceSet  # the held-out faces: they are watched, and never learnt from
    device: torch.device
    inputs: dict[str, Any]  # what its manifest names: everything that its files depend on
    parent: Path | None = None  # the folder of the training whose weights it starts from
    weights: Path | None = None  # the file of pretrained weights, if the recipe asks for some and there is a folder

    @property
    def training(self) -> dict[str, Any]:
        """The inputs on which the weights depend. A checkpoint of other inputs is not resumed."""
        return {name: value for name, value in self.inputs.items() if name != PREDICTING}

    @property
    def title(self) -> str:
        return f"{self.recipe.name} fold {self.fold}"

    def open_folder(self) -> None:
        """Make the folder and remove the unfinished files of a killed process. UserError if the disk refuses."""
        with as_user_error(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for unfinished in self.folder.glob(".*-*"):
                unfinished.unlink()

    def seal(self, **facts: Any) -> None:  # noqa: ANN401 - any JSON values
        """Write the manifest over every file in the folder, which is then complete, and remove the checkpoint."""
        passing = (MANIFEST, checkpoint.FILE)
        files = sorted(path.name for path in self.folder.iterdir() if path.is_file() and path.name not in passing)
        seal(self.folder, self.inputs, files, **facts)
        checkpoint.remove(self.folder)

    def gone_wrong(self, what: str) -> UserError:
        """The error for a number that is not finite, with what to try."""
        return UserError(f"{self.title}: {what}. Lower the recipe's lr or clip and train again.")

    def save_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Write the network's tensors into the folder. UserError if one is not finite."""
        wrong = [name for name, value in weights.items() if not value.isfinite().all()]
        if wrong:
            raise self.gone_wrong(f"the trained weights are not finite ({wrong[0]} and {len(wrong) - 1} more)")
        content = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
        write_bytes(self.folder / WEIGHTS, safetensors.torch.save(content))


def save_parts(folder: Path, held: Predictions, test: Predictions) -> None:
    """Write one fold's predictions of its held-out rows and of the test faces."""
    arrays = {
        f"{part}_{name}": getattr(predictions, name)
        for part, predictions in (("held", held), ("test", test))
        for name in FIELDS
    }
    with atomic(folder / PREDICTIONS) as temporary, temporary.open("wb") as handle:
        np.savez(handle, **arrays)


def load_part(folder: Path, name: str, part: str) -> Predictions:
    """One fold's predictions of its "held" rows or of the "test" faces. name: of the specialist."""
    with np.load(folder / PREDICTIONS, allow_pickle=False) as arrays:
        return Predictions(name, *(arrays[f"{part}_{field}"] for field in FIELDS))
