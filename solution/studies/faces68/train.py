"""Networks of 68 points, cross-validated in folds of persons. Each fold is measured in the way it will be used."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import GroupKFold

from solution import recipes
from solution.data.crop import aligned
from solution.data.landmarks68 import Frames, read_frames, without_flaws
from solution.deploy.photo.detector import UPRIGHT, HaarDetector
from solution.deploy.photo.finder import FaceFinder
from solution.deploy.photo.framing import Calibration, margins, mean_shape, picture_boxes
from solution.deploy.photo.landmarker import Landmarker, Reading
from solution.recipe import Recipe
from solution.run import check_scale, default_scale
from solution.runtime import lock
from solution.runtime.artifacts import Workspace, atomic, complete, digest_of, manifest, write_json, write_text
from solution.runtime.device import LOG, generator, log_to, pick_device
from solution.runtime.errors import UserError
from solution.runtime.workers import local
from solution.runtime.workers.local import check_jobs
from solution.runtime.workers.schedule import ReadOnce, incomplete
from solution.specialists.history import trained_for
from solution.specialists.job import METHODS
from solution.specialists.training import PREDICTIONS, Training
from solution.studies.faces68.crops import SHARE, held_faces, training_faces
from solution.studies.faces68.nme import Score, pooled, score


@dataclass(frozen=True)
class CalibrationConfig:
    """How sigma and the limit of the uncertainty are fitted to unseen faces."""

    within: float = 0.683  # share of the errors of an axis within sigma, as in a normal distribution
    sure: float = 0.99  # share of true faces whose uncertainty is below the limit before `room` enlarges it
    room: float = 1.25  # factor on the limit


SIGMA_FIT = CalibrationConfig()


def fitted(calibration: Calibration, readings: Sequence[Reading], labels: np.ndarray) -> Calibration:
    """The calibration with sigma_scale and uncertainty fitted to readings of unseen faces and their labels (N, K, 2).

    The readings must come from this calibration with `sigma_scale` 1, so that they are in the pictures' pixels.
    """
    errors = np.abs(np.stack([reading.coords for reading in readings]) - labels)
    sigma = np.stack([reading.sigma for reading in readings])[..., None]
    scale = np.quantile(errors / sigma, SIGMA_FIT.within, axis=(0, 2)).astype(np.float32)
    uncertainty = float(np.quantile([reading.uncertainty for reading in readings], SIGMA_FIT.sure)) * SIGMA_FIT.room
    return replace(calibration, sigma_scale=scale, uncertainty=uncertainty)


NAME = "unet_68"
FORMAT = 2  # raise it when the same settings would train to something else: old folds are then redone
FOLDS = 5
SEEN = "seen.txt"
"""File of the digests of the pictures that a fold has learnt from, a line each: it is never scored on them."""

BOXES = 400  # training pictures on which the detector's boxes are measured, about


@dataclass(frozen=True)
class Study(ReadOnce):
    """Labelled pictures, which are read when they are first needed, and the recipe trained on them."""

    root: Path
    data: Path  # a zip or a folder
    scale: str
    name: str = NAME  # of the recipe
    count: int = FOLDS  # the number of folds

    @cached_property
    def workspace(self) -> Workspace:
        """Named after the file and the folder it is in: such files are often called the same."""
        path = self.data.resolve()
        return Workspace(self.root, f"{path.parent.name}-{path.stem}").ready()

    @cached_property
    def frames(self) -> Frames:
        return without_flaws(read_frames(self.data))

    @cached_property
    def digest(self) -> str:
        return self.frames.digest()

    @cached_property
    def recipe(self) -> Recipe:
        """UserError where the recipe is not one for 68 points."""
        found = recipes.load(self.name)
        if found.subsets != (68,):
            raise UserError(f"--recipe {self.name}: expected one for 68 points, such as {NAME}")
        return found.at(self.scale)

    @cached_property
    def fold(self) -> np.ndarray:
        """Which fold holds each picture out, (N,): all of a person's in one. UserError with too few persons."""
        persons = np.array(self.frames.persons)
        found = len(np.unique(persons))
        if found < self.count:
            raise UserError(
                f"{self.data}: expected pictures of at least {self.count} persons for {self.count} folds, got {found}"
            )
        fold = np.empty(len(persons), np.int64)
        dealt = GroupKFold(self.count, shuffle=True, random_state=0).split(persons, groups=persons)
        for number, (_, held) in enumerate(dealt):
            fold[held] = number
        return fold

    def folder(self, fold: int) -> Path:
        return self.workspace.fold(self.name, fold)

    def inputs(self, fold: int) -> dict[str, Any]:
        """Everything a fold's result depends on."""
        return {
            "format": FORMAT,
            "recipe": self.recipe.settings(),
            "fold": fold,
            "data": self.digest,
            "folds": digest_of(self.fold.tolist()),
        }


@dataclass(frozen=True)
class FoldJob:
    """The study's recipe on one fold."""

    study: Study
    fold: int
    after: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.study.name}/{self.fold}"

    def is_complete(self) -> bool:
        """Whether the fold's files are intact and made from the same inputs."""
        return complete(self.study.folder(self.fold), self.study.inputs(self.fold))

    def run(self, device: torch.device) -> float:
        """Train, read the held-out pictures as any other, seal the folder; seconds taken, of all epochs."""
        began, study = time.perf_counter(), self.study
        folder, held = study.folder(self.fold), study.fold == self.fold
        learnt, unseen = study.frames.take(~held), study.frames.take(held)
        shape = mean_shape(learnt.coords, SHARE)
        crops = training_faces(learnt, shape, generator(study.name, study.recipe.seed, self.fold, "frames"))
        faces = held_faces(unseen, shape)
        training = Training(study.recipe, self.fold, folder, crops, faces, device, study.inputs(self.fold))
        training.open_folder()
        preparing = time.perf_counter() - began
        METHODS[study.recipe.method].train(training)
        began = time.perf_counter()
        found = measured(training, framing(learnt, shape), unseen)
        write_text(folder / SEEN, "".join(f"{digest}\n" for digest in sorted(set(learnt.digests))))
        seconds = preparing + trained_for(folder) + time.perf_counter() - began
        training.seal(seconds=round(seconds, 1), device=device.type, folds=study.count, **vars(found))
        LOG.info("%s: NME %.2f %%, RMSE %.2f px on %d unseen faces", training.title, *vars(found).values())
        return seconds


def train(study: Study, fold: int | None, device: torch.device, workers: int | None = None) -> Score | None:
    """Train every fold that is not complete, or one; the score over all folds, None while some are missing."""
    if fold is not None and not 0 <= fold < study.count:
        raise UserError(f"--fold {fold}: expected 0 to {study.count - 1}")
    with lock.hold(study.workspace.folds):
        LOG.info("Faces: %d of %d persons", len(study.frames), len(set(study.frames.persons)))
        missing = incomplete("Faces", [FoldJob(study, f) for f in range(study.count) if fold in (None, f)])
        stale = sum(manifest(study.folder(job.fold)) is not None for job in missing)
        if stale:
            LOG.warning("%s: %d trainings of other settings, pictures or folds are replaced", study.name, stale)
        local.run(missing, local.workers_for(device, workers))
        return _summary(study)


def framing(frames: Frames, shape: np.ndarray) -> Calibration:
    """How boxes and whole pictures become frames, measured on training faces. Sigma is not calibrated yet."""
    windows = [aligned(face, shape) for face in frames.coords]
    detector, boxes, boxed = HaarDetector(UPRIGHT), [], []
    for row in range(0, len(frames), max(1, len(frames) // BOXES)):
        found = next(detector.find(frames.images[row]), np.empty((0, 4)))
        if len(found) == 1:
            boxes.append(found[0])
            boxed.append(windows[row])
    whole = margins(windows, picture_boxes(frames.images))
    box = margins(boxed, np.array(boxes)) if boxes else whole
    return Calibration(shape, box, whole, np.ones(len(shape), np.float32), float("inf"))


def measured(training: Training, calibration: Calibration, frames: Frames) -> Score:
    """Predict unseen pictures, calibrate sigma on their errors, and write both; the score."""
    finder = FaceFinder(HaarDetector(UPRIGHT), Landmarker(training.folder, calibration, training.device))
    readings = [finder.read_whole(image) for image in frames.images]
    final = fitted(calibration, readings, frames.coords)
    final.write(training.folder)
    coords = np.stack([reading.coords for reading in readings]).astype(np.float32)
    sigma = np.stack([reading.sigma for reading in readings]).astype(np.float32) * final.sigma_scale
    with atomic(training.folder / PREDICTIONS) as temporary, temporary.open("wb") as handle:
        np.savez(handle, names=np.array(frames.names), coords=coords, sigma=sigma)
    return score(coords, frames.coords, finder.landmarker.schema)


def _summary(study: Study) -> Score | None:
    """Write and log the score of all folds together; None while not all are trained."""
    done = [f for f in range(study.count) if FoldJob(study, f).is_complete()]
    facts = [manifest(study.folder(f)) or {} for f in done]
    scores = [Score(fact["nme_percent"], fact["rmse"], fact["faces"]) for fact in facts]
    path = study.workspace.folds / study.name / "cv.json"
    if len(done) < study.count:
        path.unlink(missing_ok=True)  # it is of folds that are no longer there
        LOG.info("Cross-validation: %d of %d folds are trained", len(done), study.count)
        return None
    whole = pooled(scores)
    content = {**vars(whole), "seconds": sum(fact["seconds"] for fact in facts), "folds": [vars(one) for one in scores]}
    write_json(path, content)
    LOG.info("Cross-validated: NME %.2f %%, RMSE %.2f px, %d faces", *vars(whole).values())
    return whole


def open_study(
    options: argparse.Namespace, root: Path, recipe: str = NAME, folds: int = FOLDS
) -> tuple[Study, torch.device, int | None]:
    """The study that the options describe, its device, and the number of trainings at once."""
    jobs, device = check_jobs(options.jobs), pick_device(options.device)
    if folds < 2:
        raise UserError(f"--folds {folds}: expected 2 or more")
    if options.data is None:
        raise UserError("--data: expected a zip or folder with one *_frames_keypoints.csv and its pictures")
    scale = check_scale(options.scale or default_scale(options.data, device.type))
    study = Study(root, options.data, scale, recipe, folds)
    _, faces = study.recipe, len(study.frames)  # what is misspelt is refused before a folder is made for results
    log_to(study.workspace.folds / "log.txt")
    LOG.info("Scale %s on %s, %d faces; results under %s", scale, device, faces, study.workspace.folds)
    return study, device, jobs
