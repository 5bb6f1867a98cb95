"""`evaluate`: how well a network reads labelled pictures."""

import argparse
from pathlib import Path

from solution.verb import Verb

VERB = Verb(
    "score a network on pictures with 68 labelled points",
    "labelled pictures",
    "NME and RMSE",
    (
        "evaluate --recipe unet_68 --data ~/test.zip",
        "evaluate --recipe unet_68 --data ~/test.zip --json",
        "evaluate --recipe unet_15 --data ~/test.zip",
    ),
)


def options(parser: argparse.ArgumentParser) -> None:
    what = "a zip or folder with one *_frames_keypoints.csv and its pictures"
    parser.add_argument("--recipe", default="unet_68", metavar="NAME", help="unet_68 or unet_15 (default: unet_68)")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help=what)
    parser.add_argument("--weights", type=Path, metavar="DIR", help="a trained fold of faces68 (default: shipped ones)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    from solution.photo.judging import judge

    return judge(options.recipe, options.data, options.weights, options.json)
