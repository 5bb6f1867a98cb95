"""`faces68`: a network of 68 points, cross-validated."""

import argparse
from pathlib import Path

from solution.verb import Verb

VERB = Verb(
    "train the 68-point network on labelled pictures, folds of persons",
    "pictures with 68 points",
    "RECIPE/foldN/, RECIPE/cv.json",
    ("faces68 --data ~/faces68/training.zip", "faces68 --data ~/faces68/training.zip --fold 0"),
)


def options(parser: argparse.ArgumentParser) -> None:
    what = "a zip or folder with one *_frames_keypoints.csv and its pictures"
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help=what)
    parser.add_argument("--recipe", default="unet_68", metavar="NAME", help="unet_68 or timm_68 (default: unet_68)")
    parser.add_argument(
        "--folds", type=int, default=5, metavar="N", help="hold out a share of 1/N of the persons (default: 5)"
    )
    parser.add_argument("--fold", type=int, metavar="K", help="only this fold")
    parser.add_argument("--scale", help="smoke, cpu or full (default: full with a GPU, cpu without)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument("--jobs", type=int, metavar="N", help="trainings at once (default: one a core, or one a GPU)")


def run(options: argparse.Namespace, root: Path) -> None:
    from solution.photo.training import train
    from solution.session import open_study

    study, device, jobs = open_study(options, root, options.recipe, options.folds)
    train(study, options.fold, device, jobs)
