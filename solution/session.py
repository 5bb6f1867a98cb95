"""From the command line's options to a run: its source found, its device and scale chosen, its log opened."""

import argparse
from pathlib import Path

from solution import source, stages
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
    device = pick_device(options.device)
    found = source.find(root, options.data)
    scale = options.scale or default_scale(found.folder, device.type)
    LOG.info("Scale %s on %s", scale, device)
    weights = Weights(options.weights, not options.no_pretrained)
    run = Run(root, found, scale, device, options.jobs, weights, options.use_twins)
    if fresh:
        stages.fresh(run)  # before the log is opened: it is one of the results
    log_to(run.workspace.folds / "log.txt")
    return run


def default_scale(folder: Path, device: str) -> str:
    """smoke for drawn faces, else full with a GPU and cpu without."""
    if (folder / DRAWN).is_file():
        return "smoke"
    return "full" if device == "cuda" else "cpu"
