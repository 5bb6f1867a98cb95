"""The commands for faces in any picture: `photo`, `video`, and `faces68` and `evaluate` for 68 points."""

import argparse
from pathlib import Path

from solution.cli.parser import Command
from solution.runtime.errors import UserError

OUT = Path("photo-out")
LABELLED = "a zip or folder with pictures and one table *_frames_keypoints.csv of their 68 points"


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `photo` and `video` share."""
    parser.add_argument("--points", type=int, choices=(15, 68), default=15, help="number of points (default: 15)")
    _add_weights_option(parser)
    filters = "draw this on the faces instead of the points; may be repeated"
    choices = ("sunglasses", "moustache", "hat", "clown")
    parser.add_argument("--filter", action="append", default=[], choices=choices, help=filters)


def _add_weights_option(parser: argparse.ArgumentParser) -> None:
    weights = "the folder of a fold that faces68 trained (default: the weights in this repository)"
    parser.add_argument("--weights", type=Path, metavar="DIR", help=weights)


def _photo_options(parser: argparse.ArgumentParser) -> None:
    images = "a picture, a folder of pictures, or - for a list of names on standard input"
    parser.add_argument("images", nargs="+", metavar="IMAGE", help=images)
    add_reading_options(parser)
    out = f"folder for pictures and tables (default: {OUT}; with --json nothing is written)"
    parser.add_argument("--out", type=Path, metavar="DIR", help=out)
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each picture")


def _photo(options: argparse.Namespace, root: Path) -> int:
    from solution.deploy.photo.detector import HaarDetector
    from solution.deploy.photo.finder import FaceFinder
    from solution.deploy.photo.images import ImageRun
    from solution.deploy.photo.landmarker import open_landmarker

    finder = FaceFinder(HaarDetector(), open_landmarker(options.points, options.weights))
    out = options.out or (None if options.json else root / OUT)
    return ImageRun(finder, out, options.json, tuple(options.filter)).run(options.images)


def _video_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE|CAMERA", help="a video file, or the number of a camera, such as 0")
    add_reading_options(parser)
    out = "the video to write (default: FILE-faces.mp4; with --json nothing is written)"
    parser.add_argument("--out", type=Path, metavar="FILE", help=out)
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each frame")
    parser.add_argument("--frames", type=int, default=0, metavar="N", help="stop after N frames (default: all)")


def _video(options: argparse.Namespace, root: Path) -> int:
    if options.frames < 0:
        raise UserError(f"--frames {options.frames}: expected 0 or more")
    from solution.deploy.photo.detector import VIDEO, HaarDetector
    from solution.deploy.photo.finder import FaceFinder
    from solution.deploy.photo.landmarker import open_landmarker
    from solution.deploy.photo.tracking import Tracker
    from solution.deploy.photo.video import VideoRun

    finder = FaceFinder(HaarDetector(VIDEO), open_landmarker(options.points, options.weights))
    out = options.out or (None if options.json else root / f"{Path(options.source).stem}-faces.mp4")
    return VideoRun(options.source, out, Tracker(finder), tuple(options.filter), options.json, options.frames).run()


def _faces68_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help=LABELLED)
    parser.add_argument("--recipe", default="unet_68", metavar="NAME", help="unet_68 or timm_68 (default: unet_68)")
    folds = "number of folds; each holds out 1/N of the persons (default: 5)"
    parser.add_argument("--folds", type=int, default=5, metavar="N", help=folds)
    parser.add_argument("--fold", type=int, metavar="K", help="train only this fold")
    parser.add_argument("--scale", help="smoke, cpu or full (default: full with a GPU, cpu without)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    jobs = "number of trainings at the same time (default: one for each core, or for each GPU)"
    parser.add_argument("--jobs", type=int, metavar="N", help=jobs)


def _faces68(options: argparse.Namespace, root: Path) -> None:
    from solution.studies.faces68.train import open_study, train

    study, device, jobs = open_study(options, root, options.recipe, options.folds)
    train(study, options.fold, device, jobs)


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", default="unet_68", metavar="NAME", help="unet_68 or unet_15 (default: unet_68)")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help=LABELLED)
    _add_weights_option(parser)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def _evaluate(options: argparse.Namespace, root: Path) -> int:
    from solution.studies.faces68.evaluate import evaluate_network

    return evaluate_network(options.recipe, options.data, options.weights, options.json)


COMMANDS = {
    "photo": Command(
        help="find the faces in pictures, and their keypoints",
        needs="pictures",
        makes="pictures with the points drawn, faces.json, faces.csv",
        examples=(
            "photo holiday.jpg",
            "photo pictures/ --points 68 --out seen",
            "photo *.png --json",
            "photo me.jpg --filter sunglasses",
            "photo - --json < list.txt",
        ),
        options=_photo_options,
        run=_photo,
    ),
    "video": Command(
        help="follow the faces and their keypoints in a video or a camera's picture",
        needs="a video or a camera",
        makes="a video with the points drawn",
        examples=(
            "video film.mp4",
            "video 0 --frames 300 --out me.mp4",
            "video film.mp4 --points 68 --json > points.jsonl",
        ),
        options=_video_options,
        run=_video,
    ),
    "faces68": Command(
        help="train a network for 68 points on labelled pictures, in folds of persons",
        needs="pictures with 68 labelled points",
        makes="a folder RECIPE/foldK for each training, RECIPE/cv.json",
        examples=("faces68 --data ~/faces68/training.zip", "faces68 --data ~/faces68/training.zip --fold 0"),
        options=_faces68_options,
        run=_faces68,
    ),
    "evaluate": Command(
        help="measure a network's error on pictures with 68 labelled points",
        needs="pictures with 68 labelled points",
        makes="the errors on the terminal: NME and RMSE",
        examples=(
            "evaluate --recipe unet_68 --data ~/test.zip",
            "evaluate --recipe unet_68 --data ~/test.zip --json",
            "evaluate --recipe unet_15 --data ~/test.zip",
        ),
        options=_evaluate_options,
        run=_evaluate,
    ),
}
