"""The comparison's trainings: every network for the same time on the same faces, with 15 points and with 68."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from solution.data.crop import aligned
from solution.data.landmarks68 import Frames
from solution.deploy.photo.framing import mean_shape
from solution.faces import FaceSet
from solution.recipes.unet_68 import RECIPE
from solution.run import Run, exclusive
from solution.runtime import lock
from solution.runtime.artifacts import digest_of
from solution.runtime.device import LOG, generator
from solution.runtime.workers import local
from solution.runtime.workers.schedule import ReadOnce, incomplete
from solution.studies.baselines import results, systems
from solution.studies.baselines.ours import SCALE, OurSystem, our_systems
from solution.studies.baselines.results import FOLD, Candidate, Split
from solution.studies.faces68.crops import SHARE, found_frame, framed, training_faces
from solution.studies.faces68.train import Study


def candidates() -> dict[str, Candidate]:
    """Every network of the comparison, by name: the earlier systems, then ours."""
    every: list[Candidate] = [*map(systems.load, systems.names()), *our_systems()]
    return {candidate.name: candidate for candidate in every}


def split_of(run: Run) -> Split:
    """The run's labelled faces."""
    faces, fold = run.competition.train, run.table.fold
    identity = {"data": run.competition.train_digest, "folds": digest_of(fold.tolist())}
    return Split(faces.take(fold != FOLD), faces.take(fold == FOLD), run.workspace.folds / "compare", identity)


@dataclass(frozen=True)
class CandidateJob:
    """One network of the comparison."""

    data: "ComparedData"
    candidate: Candidate
    seconds: float
    after: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.candidate.name

    def is_complete(self) -> bool:
        """Whether the network's results are there."""
        return results.load(self.data.split, self.candidate, self.seconds) is not None

    def run(self, device: torch.device) -> float:
        """Train the network and keep its results; seconds taken."""
        return results.compete(self.data.split, self.candidate, self.seconds, device)


@dataclass(frozen=True)
class ComparedData(ReadOnce):
    """The faces of a run or of a study of 68 points, split once."""

    source: Run | Study

    @cached_property
    def split(self) -> Split:
        return split_of(self.source) if isinstance(self.source, Run) else split68_of(self.source)


@exclusive
def train(run: Run, wanted: Sequence[Candidate], seconds: float) -> None:
    """Train the candidates that are not complete, `seconds` each."""
    _train(ComparedData(run), wanted, seconds, local.workers_for(run.device, run.workers))


def _train(data: ComparedData, wanted: Sequence[Candidate], seconds: float, workers: Sequence[str]) -> None:
    jobs = [CandidateJob(data, candidate, seconds) for candidate in wanted]
    missing = incomplete("Compare", jobs, "networks")
    if missing:
        at_once = min(len(workers), len(missing))
        LOG.info("Compare: %d at a time, at least %.1f min in all", at_once, seconds * -(-len(missing) // at_once) / 60)
    local.run(missing, workers)


def candidates68() -> dict[str, Candidate]:
    """The earlier systems with one network for all points, and our U-Net of 68 points, by name."""
    idea = "U-Net of residual blocks; maps read as the mean of their softmax, Huber loss on coordinates"
    ours = OurSystem(name=RECIPE.name, title="Our U-Net, 68 points", idea=idea, recipe=RECIPE.at(SCALE))
    earlier = [system for system in map(systems.load, systems.names()) if not system.each_point]
    every: list[Candidate] = [*earlier, ours]
    return {candidate.name: candidate for candidate in every}


def split68_of(study: Study) -> Split:
    """The study's pictures as 96×96 faces: aligned and as detected for training, as detected for measuring."""
    held, identity = study.fold == FOLD, {key: study.inputs(FOLD)[key] for key in ("data", "folds")}
    learnt, unseen = study.frames.take(~held), study.frames.take(held)
    shape = mean_shape(learnt.coords, SHARE)
    faces = training_faces(learnt, shape, generator("baselines", "frames", "train"))
    return Split(faces, _found(unseen, shape), study.workspace.folds / "compare", identity)


def _found(frames: Frames, shape: np.ndarray) -> FaceSet:
    """Each face once, in a frame as a detector finds it: the same for all networks."""
    rng = generator("baselines", "frames", "held")
    return framed(frames, [found_frame(aligned(face, shape), rng) for face in frames.coords])


def train68(
    study: Study, wanted: Sequence[Candidate], seconds: float, device: torch.device, workers: int | None = None
) -> None:
    """Train those that are not complete, `seconds` each."""
    with lock.hold(study.workspace.folds):
        _train(ComparedData(study), wanted, seconds, local.workers_for(device, workers))
