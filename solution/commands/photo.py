"""`photo`: the keypoints of faces in any pictures."""

import argparse
from pathlib import Path

from solution.verb import Verb

VERB = Verb(
    "find the faces in pictures and their keypoints",
    "pictures",
    "drawn pictures, faces.json, faces.csv",
    (
        "photo holiday.jpg",
        "photo pictures/ --points 68 --out seen",
        "photo *.png --json",
        "photo me.jpg --filter sunglasses",
        "photo - --json < list.txt",
    ),
)
OUT = Path("photo-out")


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="a picture, a folder of pictures, or - for a list")
    add_reading_options(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"where drawings go (default: {OUT}; none with --json)")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each picture")


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """What `photo` and `video` share."""
    parser.add_argument("--points", type=int, choices=(15, 68), default=15, help="how many points (default: 15)")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="a trained fold of faces68 (default: shipped ones)")
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        choices=("sunglasses", "moustache", "hat", "clown"),
        help="draw this on the faces in place of the points (repeatable)",
    )


def run(options: argparse.Namespace, root: Path) -> int:
    from solution.photo.album import Album
    from solution.photo.detector import HaarDetector
    from solution.photo.finder import FaceFinder
    from solution.photo.landmarker import open_landmarker

    finder = FaceFinder(HaarDetector(), open_landmarker(options.points, options.weights))
    out = options.out or (None if options.json else root / OUT)
    return Album(finder, out, options.json, tuple(options.filter)).run(options.images)
