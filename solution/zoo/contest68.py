"""The same contest on pictures with 68 points: folds of persons, faces framed as a detector finds them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch

from solution import executors, lock
from solution.data.frames import Frames
from solution.faces import FaceSet
from solution.frame import aligned
from solution.photo.calibration import mean_shape
from solution.photo.crops import SHARE, found_frame, framed, training_faces
from solution.photo.training import Study
from solution.recipes.unet_68 import RECIPE
from solution.runtime import LOG, generator
from solution.zoo import ancestors, arena
from solution.zoo.arena import FOLD, Arena, Contender
from solution.zoo.own import SCALE, Own


def contenders() -> dict[str, Contender]:
    """The ancestors that read all points with one network, and our U-Net of 68 points, by name."""
    idea = "U-Net of residual blocks; maps read as the mean of their softmax, Huber loss on coordinates"
    ours = Own(name=RECIPE.name, title="Our U-Net, 68 points", idea=idea, recipe=RECIPE.at(SCALE))
    earlier = [one for one in map(ancestors.load, ancestors.names()) if not one.each_point]
    every: list[Contender] = [*earlier, ours]
    return {one.name: one for one in every}


def arena_of(study: Study) -> Arena:
    """The study's pictures as 96×96 faces: to learn from both aligned and as found, to be measured on as found."""
    held, identity = study.fold == FOLD, {key: study.inputs(FOLD)[key] for key in ("data", "folds")}
    learnt, unseen = study.frames.take(~held), study.frames.take(held)
    shape = mean_shape(learnt.coords, SHARE)
    faces = training_faces(learnt, shape, generator("zoo", "frames", "train"))
    return Arena(faces, _found(unseen, shape), study.workspace.folds / "compare", identity)


def _found(frames: Frames, shape: np.ndarray) -> FaceSet:
    """Each face once, shifted and sized as a detector's frames are, one draw for all networks."""
    rng = generator("zoo", "frames", "held")
    return framed(frames, [found_frame(aligned(face, shape), rng) for face in frames.coords])


def train(
    study: Study, wanted: Sequence[Contender], seconds: float, device: torch.device, jobs: int | None = None
) -> None:
    """Train those that are not complete, `seconds` each."""
    with lock.hold(study.workspace.folds) as remark:
        if remark:
            LOG.warning(remark)
        place, workers = arena_of(study), executors.workers_for(device, jobs)
        missing = [one.name for one in wanted if arena.load(place, one, seconds) is None]
        arena.told(len(wanted), len(missing), len(workers), seconds)
        shared = (study.root, study.data, study.scale)
        executors.run([executors.Task(name, name, work, (*shared, name, seconds)) for name in missing], workers)


def work(root: Path, data: Path, scale: str, name: str, seconds: float, device: torch.device) -> float:
    """Train one network in whatever process this is; seconds taken."""
    return arena.compete(_reopened(root, data, scale), contenders()[name], seconds, device)


@cache
def _reopened(root: Path, data: Path, scale: str) -> Arena:
    """A worker's own view of the faces, framed once."""
    return arena_of(Study(root, data, scale))
