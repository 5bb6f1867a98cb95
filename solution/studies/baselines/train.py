"""Every system trained for the same time on the same split, of 15 points and of 68, measured on the held-out fold."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch

from solution.data.crop import aligned
from solution.data.landmarks68 import Frames
from solution.deploy.photo.framing import mean_shape
from solution.faces import FaceSet
from solution.recipes.unet_68 import RECIPE
from solution.run import Run, Source, exclusive, reopened
from solution.runtime import lock
from solution.runtime.artifacts import digest_of
from solution.runtime.device import LOG, generator
from solution.runtime.workers import local
from solution.specialists.landmarks.pretrained import InitWeights
from solution.studies.baselines import results, systems
from solution.studies.baselines.ours import SCALE, OurSystem, our_systems
from solution.studies.baselines.results import FOLD, Candidate, Split
from solution.studies.faces68.crops import SHARE, found_frame, framed, training_faces
from solution.studies.faces68.train import Study


def candidates() -> dict[str, Candidate]:
    """Every network of the comparison by name: the earlier systems, then ours."""
    every: list[Candidate] = [*map(systems.load, systems.names()), *our_systems()]
    return {one.name: one for one in every}


def split_of(run: Run) -> Split:
    """The run's labelled faces."""
    faces, fold = run.competition.train, run.table.fold
    identity = {"data": run.competition.train_digest, "folds": digest_of(fold.tolist())}
    return Split(faces.take(fold != FOLD), faces.take(fold == FOLD), run.workspace.folds / "compare", identity)


@exclusive
def train(run: Run, wanted: Sequence[Candidate], seconds: float) -> None:
    """Train those that are not complete, `seconds` each."""
    place, workers = split_of(run), local.workers_for(run.device, run.jobs)
    missing = [one.name for one in wanted if results.load(place, one, seconds) is None]
    results.describe(len(wanted), len(missing), len(workers), seconds)
    shared = (run.root, run.source, run.scale, run.weights)
    local.run([local.Task(name, name, work, (*shared, name, seconds)) for name in missing], workers)


def work(
    root: Path, source: Source, scale: str, weights: InitWeights, name: str, seconds: float, device: torch.device
) -> float:
    """Train one network in whatever process this is; seconds taken."""
    run = reopened(root, source, scale, weights)
    return results.compete(split_of(run), candidates()[name], seconds, device)


def candidates68() -> dict[str, Candidate]:
    """The earlier systems that read all points with one network, and our U-Net of 68 points, by name."""
    idea = "U-Net of residual blocks; maps read as the mean of their softmax, Huber loss on coordinates"
    ours = OurSystem(name=RECIPE.name, title="Our U-Net, 68 points", idea=idea, recipe=RECIPE.at(SCALE))
    earlier = [one for one in map(systems.load, systems.names()) if not one.each_point]
    every: list[Candidate] = [*earlier, ours]
    return {one.name: one for one in every}


def split68_of(study: Study) -> Split:
    """The study's pictures as 96×96 faces: to learn from both aligned and as found, to be measured on as found."""
    held, identity = study.fold == FOLD, {key: study.inputs(FOLD)[key] for key in ("data", "folds")}
    learnt, unseen = study.frames.take(~held), study.frames.take(held)
    shape = mean_shape(learnt.coords, SHARE)
    faces = training_faces(learnt, shape, generator("baselines", "frames", "train"))
    return Split(faces, _found(unseen, shape), study.workspace.folds / "compare", identity)


def _found(frames: Frames, shape: np.ndarray) -> FaceSet:
    """Each face once, shifted and sized as a detector's frames are, one draw for all networks."""
    rng = generator("baselines", "frames", "held")
    return framed(frames, [found_frame(aligned(face, shape), rng) for face in frames.coords])


def train68(
    study: Study, wanted: Sequence[Candidate], seconds: float, device: torch.device, jobs: int | None = None
) -> None:
    """Train those that are not complete, `seconds` each."""
    with lock.hold(study.workspace.folds) as remark:
        if remark:
            LOG.warning(remark)
        place, workers = split68_of(study), local.workers_for(device, jobs)
        missing = [one.name for one in wanted if results.load(place, one, seconds) is None]
        results.describe(len(wanted), len(missing), len(workers), seconds)
        shared = (study.root, study.data, study.scale)
        local.run([local.Task(name, name, work68, (*shared, name, seconds)) for name in missing], workers)


def work68(root: Path, data: Path, scale: str, name: str, seconds: float, device: torch.device) -> float:
    """Train one network in whatever process this is; seconds taken."""
    return results.compete(_reopened(root, data, scale), candidates68()[name], seconds, device)


@cache
def _reopened(root: Path, data: Path, scale: str) -> Split:
    """A worker's own view of the faces, framed once."""
    return split68_of(Study(root, data, scale))
