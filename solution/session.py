"""From the command line's options to a run: its source found, its device and scale chosen, its log opened."""

import argparse
from pathlib import Path

import torch

from solution import ray_executor, source, stages
from solution.data.files import DRAWN
from solution.executors import check_jobs
from solution.pretrained import Weights
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
    weights = Weights(options.weights, not options.no_pretrained)
    run = Run(root, found, scale, device, options.jobs, weights, options.use_twins, options.executor)
    if fresh:
        stages.fresh(run)  # before the log is opened: it is one of the results
    log_to(run.workspace.folds / "log.txt")
    LOG.info("Scale %s on %s, data %s", scale, device, found.folder)
    return run


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
