"""What travels between the driver and the machines that train: the data, and finished folders as their files."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solution import checkpoint
from solution.artefacts import MANIFEST, seal, write_bytes
from solution.data.competition import Competition
from solution.faces import FoldTable
from solution.recipe import Recipe
from solution.specialists import Workbench

PAUSE = 60.0

Files = dict[str, bytes]
"""Content by path below a root, with forward slashes."""


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


def pack(root: Path, folder: Path) -> Files:
    """The files of one folder, named from root."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def unpack(root: Path, files: Files) -> None:
    """Write files below root. For a folder that nobody else reads yet."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class DamagedError(Exception):
    """What came back from a machine is not what its manifest says."""


def receive(bench: Workbench, recipes: Sequence[Recipe], name: str, fold: int, files: Files) -> None:
    """Write a finished training's files and seal their folder, as `specialists.run_job` does.

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
    if recipe.start_from is not None and workspace.fold(recipe.start_from, fold).is_dir():
        files |= pack(root, workspace.fold(recipe.start_from, fold))
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
