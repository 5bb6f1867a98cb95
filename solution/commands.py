"""What each verb of the command line does, in terms of the stages."""

import argparse
from pathlib import Path

from solution import outcomes, source, stages
from solution.data.files import DRAWN
from solution.executors import check_jobs
from solution.kaggle_client import download
from solution.pretrained import Weights
from solution.runtime import LOG, log_to, pick_device
from solution.stages import Run


def run(options: argparse.Namespace, root: Path) -> None:
    """Run the verb that the options name."""
    check_jobs(options.jobs)
    if options.scale is not None:
        stages.check_scale(options.scale)
    if options.verb == "download":
        LOG.info("Downloaded: %s", download(options.data or root / "data"))
        return
    session = open_run(options, root)
    if options.verb == "run" and options.fresh:
        stages.fresh(session)  # before the log is opened: it is one of the results
    log_to(session.workspace.folds / "log.txt")
    if options.verb == "run":
        _everything(session)
    elif options.verb == "train":
        stages.train(session, tuple(options.recipe), options.fold)
    elif options.verb == "submit":
        outcomes.submit(session, options.name, options.message)
    else:
        {
            "data": stages.data,
            "folds": stages.folds,
            "stack": stages.stack,
            "submission": outcomes.submission,
            "report": outcomes.report,
            "audit": outcomes.audit,
        }[options.verb](session)


def open_run(options: argparse.Namespace, root: Path) -> Run:
    """The run that the options describe: its source found, its device and scale chosen."""
    device = pick_device(options.device)
    found = source.find(root, options.data)
    scale = options.scale or default_scale(found.folder, device.type)
    LOG.info("Scale %s on %s", scale, device)
    weights = Weights(options.weights, not options.no_pretrained)
    return Run(root, found, scale, device, options.jobs, weights, options.use_twins)


def default_scale(folder: Path, device: str) -> str:
    """smoke for drawn faces, else full with a GPU and cpu without."""
    if (folder / DRAWN).is_file():
        return "smoke"
    return "full" if device == "cuda" else "cpu"


def _everything(session: Run) -> None:
    stages.data(session)
    stages.folds(session)
    stages.train(session)
    stages.stack(session)
    outcomes.submission(session)
    outcomes.report(session)
