"""A run's trainings for other machines: what must lie there before, and what comes back."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from solution.data.competition import Competition
from solution.faces import FoldTable
from solution.recipe import Recipe
from solution.runtime import checkpoint
from solution.runtime.artifacts import MANIFEST, Workspace, seal, write_bytes
from solution.runtime.workers.ray_files import DamagedError, Files, pack, unpack
from solution.specialists.cross_validation import Workbench, run_job
from solution.specialists.landmarks.pretrained import InitWeights

PAUSE = 60.0
WEIGHTS_FOLDER = "weights"


@dataclass(frozen=True, eq=False)
class Shared:
    """What every job of a run needs: sent once to each machine.

    root: the driver's, for messages. files: the pretrained weights by file name. pause: seconds between two checkpoints
    of a job that go to the driver, at least.
    """

    root: str
    dataset: str
    competition: Competition
    table: FoldTable
    recipes: tuple[Recipe, ...]
    wanted: bool
    files: Files
    pause: float

    def bench(self, root: Path) -> Workbench:
        """The run's trainings below another root."""
        weights = InitWeights(root / WEIGHTS_FOLDER if self.files else None, self.wanted)
        return Workbench(Workspace(root, self.dataset), self.competition, self.table, weights)

    def unpack(self, root: Path) -> None:
        """Write the files that every training needs below a root."""
        unpack(root / WEIGHTS_FOLDER, self.files)

    def folder(self, root: Path, name: str, fold: int) -> Path:
        """Where a training's files lie below a root."""
        return self.bench(root).workspace.fold(name, fold)

    def train(self, root: Path, name: str, fold: int, device: torch.device) -> float:
        """Do one training below a root; seconds taken."""
        recipe = next(recipe for recipe in self.recipes if recipe.name == name)
        return run_job(self.bench(root), recipe, fold, self.recipes, device)


def receive(bench: Workbench, recipes: Sequence[Recipe], name: str, fold: int, files: Files) -> None:
    """Write a finished training's files and seal their folder, as `cross_validation.run_job` does.

    DamagedError where they are not what their manifest says, or were made from other inputs than this run's.
    """
    content = json.loads(files[MANIFEST])
    inputs = bench.inputs(next(recipe for recipe in recipes if recipe.name == name), fold, recipes)
    if content["inputs"] != json.loads(json.dumps(inputs)):
        raise DamagedError(f"{name}/{fold} was trained from other inputs than this run's")
    found = {file: hashlib.sha256(files.get(file, b"")).hexdigest() for file in content["files"]}
    if found != content["files"]:
        raise DamagedError(f"{name}/{fold} came back with files that do not match their manifest")
    folder = bench.workspace.fold(name, fold)
    (folder / MANIFEST).unlink(missing_ok=True)  # an earlier training's: from here on it would be a lie
    for file in content["files"]:
        write_bytes(folder / file, files[file])
    facts = {key: value for key, value in content.items() if key not in ("inputs", "files")}
    seal(folder, inputs, list(content["files"]), **facts)
    checkpoint.remove(folder)


def needed(bench: Workbench, recipes: Sequence[Recipe], name: str, fold: int) -> Files:
    """What must lie on the machine before: the training that it starts from, and how far it has come."""
    root, workspace = bench.workspace.root, bench.workspace
    recipe = next(recipe for recipe in recipes if recipe.name == name)
    files: Files = {}
    if recipe.parent is not None and workspace.fold(recipe.parent, fold).is_dir():
        files |= pack(root, workspace.fold(recipe.parent, fold))
    begun = workspace.fold(name, fold) / checkpoint.FILE
    if bench.trained(recipe, fold, recipes):  # it only predicts anew
        files |= pack(root, workspace.fold(name, fold))
    elif begun.is_file():
        files[begun.relative_to(root).as_posix()] = begun.read_bytes()
    return files


def shared(bench: Workbench, recipes: tuple[Recipe, ...]) -> Shared:
    """What every job of this run needs."""
    weights = [path for recipe in recipes if (path := bench.weights.file(recipe)) is not None]
    return Shared(
        root=str(bench.workspace.root),
        dataset=bench.workspace.dataset,
        competition=bench.competition,
        table=bench.table,
        recipes=recipes,
        wanted=bench.weights.wanted,
        files={path.name: path.read_bytes() for path in weights},
        pause=PAUSE,
    )


@dataclass(frozen=True, eq=False)
class RemoteTrainings:
    """A run's trainings as `ray.run` takes them, each named by its recipe and fold."""

    bench: Workbench
    recipes: tuple[Recipe, ...]

    def shared(self) -> Shared:
        return shared(self.bench, self.recipes)

    def needed(self, name: str, fold: int) -> Files:
        return needed(self.bench, self.recipes, name, fold)

    def receive(self, name: str, fold: int, files: Files) -> None:
        receive(self.bench, self.recipes, name, fold, files)

    def folder(self, name: str, fold: int) -> Path:
        return self.bench.workspace.fold(name, fold)
