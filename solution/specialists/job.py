"""A job: one recipe on one fold. It knows what it depends on, whether it is complete, and how to run.

A job is small and picklable. It refers to the run's data, and a worker process reads the faces itself.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from solution.data.competition import Competition
from solution.faces import FaceSet, FoldTable, Predictions
from solution.recipe import Recipe
from solution.runtime import checkpoint
from solution.runtime.artifacts import MANIFEST, complete, digest_of, intact, manifest, seal, write_bytes
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.runtime.workers.ray_worker import DamagedError, Files, pack
from solution.specialists.earlier_format import earlier_inputs, upgrade
from solution.specialists.history import trained_for
from solution.specialists.landmarks import predict as landmark_prediction
from solution.specialists.landmarks import train as landmark_training
from solution.specialists.landmarks.pretrained import source_of
from solution.specialists.patches import predict as patch_prediction
from solution.specialists.patches import train as patch_training
from solution.specialists.training import LEAST, PREDICTING, PREDICTIONS, Training, save_parts

FORMAT = 2
"""Raise it if the same settings would train to something else: every training is then done again."""

PREDICTED_BY = 7
"""Raise it if the same weights would predict something else: only the predictions are then made again."""


@dataclass(frozen=True)
class Method:
    """How the recipes of one method are trained and predict."""

    train: Callable[[Training], None]
    predict: Callable[[Path, FaceSet, torch.device], Predictions]  # from a trained folder


LANDMARKS = Method(landmark_training.train, landmark_prediction.predict)
METHODS = {
    "landmarks": LANDMARKS,
    "landmarks68": LANDMARKS,
    "patches": Method(patch_training.train, patch_prediction.predict),
}
"""By `Recipe.method`."""


class RunData(Protocol):
    """The faces of a run and their folds. A `Run` reads them when they are first needed."""

    @property
    def competition(self) -> Competition: ...

    @property
    def table(self) -> FoldTable: ...


@dataclass(frozen=True, eq=False)
class Job:
    """One recipe on one fold of a run."""

    recipe: Recipe  # at its scale
    fold: int
    folder: Path  # where its files go: RECIPE/foldN in the folder of all trainings
    data: RunData
    parent: "Job | None" = None  # the job whose weights it starts from
    weights: Path | None = None  # the file of pretrained weights, if the recipe asks for some and there is a folder

    @property
    def name(self) -> str:
        return f"{self.recipe.name}/{self.fold}"

    @property
    def after(self) -> frozenset[str]:
        """The names of the jobs that must be done before."""
        return frozenset() if self.parent is None else frozenset([self.parent.name])

    @property
    def training(self) -> dict[str, Any]:
        """Everything that the weights depend on. Of the data this is the training file alone."""
        return {name: value for name, value in self.inputs.items() if name != PREDICTING}

    @property
    def inputs(self) -> dict[str, Any]:
        """Everything that the files depend on, as the manifest names it."""
        data = self.data.competition
        return {
            "format": FORMAT,
            "recipe": self.recipe.settings(),
            "fold": self.fold,
            "data": data.train_digest,
            "folds": digest_of(self.data.table.fold.tolist()),
            "parent": digest_of(self.parent.training) if self.parent else None,
            PREDICTING: {"format": PREDICTED_BY, "data": data.test_digest},
        }

    @property
    def digest(self) -> str:
        """A short name for `inputs`."""
        return digest_of(self.inputs)

    @property
    def files_digest(self) -> str | None:
        """A digest of the files in the folder, independent of their inputs; None if there is no manifest."""
        content = manifest(self.folder)
        return digest_of(content.get("files")) if content else None

    def is_complete(self) -> bool:
        """Whether the files are intact and made from these inputs."""
        return complete(self.folder, self.inputs, LEAST)

    def is_trained(self) -> bool:
        """Whether the weights are intact and made from these inputs. The predictions are not checked."""
        content = manifest(self.folder) or {}
        inputs, files = content.get("inputs"), content.get("files")
        if not isinstance(inputs, dict) or not isinstance(files, dict):
            return False
        trained_from = {name: value for name, value in inputs.items() if name != PREDICTING}
        weights = {"files": {name: digest for name, digest in files.items() if name != PREDICTIONS}}
        return trained_from in json.loads(json.dumps([self.training, *self.earlier_training()])) and intact(
            self.folder, weights, set(LEAST) - {PREDICTIONS}
        )

    def earlier_training(self) -> list[dict[str, Any]]:
        """`training` as manifests of an earlier format name it: weights with such a manifest are kept."""
        parent = self.parent.training if self.parent else None
        return list(earlier_inputs(self.training, parent, self.data.competition.digest))

    def require(self, what: str) -> Path:
        """The folder of the finished job. UserError if it is not complete. what: the job in the message's words."""
        if not self.is_complete():
            raise UserError(
                f"{self.folder}: expected {what}. Run `python -m solution train --recipe {self.recipe.name} --fold "
                f"{self.fold}` with the same --data and --scale first."
            )
        return self.folder

    def require_start(self) -> Path | None:
        """The folder that it starts from. UserError if a job that this one needs is not complete."""
        if self.parent is None:
            return None
        return self.parent.require(f"the finished training that {self.recipe.name} starts from")

    def open(self, device: torch.device) -> Training:
        """The training with its faces. UserError as `require_start`."""
        parent = self.require_start()
        faces, fold = self.data.competition.train, self.data.table.fold
        of_recipe = np.isin(faces.subset, self.recipe.subsets)
        return Training(
            recipe=self.recipe,
            fold=self.fold,
            folder=self.folder,
            train=faces.take(of_recipe & (fold != self.fold)),
            held=faces.take(of_recipe & (fold == self.fold)),
            device=device,
            inputs=self.inputs,
            parent=parent,
            weights=self.weights,
        )

    def run(self, device: torch.device) -> float:
        """Train, predict the held-out rows and the test rows, and seal the folder; the seconds that it took.

        Weights of the same inputs are kept, with the device and the time of their manifest.
        """
        training, method = self.open(device), METHODS[self.recipe.method]
        training.open_folder()
        known = (manifest(self.folder) or {}) if self.is_trained() else {}
        if known:
            if known["inputs"]["format"] != FORMAT:
                upgrade(self.folder)
            LOG.info("%s: is trained, predicts again", training.title)
        else:
            method.train(training)
        began = time.perf_counter()
        test = self.data.competition.test
        parts = training.held, test.take(np.isin(test.subset, self.recipe.subsets))
        save_parts(
            self.folder, *(_checked(training, method.predict(self.folder, faces, device), faces) for faces in parts)
        )
        predicting = time.perf_counter() - began
        seconds = trained_for(self.folder) + predicting
        assert all((self.folder / name).is_file() for name in LEAST)
        source = source_of(self.recipe)
        facts = {"pretrained": source} if source else {}
        training.seal(seconds=round(seconds, 1), device=known.get("device", device.type), **facts)
        taken = predicting if known else seconds
        LOG.info("%s: done in %.0f s", training.title, taken)
        return taken

    def needed(self) -> Files:
        """The files that another machine needs before: of the job that this one starts from, and its own progress.

        They are named from the folder of all trainings.
        """
        trainings, files = self.folder.parents[1], Files()
        if self.parent and self.parent.folder.is_dir():
            files |= pack(trainings, self.parent.folder)
        begun = self.folder / checkpoint.FILE
        if self.is_trained():  # it only predicts again
            files |= pack(trainings, self.folder)
        elif begun.is_file():
            files[begun.relative_to(trainings).as_posix()] = begun.read_bytes()
        return files

    def receive(self, files: Files) -> None:
        """Write the files of the finished job, which another machine has made, and seal the folder as `run` does.

        DamagedError if they differ from their manifest, or were made from other inputs than this run's.
        """
        content, inputs = json.loads(files[MANIFEST]), self.inputs
        if content["inputs"] != json.loads(json.dumps(inputs)):
            raise DamagedError(f"{self.name} was trained from other inputs than this run's")
        received = {file: hashlib.sha256(files.get(file, b"")).hexdigest() for file in content["files"]}
        if received != content["files"]:
            raise DamagedError(f"{self.name} came back with files that do not match their manifest")
        (self.folder / MANIFEST).unlink(missing_ok=True)  # an earlier training's, which would now be wrong
        for file in content["files"]:
            write_bytes(self.folder / file, files[file])
        facts = {key: value for key, value in content.items() if key not in ("inputs", "files")}
        seal(self.folder, inputs, list(content["files"]), **facts)
        checkpoint.remove(self.folder)


def _checked(training: Training, predictions: Predictions, faces: FaceSet) -> Predictions:
    """The predictions. UserError if a point that was learnt is not finite in any row of a subset."""
    recipe = training.recipe
    for subset in recipe.subsets:
        learnt = ~np.isnan(training.train.coords[training.train.subset == subset]).all(axis=(0, 2))
        asked = [point for point in recipe.points(subset) if learnt[point]]
        lost = (~np.isfinite(predictions.coords[faces.subset == subset][:, asked])).any(axis=(1, 2))
        if lost.any():
            raise training.gone_wrong(
                f"a point of {int(lost.sum())} of {len(lost)} {subset}-keypoint rows is predicted as no number"
            )
    return predictions
