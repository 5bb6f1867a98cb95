"""What a contest is held on, and what came of each network in it: trained by the clock, kept on disk, read again."""

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
from solution.specialists.cross_validation import PREDICTED_BY
from solution.studies.baselines import timed_training
from solution.studies.baselines.baseline import Ancestor
from solution.studies.baselines.learner import AncestorLearner
from solution.studies.baselines.ours import Own, OwnLearner
from solution.studies.baselines.timed_training import Course, Look

Contender = Ancestor | Own

FORMAT = 1  # raise it when the same settings would train to something else: old results are then redone
FOLD = 0
"""The fold held out of every training."""

WATCHED = 300
"""Held-out faces looked at during a training, about, spread over the file."""

COURSE = "course.npz"
LOOK_FIELDS = ("share", "seconds", "steps", "loss")
FACTS = ("pictures", "predicting", "parameters", "multiply_adds")


@dataclass(frozen=True, eq=False)
class Arena:
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

    def inputs(self, contender: Contender, seconds: float) -> dict[str, Any]:
        """Everything a result depends on but the machine's speed, as its manifest names it."""
        made = {"format": FORMAT, "seconds": seconds, "fold": FOLD, "contender": contender.settings()}
        predicting = {"predicting": PREDICTED_BY} if isinstance(contender, Own) else {}  # ancestors predict as they did
        return {**made, **predicting, **self.identity}


def chosen(known: Mapping[str, Contender], names: Sequence[str]) -> list[Contender]:
    """The named ones, or all. UserError with the nearest name where there is none."""
    for name in names:
        if name not in known:
            hint = suggestion(name, known) or f"There are: {', '.join(known)}."
            raise UserError(f"--only {name}: expected a network of the contest. {hint}")
    return [known[name] for name in dict.fromkeys(names or known)]


def compete(arena: Arena, contender: Contender, seconds: float, device: torch.device) -> float:
    """Train one network and keep what came of it; seconds taken."""
    course = course_of(arena, contender, seconds, device)
    save(arena, contender, seconds, course)
    last = course.looks[-1]
    LOG.info("%s: %d steps in %.0f s, loss %.4g", contender.name, last.steps, course.seconds, last.loss)
    return course.seconds


def course_of(arena: Arena, contender: Contender, seconds: float, device: torch.device) -> Course:
    """Train one network; networks of one system share its time evenly and are trained one after the other."""
    faces, held, watched = arena.train, arena.held, arena.held.take(arena.watched)
    if isinstance(contender, Own):
        learner = OwnLearner(contender, faces, arena.folder / contender.name, device)
        return timed_training.train(learner, seconds, held, watched)
    points = np.arange(faces.schema.size)
    parts = np.split(points, len(points)) if contender.each_point else [points]
    return timed_training.together(
        [
            timed_training.train(AncestorLearner(contender, part, faces, device), seconds / len(parts), held, watched)
            for part in parts
        ]
    )


def save(arena: Arena, contender: Contender, seconds: float, course: Course) -> None:
    """Write what came of a network and seal its folder."""
    folder = arena.folder / contender.name
    arrays = {name: np.array([getattr(look, name) for look in course.looks]) for name in LOOK_FIELDS}
    arrays |= {
        "coords": course.coords,
        "watched": np.stack([look.coords for look in course.looks]),
    }
    with atomic(folder / COURSE) as temporary, temporary.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
    facts = {name: getattr(course, name) for name in FACTS}
    seal(folder, arena.inputs(contender, seconds), [COURSE], readings=list(course.readings), **facts)


def load(arena: Arena, contender: Contender, seconds: float) -> Course | None:
    """What came of a network's training for this long on these faces; None where there is none."""
    folder = arena.folder / contender.name
    if not complete(folder, arena.inputs(contender, seconds), [COURSE]):
        return None
    facts = manifest(folder) or {}
    with np.load(folder / COURSE, allow_pickle=False) as arrays:
        columns = zip(*(arrays[name].tolist() for name in LOOK_FIELDS), arrays["watched"], strict=True)
        looks, coords = tuple(Look(*fields) for fields in columns), arrays["coords"]
    return Course(tuple(facts["readings"]), looks, coords, *(facts[name] for name in FACTS))


def told(wanted: int, missing: int, at_once: int, seconds: float) -> None:
    """Say in the log how many networks are to be trained, and how long that takes at least."""
    LOG.info("Compare: %d of %d networks are complete", wanted - missing, wanted)
    if missing:
        at_once = min(at_once, missing)
        LOG.info("Compare: %d at a time, at least %.1f min in all", at_once, seconds * -(-missing // at_once) / 60)
