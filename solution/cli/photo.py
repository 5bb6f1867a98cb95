"""Faces in any picture: `photo`, `video`, and the 68-point network that `faces68` trains and `evaluate` scores."""

import argparse
from pathlib import Path

from solution.cli.parser import Command
from solution.runtime.errors import UserError

OUT = Path("photo-out")


def _photo_options(parser: argparse.ArgumentParser) -> None:
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


def _photo(options: argparse.Namespace, root: Path) -> int:
    from solution.deploy.photo.detector import HaarDetector
    from solution.deploy.photo.finder import FaceFinder
    from solution.deploy.photo.images import ImageRun
    from solution.deploy.photo.landmarker import open_landmarker

    finder = FaceFinder(HaarDetector(), open_landmarker(options.points, options.weights))
    out = options.out or (None if options.json else root / OUT)
    return ImageRun(finder, out, options.json, tuple(options.filter)).run(options.images)


PHOTO = Command(
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
    options=_photo_options,
    run=_photo,
)


def _video_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE|CAMERA", help="a video file, or a camera's number such as 0")
    add_reading_options(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: FILE-faces.mp4 here; none with --json")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each frame")
    parser.add_argument("--frames", type=int, default=0, metavar="N", help="stop after so many frames (default: all)")


def _video(options: argparse.Namespace, root: Path) -> int:
    if options.frames < 0:
        raise UserError(f"--frames {options.frames}: expected 0 or more")
    from solution.deploy.photo.detector import HaarDetector
    from solution.deploy.photo.finder import FaceFinder
    from solution.deploy.photo.landmarker import open_landmarker
    from solution.deploy.photo.tracking import Tracker
    from solution.deploy.photo.video import VideoRun

    # Searched in half a thousand pixels by one cascade: a face missed in this frame is found in one of the next.
    finder = FaceFinder(HaarDetector(480, 0.12, 1), open_landmarker(options.points, options.weights))
    out = options.out or (None if options.json else root / f"{Path(options.source).stem}-faces.mp4")
    return VideoRun(options.source, out, Tracker(finder), tuple(options.filter), options.json, options.frames).run()


VIDEO = Command(
    "follow the faces of a video or camera and their keypoints",
    "a video or camera",
    "a video with the points drawn",
    ("video film.mp4", "video 0 --frames 300 --out me.mp4", "video film.mp4 --points 68 --json > points.jsonl"),
    options=_video_options,
    run=_video,
)


def _faces68_options(parser: argparse.ArgumentParser) -> None:
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


def _faces68(options: argparse.Namespace, root: Path) -> None:
    from solution.studies.faces68.train import open_study, train

    study, device, jobs = open_study(options, root, options.recipe, options.folds)
    train(study, options.fold, device, jobs)


FACES68 = Command(
    "train the 68-point network on labelled pictures, folds of persons",
    "pictures with 68 points",
    "RECIPE/foldN/, RECIPE/cv.json",
    ("faces68 --data ~/faces68/training.zip", "faces68 --data ~/faces68/training.zip --fold 0"),
    options=_faces68_options,
    run=_faces68,
)


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    what = "a zip or folder with one *_frames_keypoints.csv and its pictures"
    parser.add_argument("--recipe", default="unet_68", metavar="NAME", help="unet_68 or unet_15 (default: unet_68)")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help=what)
    parser.add_argument("--weights", type=Path, metavar="DIR", help="a trained fold of faces68 (default: shipped ones)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def _evaluate(options: argparse.Namespace, root: Path) -> int:
    from solution.studies.faces68.evaluate import evaluate_network

    return evaluate_network(options.recipe, options.data, options.weights, options.json)


EVALUATE = Command(
    "score a network on pictures with 68 labelled points",
    "labelled pictures",
    "NME and RMSE",
    (
        "evaluate --recipe unet_68 --data ~/test.zip",
        "evaluate --recipe unet_68 --data ~/test.zip --json",
        "evaluate --recipe unet_15 --data ~/test.zip",
    ),
    options=_evaluate_options,
    run=_evaluate,
)


COMMANDS = {"photo": PHOTO, "video": VIDEO, "faces68": FACES68, "evaluate": EVALUATE}
