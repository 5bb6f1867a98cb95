"""What the tests let workers do: importable there, which a function inside a test is not."""

import os
import time
from pathlib import Path

import torch

from solution.data.folds import make_folds
from solution.data.reader import read_competition
from solution.runtime.artifacts import Workspace
from solution.specialists.cross_validation import Workbench, run_job
from tests.tiny_recipes import ALL


def note(folder: Path, name: str, device: torch.device) -> float:
    """Leave a file that says when and where this began and ended."""
    began = time.time()
    time.sleep(0.05)
    (folder / name).write_text(f"{began} {time.time()} {os.getpid()} {device}")
    return 0.05


def fail(folder: Path, device: torch.device) -> float:
    raise RuntimeError("this one fails")


def die(folder: Path, device: torch.device) -> float:
    os._exit(1)


def bench_of(root: Path, data: Path) -> Workbench:
    """A bench on a folder of drawn faces."""
    workspace = Workspace(root, "tiny").ready()
    competition = read_competition(data, workspace.cache)
    return Workbench(workspace, competition, make_folds(competition.train))


def train_tiny(root: Path, data: Path, name: str, fold: int, device: torch.device) -> float:
    """Train one tiny recipe on one fold."""
    recipe = next(recipe for recipe in ALL if recipe.name == name)
    return run_job(bench_of(root, data), recipe, fold, ALL, device)


def meet(folder: Path, name: str, others: int, device: torch.device) -> float:
    """As `note`, once as many have come as there are workers: so each must take one."""
    (folder / f"{name}.here").touch()
    limit = time.time() + 60
    while len(list(folder.glob("*.here"))) < others:
        assert time.time() < limit, "the other worker took no task"
        time.sleep(0.01)
    return note(folder, name, device)
