"""What a comparison is held on, and what came of each network in it: trained by the clock, kept on disk, read again."""

from collections.abc import Mapping, Sequence
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
from solution.specialists.job import PREDICTED_BY
from solution.studies.baselines import timed_training
from solution.studies.baselines.baseline import System
from solution.studies.baselines.learner import SystemLearner
from solution.studies.baselines.ours import OurLearner, OurSystem
from solution.studies.baselines.timed_training import Checkpoint, TimedRun

Candidate = System | OurSystem

FORMAT = 2  # raise it when the same settings would train to something else: old results are then redone
FOLD = 0
"""The fold held out of every training."""

WATCHED = 300
"""Held-out faces looked at during a training, about, spread over the file."""

TIMED_RUN = "course.npz"
CHECKPOINT_FIELDS = ("share", "seconds", "steps", "loss")
FACTS = ("pictures", "predicting", "parameters", "multiply_adds")


@dataclass(frozen=True, eq=False)
class Split:
    """The faces that every network learns from, and those of FOLD that every one is measured on.

    folder: where results lie, a folder a network. identity: what the faces are and how they were dealt into folds.
    """

    train: FaceSet
    held: FaceSet
    folder: Path
    identity: Mapping[str, Any]

    @cached_property
    def watched(self) -> np.ndarray:
        """Rows of the held-out faces that are looked at during a training."""
        return np.arange(0, len(self.held), max(1, len(self.held) // WATCHED))

    def inputs(self, candidate: Candidate, seconds: float) -> dict[str, Any]:
        """Everything a result depends on but the machine's speed, as its manifest names it."""
        made = {"format": FORMAT, "seconds": seconds, "fold": FOLD, "candidate": candidate.settings()}
        predicting = (
            {"predicting": PREDICTED_BY} if isinstance(candidate, OurSystem) else {}
        )  # earlier systems predict as they did
        return {**made, **predicting, **self.identity}


def chosen(known: Mapping[str, Candidate], names: Sequence[str]) -> list[Candidate]:
    """The named ones, or all. UserError with the nearest name where there is none."""
    for name in names:
        if name not in known:
            hint = suggestion(name, known) or f"There are: {', '.join(known)}."
            raise UserError(f"--only {name}: expected a network of the contest. {hint}")
    return [known[name] for name in dict.fromkeys(names or known)]


def compete(split: Split, candidate: Candidate, seconds: float, device: torch.device) -> float:
    """Train one network and keep what came of it; seconds taken."""
    timed_run = timed_run_of(split, candidate, seconds, device)
    save(split, candidate, seconds, timed_run)
    last = timed_run.checkpoints[-1]
    LOG.info("%s: %d steps in %.0f s, loss %.4g", candidate.name, last.steps, timed_run.seconds, last.loss)
    return timed_run.seconds


def timed_run_of(split: Split, candidate: Candidate, seconds: float, device: torch.device) -> TimedRun:
    """Train one network; networks of one system share its time evenly and are trained one after the other."""
    faces, held, watched = split.train, split.held, split.held.take(split.watched)
    if isinstance(candidate, OurSystem):
        learner = OurLearner(candidate, faces, split.folder / candidate.name, device)
        return timed_training.train(learner, seconds, held, watched)
    points = np.arange(faces.schema.size)
    parts = np.split(points, len(points)) if candidate.each_point else [points]
    return timed_training.together(
        [
            timed_training.train(SystemLearner(candidate, part, faces, device), seconds / len(parts), held, watched)
            for part in parts
        ]
    )


def save(split: Split, candidate: Candidate, seconds: float, timed_run: TimedRun) -> None:
    """Write what came of a network and seal its folder."""
    folder = split.folder / candidate.name
    arrays = {
        name: np.array([getattr(checkpoint, name) for checkpoint in timed_run.checkpoints])
        for name in CHECKPOINT_FIELDS
    }
    arrays |= {
        "coords": timed_run.coords,
        "watched": np.stack([checkpoint.coords for checkpoint in timed_run.checkpoints]),
    }
    with atomic(folder / TIMED_RUN) as temporary, temporary.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
    facts = {name: getattr(timed_run, name) for name in FACTS}
    seal(folder, split.inputs(candidate, seconds), [TIMED_RUN], readings=list(timed_run.readings), **facts)


def load(split: Split, candidate: Candidate, seconds: float) -> TimedRun | None:
    """What came of a network's training for this long on these faces; None where there is none."""
    folder = split.folder / candidate.name
    if not complete(folder, split.inputs(candidate, seconds), [TIMED_RUN]):
        return None
    facts = manifest(folder) or {}
    with np.load(folder / TIMED_RUN, allow_pickle=False) as arrays:
        columns = zip(*(arrays[name].tolist() for name in CHECKPOINT_FIELDS), arrays["watched"], strict=True)
        checkpoints, coords = tuple(Checkpoint(*fields) for fields in columns), arrays["coords"]
    return TimedRun(tuple(facts["readings"]), checkpoints, coords, *(facts[name] for name in FACTS))
