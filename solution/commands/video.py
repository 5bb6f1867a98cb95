"""`video`: the keypoints of faces in a video or before a camera."""

import argparse
from pathlib import Path

from solution.commands.photo import add_reading_options
from solution.errors import UserError
from solution.verb import Verb

VERB = Verb(
    "follow the faces of a video or camera and their keypoints",
    "a video or camera",
    "a video with the points drawn",
    ("video film.mp4", "video 0 --frames 300 --out me.mp4", "video film.mp4 --points 68 --json > points.jsonl"),
)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE|CAMERA", help="a video file, or a camera's number such as 0")
    add_reading_options(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: FILE-faces.mp4 here; none with --json")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each frame")
    parser.add_argument("--frames", type=int, default=0, metavar="N", help="stop after so many frames (default: all)")


def run(options: argparse.Namespace, root: Path) -> int:
    if options.frames < 0:
        raise UserError(f"--frames {options.frames}: expected 0 or more")
    from solution.photo.detector import HaarDetector
    from solution.photo.finder import FaceFinder
    from solution.photo.landmarker import open_landmarker
    from solution.photo.tracking import Tracker
    from solution.photo.video import Film

    # Searched in half a thousand pixels by one cascade: a face missed in this frame is found in one of the next.
    finder = FaceFinder(HaarDetector(480, 0.12, 1), open_landmarker(options.points, options.weights))
    out = options.out or (None if options.json else root / f"{Path(options.source).stem}-faces.mp4")
    return Film(options.source, out, Tracker(finder), tuple(options.filter), options.json, options.frames).run()
