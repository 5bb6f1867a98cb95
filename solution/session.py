"""From the command line's options to a run or a study: source found, device and scale chosen, log opened."""

import argparse
from pathlib import Path

import torch

from solution import ray_executor, recipes, source, stages
from solution.data.files import DRAWN
from solution.errors import UserError
from solution.executors import check_jobs
from solution.photo.training import FOLDS, NAME, Study
from solution.pretrained import FirstWeights, asks
from solution.runtime import LOG, log_to, pick_device
from solution.stages import Run


def open_run(options: argparse.Namespace, root: Path, fresh: bool = False) -> Run:
    """The run that the options describe. fresh: forget its earlier results first."""
    check_jobs(options.jobs)
    if options.scale is not None:
        stages.check_scale(options.scale)
    device = _device(ray_executor.check_executor(options.executor), options.device)
    found = source.find(root, options.data)
    scale = options.scale or default_scale(found.folder, device.type)
    weights = FirstWeights(options.weights, not options.no_pretrained)
    run = Run(root, found, scale, device, options.jobs, weights, options.use_duplicates, options.executor)
    if fresh:
        stages.fresh(run)  # before the log is opened: it is one of the results
    log_to(run.workspace.folds / "log.txt")
    LOG.info("Scale %s on %s, data %s", scale, device, found.folder)
    if options.weights and not any(asks(recipe) for recipe in recipes.load_all() if scale in recipe.runs_at):
        LOG.warning("--weights %s: not read, no recipe of scale %s starts from ImageNet's", options.weights, scale)
    return run


def open_study(
    options: argparse.Namespace, root: Path, recipe: str = NAME, folds: int = FOLDS
) -> tuple[Study, torch.device, int | None]:
    """The study of pictures with 68 points that the options describe, what it trains on, and how many at once."""
    jobs, device = check_jobs(options.jobs), pick_device(options.device)
    if folds < 2:
        raise UserError(f"--folds {folds}: expected 2 or more")
    if options.data is None:
        raise UserError("--data: expected a zip or folder with one *_frames_keypoints.csv and its pictures")
    scale = stages.check_scale(options.scale or default_scale(options.data, device.type))
    study = Study(root, options.data, scale, recipe, folds)
    _, faces = study.recipe, len(study.frames)  # what is misspelt is refused before a folder is made for results
    log_to(study.workspace.folds / "log.txt")
    LOG.info("Scale %s on %s, %d faces; results under %s", scale, device, faces, study.workspace.folds)
    return study, device, jobs


def _device(executor: str, wish: str) -> torch.device:
    """What trainings run on: of this machine, or of the cluster's."""
    if executor == ray_executor.LOCAL:
        return pick_device(wish)
    return ray_executor.pick_device(ray_executor.address_of(executor), wish)


def default_scale(folder: Path, device: str) -> str:
    """smoke for drawn faces, else full with a GPU and cpu without."""
    if (folder / DRAWN).is_file():
        return "smoke"
    return "full" if device == "cuda" else "cpu"
