"""The data of a comparison, and the results of each network: trained for a given time and kept on disk."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solution.faces import FaceSet
from solution.runtime.artifacts import atomic, complete, manifest, seal
from solution.runtime.device import LOG
from solution.runtime.errors import UserError, suggestion
from solution.specialists.fit import Record
from solution.specialists.job import PREDICTED_BY
from solution.studies.baselines import timed_training
from solution.studies.baselines.baseline import System
from solution.studies.baselines.ours import OurSystem
from solution.studies.baselines.tasks import OurTask, SystemTask
from solution.studies.baselines.timed_training import TimedRun, TimedTask

Candidate = System | OurSystem

FORMAT = 2  # raise it when the same settings would train to something else: old results are then redone
FOLD = 0  # the fold held out of every training
WATCHED = 300  # held-out faces that are predicted during a training, about, evenly over the file
TIMED_RUN = "course.npz"
RECORD_FIELDS = ("share", "steps", "seconds", "loss")
FACTS = ("pictures", "predicting", "parameters", "multiply_adds")


@dataclass(frozen=True, eq=False)
class Split:
    """The data of a comparison."""

    train: FaceSet  # the faces that every network learns from
    held: FaceSet  # the faces of FOLD, on which every network is measured
    folder: Path  # contains a folder with the results of each network
    identity: Mapping[str, Any]  # digests of the faces and of the folds

    @cached_property
    def watched(self) -> np.ndarray:
        """Rows of the held-out faces that are predicted during a training."""
        return np.arange(0, len(self.held), max(1, len(self.held) // WATCHED))

    def inputs(self, candidate: Candidate, seconds: float) -> dict[str, Any]:
        """Everything that a result depends on except the machine's speed, as its manifest names it."""
        made = {"format": FORMAT, "seconds": seconds, "fold": FOLD, "candidate": candidate.settings()}
        predicting = {"predicting": PREDICTED_BY} if isinstance(candidate, OurSystem) else {}
        return {**made, **predicting, **self.identity}


def chosen(known: Mapping[str, Candidate], names: Sequence[str]) -> list[Candidate]:
    """The candidates with these names, or all. UserError, with the nearest name, if there is none."""
    for name in names:
        if name not in known:
            hint = suggestion(name, known) or f"There are: {', '.join(known)}."
            raise UserError(f"--only {name}: expected a network of the comparison. {hint}")
    return [known[name] for name in dict.fromkeys(names or known)]


def compete(split: Split, candidate: Candidate, seconds: float, device: torch.device) -> float:
    """Train one network and keep its results; the seconds that it took."""
    timed_run = timed_run_of(split, candidate, seconds, device)
    save(split, candidate, seconds, timed_run)
    last = timed_run.records[-1]
    LOG.info("%s: %d steps in %.0f s, loss %.4g", candidate.name, last.steps, timed_run.seconds, last.loss)
    return timed_run.seconds


def timed_run_of(split: Split, candidate: Candidate, seconds: float, device: torch.device) -> TimedRun:
    """Train one network; networks of one system share its time evenly and are trained one after the other."""
    tasks = list(_tasks(split, candidate, device))
    return timed_training.together([timed_training.train(task, seconds / len(tasks), split.held) for task in tasks])


def _tasks(split: Split, candidate: Candidate, device: torch.device) -> Iterator[TimedTask]:
    """The candidate's training tasks: one, or one a point."""
    faces, watched = split.train, split.held.take(split.watched)
    if isinstance(candidate, OurSystem):
        yield OurTask(candidate.recipe, faces, watched, split.folder / candidate.name, device)
        return
    points = np.arange(faces.schema.size)
    for part in np.split(points, len(points)) if candidate.each_point else [points]:
        yield SystemTask(candidate, part, faces, watched, device)


def save(split: Split, candidate: Candidate, seconds: float, timed_run: TimedRun) -> None:
    """Write a network's results and seal its folder."""
    folder, records = split.folder / candidate.name, timed_run.records
    arrays = {name: np.array([getattr(record, name) for record in records]) for name in RECORD_FIELDS}
    arrays |= {"coords": timed_run.coords, "watched": np.stack([record.value for record in records])}
    with atomic(folder / TIMED_RUN) as temporary, temporary.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
    facts = {name: getattr(timed_run, name) for name in FACTS}
    seal(folder, split.inputs(candidate, seconds), [TIMED_RUN], readings=list(timed_run.readings), **facts)


def load(split: Split, candidate: Candidate, seconds: float) -> TimedRun | None:
    """The results of a network's training for this long on these faces; None if there are none."""
    folder = split.folder / candidate.name
    if not complete(folder, split.inputs(candidate, seconds), [TIMED_RUN]):
        return None
    facts = manifest(folder) or {}
    with np.load(folder / TIMED_RUN, allow_pickle=False) as arrays:
        columns = zip(*(arrays[name].tolist() for name in RECORD_FIELDS), arrays["watched"], strict=True)
        records, coords = tuple(Record(*fields) for fields in columns), arrays["coords"]
    return TimedRun(tuple(facts["readings"]), records, coords, *(facts[name] for name in FACTS))
