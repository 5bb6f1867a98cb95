"""`faces68`: a network of 68 points, cross-validated."""

import argparse
from pathlib import Path

from solution.verb import Verb

VERB = Verb(
    "train the 68-point network on labelled pictures, folds of persons",
    "pictures with 68 points",
    "unet_68/foldN/, cv.json",
    ("faces68 --data ~/faces68/training.zip", "faces68 --data ~/faces68/training.zip --fold 0"),
)


def options(parser: argparse.ArgumentParser) -> None:
    what = "a zip or folder with one *_frames_keypoints.csv and its pictures"
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help=what)
    parser.add_argument("--fold", type=int, metavar="K", help="only this fold")
    parser.add_argument("--scale", help="smoke, cpu or full (default: full with a GPU, cpu without)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument("--jobs", type=int, metavar="N", help="trainings at once (default: one a core, or one a GPU)")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import stages
    from solution.executors import check_jobs
    from solution.photo.training import Study, train
    from solution.runtime import LOG, log_to, pick_device

    device = pick_device(options.device)
    scale = stages.check_scale(options.scale or ("full" if device.type == "cuda" else "cpu"))
    study = Study(root, options.data, scale)
    log_to(study.workspace.folds / "log.txt")
    LOG.info("Scale %s on %s; results under %s", scale, device, study.workspace.folds)
    train(study, options.fold, device, check_jobs(options.jobs))
