"""The contest: every network trained for the same time on the same rows, its predictions of the held-out fold kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solution import executors, stages
from solution.artefacts import atomic, complete, digest_of, manifest, seal
from solution.errors import UserError, suggestion
from solution.faces import FaceSet
from solution.pretrained import Weights
from solution.runtime import LOG
from solution.source import Source
from solution.stages import Run
from solution.zoo import ancestors, clock
from solution.zoo.ancestor import Ancestor
from solution.zoo.clock import Course, Look
from solution.zoo.learner import AncestorLearner
from solution.zoo.own import Own, OwnLearner, own

Contender = Ancestor | Own

FORMAT = 1  # raise it when the same settings would train to something else: old results are then redone
FOLD = 0
"""The fold held out of every training."""

WATCHED = 300
"""Held-out faces looked at during a training, about, spread over the file."""

COURSE = "course.npz"
LOOK_FIELDS = ("share", "seconds", "steps", "loss")


def contenders() -> dict[str, Contender]:
    """Every network of the contest by name: the ancestors, then ours."""
    return {one.name: one for one in [*map(ancestors.load, ancestors.names()), *own()]}


def chosen(names: Sequence[str]) -> list[Contender]:
    """The named ones, or all. UserError with the nearest name where there is none."""
    known = contenders()
    for name in names:
        if name not in known:
            hint = suggestion(name, known) or f"There are: {', '.join(known)}."
            raise UserError(f"--only {name}: expected a network of the contest. {hint}")
    return [known[name] for name in names or known]


def held_out(run: Run) -> FaceSet:
    """The faces that every network is measured on."""
    return run.competition.train.take(run.table.fold == FOLD)


def watched_of(held: FaceSet) -> np.ndarray:
    """Rows of the held-out faces that are looked at during a training."""
    return np.arange(0, len(held), max(1, len(held) // WATCHED))


@stages.alone
def train(run: Run, wanted: Sequence[Contender], seconds: float) -> None:
    """Train those that are not complete, `seconds` each."""
    missing = [one for one in wanted if load(run, one, seconds) is None]
    LOG.info("Compare: %d of %d networks are complete", len(wanted) - len(missing), len(wanted))
    workers = executors.workers_for(run.device, run.jobs)
    if missing:
        least = seconds * -(-len(missing) // len(workers)) / 60
        LOG.info("Compare: %d at a time, at least %.1f min in all", min(len(workers), len(missing)), least)
    shared = (run.root, run.source, run.scale, run.weights)
    tasks = [executors.Task(one.name, one.name, work, (*shared, one.name, seconds)) for one in missing]
    executors.run(tasks, workers)


def work(
    root: Path, source: Source, scale: str, weights: Weights, name: str, seconds: float, device: torch.device
) -> float:
    """Train one network in whatever process this is and keep what came of it; seconds taken."""
    run = stages.reopened(root, source, scale, weights)
    contender = contenders()[name]
    course = course_of(run, contender, seconds, device)
    _save(run, contender, seconds, course)
    LOG.info("%s: %d steps in %.0f s, loss %.4g", name, course.looks[-1].steps, course.seconds, course.looks[-1].loss)
    return course.seconds


def course_of(run: Run, contender: Contender, seconds: float, device: torch.device) -> Course:
    """Train one network; networks of one system share its time evenly and are trained one after the other."""
    faces, held = run.competition.train.take(run.table.fold != FOLD), held_out(run)
    watched = held.take(watched_of(held))
    if isinstance(contender, Own):
        return clock.train(OwnLearner(contender, faces, folder_of(run, contender), device), seconds, held, watched)
    points = np.arange(faces.schema.size)
    parts = np.split(points, len(points)) if contender.each_point else [points]
    return clock.together(
        [
            clock.train(AncestorLearner(contender, part, faces, device), seconds / len(parts), held, watched)
            for part in parts
        ]
    )


def folder_of(run: Run, contender: Contender) -> Path:
    """Where a network's result lies."""
    return run.workspace.folds / "compare" / contender.name


def inputs_of(run: Run, contender: Contender, seconds: float) -> dict[str, Any]:
    """Everything a result depends on but the machine's speed, as its manifest names it."""
    return {
        "format": FORMAT,
        "contender": contender.settings(),
        "seconds": seconds,
        "fold": FOLD,
        "data": run.competition.digest,
        "folds": digest_of(run.table.fold.tolist()),
    }


def _save(run: Run, contender: Contender, seconds: float, course: Course) -> None:
    folder = folder_of(run, contender)
    held = held_out(run)
    arrays = {name: np.array([getattr(look, name) for look in course.looks]) for name in LOOK_FIELDS}
    arrays |= {
        "ids": held.ids,
        "coords": course.coords,
        "watched_ids": held.ids[watched_of(held)],
        "watched": np.stack([look.coords for look in course.looks]),
    }
    with atomic(folder / COURSE) as temporary, temporary.open("wb") as handle:
        np.savez(handle, **arrays)
    facts = {name: getattr(course, name) for name in ("pictures", "predicting", "parameters", "multiply_adds")}
    seal(folder, inputs_of(run, contender, seconds), [COURSE], readings=list(course.readings), **facts)


def load(run: Run, contender: Contender, seconds: float) -> Course | None:
    """What came of a network's training for this long on this data; None where there is none."""
    folder = folder_of(run, contender)
    if not complete(folder, inputs_of(run, contender, seconds), [COURSE]):
        return None
    facts = manifest(folder) or {}
    with np.load(folder / COURSE, allow_pickle=False) as arrays:
        columns = zip(*(arrays[name].tolist() for name in LOOK_FIELDS), arrays["watched"], strict=True)
        looks, coords = tuple(Look(*fields) for fields in columns), arrays["coords"]
    names = ("pictures", "predicting", "parameters", "multiply_adds")
    return Course(tuple(facts["readings"]), looks, coords, *(facts[name] for name in names))
