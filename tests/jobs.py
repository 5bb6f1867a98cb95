"""Runs for tests, and tasks that worker processes can import, which a function inside a test is not."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from solution.data.competition import Competition
from solution.data.folds import make_folds, write_folds
from solution.faces import FoldTable
from solution.recipe import Recipe
from solution.run import Run, Source
from tests.tiny_recipes import ALL


def run_on(
    root: Path, competition: Competition, table: FoldTable | None = None, recipes: Sequence[Recipe] = ALL
) -> Run:
    """A run of these recipes with its data already in memory, as if they had been read."""
    run = Run(root, Source(root / "nowhere", "tiny"), "smoke", torch.device("cpu"))
    vars(run).update(competition=competition, recipes=tuple(recipes), table=table or make_folds(competition.train))
    return run


def with_data(run: Run, **data: object) -> Run:
    """The run with another competition, table or recipes in memory."""
    varied = replace(run)
    vars(varied).update({name: getattr(run, name) for name in ("competition", "table", "recipes")} | data)
    return varied


def run_of(root: Path, data: Path, recipes: Sequence[Recipe] = ALL) -> Run:
    """A run of these recipes on a folder of drawn faces, with a fold table on disk."""
    run = Run(root, Source(data, "tiny"), "smoke", torch.device("cpu"))
    vars(run)["recipes"] = tuple(recipes)
    write_folds(run.workspace.fold_table, make_folds(run.competition.train), run.competition.train)
    return run


@dataclass(frozen=True)
class Note:
    """A task that writes into a file when and where it began and ended."""

    name: str
    folder: Path = Path()
    after: frozenset[str] = frozenset()

    def is_complete(self) -> bool:
        return (self.folder / self.name).is_file()

    def run(self, device: torch.device) -> float:
        began = time.time()
        time.sleep(0.05)
        (self.folder / self.name.replace("/", "")).write_text(f"{began} {time.time()} {os.getpid()} {device}")
        return 0.05


class Fail(Note):
    def run(self, device: torch.device) -> float:
        raise RuntimeError("this one fails")


class Die(Note):
    def run(self, device: torch.device) -> float:
        os._exit(1)


class Meet(Note):
    """As `Note`, once two of them have begun: so each of two workers must take one."""

    def run(self, device: torch.device) -> float:
        (self.folder / f"{self.name.replace('/', '')}.here").touch()
        limit = time.time() + 60
        while len(list(self.folder.glob("*.here"))) < 2:
            assert time.time() < limit, "the other worker took no task"
            time.sleep(0.01)
        return super().run(device)
