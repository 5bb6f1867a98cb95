"""The contest on the competition's faces: every network trained for the same time, measured on the held-out fold."""

from collections.abc import Sequence
from pathlib import Path

import torch

from solution import executors, stages
from solution.artefacts import digest_of
from solution.pretrained import FirstWeights
from solution.source import Source
from solution.stages import Run
from solution.zoo import ancestors, arena
from solution.zoo.arena import FOLD, Arena, Contender
from solution.zoo.own import own


def contenders() -> dict[str, Contender]:
    """Every network of the contest by name: the ancestors, then ours."""
    every: list[Contender] = [*map(ancestors.load, ancestors.names()), *own()]
    return {one.name: one for one in every}


def arena_of(run: Run) -> Arena:
    """The run's labelled faces."""
    faces, fold = run.competition.train, run.table.fold
    identity = {"data": run.competition.train_digest, "folds": digest_of(fold.tolist())}
    return Arena(faces.take(fold != FOLD), faces.take(fold == FOLD), run.workspace.folds / "compare", identity)


@stages.alone
def train(run: Run, wanted: Sequence[Contender], seconds: float) -> None:
    """Train those that are not complete, `seconds` each."""
    place, workers = arena_of(run), executors.workers_for(run.device, run.jobs)
    missing = [one.name for one in wanted if arena.load(place, one, seconds) is None]
    arena.told(len(wanted), len(missing), len(workers), seconds)
    shared = (run.root, run.source, run.scale, run.weights)
    executors.run([executors.Task(name, name, work, (*shared, name, seconds)) for name in missing], workers)


def work(
    root: Path, source: Source, scale: str, weights: FirstWeights, name: str, seconds: float, device: torch.device
) -> float:
    """Train one network in whatever process this is; seconds taken."""
    run = stages.reopened(root, source, scale, weights)
    return arena.compete(arena_of(run), contenders()[name], seconds, device)
