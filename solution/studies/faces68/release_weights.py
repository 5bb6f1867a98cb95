"""From finished trainings, make the weights that come with the code: network, calibration, manifest and a card.

Other networks start from a trunk. It is stored in half precision, without its head and without a calibration.

python -m solution.studies.faces68.release_weights 15 folds/fkd/unet_15/fold0 --data ~/fkd \
    --frames ~/faces68/training.zip
python -m solution.studies.faces68.release_weights 68 folds/faces68-training/unet_68/fold0
python -m solution.studies.faces68.release_weights trunk folds/faces68-training/timm_68/fold0
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save

from solution.data.competition import Competition
from solution.data.crop import aligned
from solution.data.folds import read_folds
from solution.data.landmarks68 import Frames, read_frames
from solution.data.reader import read_competition
from solution.deploy.photo.detector import UPRIGHT, HaarDetector
from solution.deploy.photo.framing import FILE, Calibration, margins
from solution.deploy.photo.landmarker import RECIPES, Landmarker
from solution.keypoints import fifteen_of
from solution.runtime.artifacts import MANIFEST, atomic, intact, manifest, seal, write_bytes, write_text
from solution.specialists.landmarks.network import HEAD
from solution.specialists.landmarks.predict import OFFSET
from solution.specialists.landmarks.pretrained import SHIPPED
from solution.specialists.training import HISTORY, SETTINGS, WEIGHTS
from solution.studies.faces68.train import BOXES, SEEN, fitted

CARD = "card.md"
NETWORK = (WEIGHTS, SETTINGS, OFFSET, HISTORY)


def release_68(fold: Path, target: Path) -> None:
    """Copy a fold that `faces68` has trained."""
    facts = manifest(fold) or {}
    card = f"""# unet_68: 68 points

- Made by: `{_command(facts)}`,
  settings as in `{SETTINGS}` ({facts["inputs"]["recipe"]["epochs"]} epochs), on {facts["device"]}, one core.
- Data: colour crops of faces out of videos with 68 points each, the pictures of `{SEEN}` alone ({_lines(fold / SEEN)}).
  No picture or label is in here.
- Measured on the {facts["faces"]} faces of that fold's held-out persons, found, framed and read as any picture is:
  NME {facts["nme_percent"]:.2f} % of the distance between the outer corners of the eyes, RMSE {facts["rmse"]:.2f} px.
- `{FILE}`: how a box becomes a frame, from training faces; the scale of sigma, from the held-out faces.
- Licence: the code's. The pictures that it learnt from are under their own terms: see them before you sell what is
  made with these weights.
"""
    _copy(fold, target, (*NETWORK, FILE, SEEN))
    _sealed(target, card, {"from": facts["inputs"], "score": {k: facts[k] for k in ("nme_percent", "rmse", "faces")}})


def release_trunk(fold: Path, target: Path) -> None:
    """Copy the part of a fold of `faces68` that other networks can start from."""
    facts = manifest(fold) or {}
    name = facts["inputs"]["recipe"]["name"]
    card = f"""# {name}: a trunk to start from

- Made by: `{_command(facts)}`,
  settings as in `{SETTINGS}` ({facts["inputs"]["recipe"]["epochs"]} epochs), on {facts["device"]}, one core.
  In half precision, without the head of 68 points.
- Data: colour crops of faces out of videos with 68 points each, the pictures of `{SEEN}` alone ({_lines(fold / SEEN)}).
  No picture or label is in here.
- Measured, with its head, on the {facts["faces"]} faces of that fold's held-out persons: NME
  {facts["nme_percent"]:.2f} % of the distance between the outer corners of the eyes, RMSE {facts["rmse"]:.2f} px.
- Licence: the code's. The pictures that it learnt from are under their own terms: see them before you sell what is
  made with these weights.
"""
    tensors = {name: value for name, value in load_file(fold / WEIGHTS).items() if not name.startswith(HEAD)}
    halves = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    _copy(fold, target, (SETTINGS, HISTORY, SEEN))
    write_bytes(target / WEIGHTS, save(halves))
    _sealed(target, card, {"from": facts["inputs"], "score": {k: facts[k] for k in ("nme_percent", "rmse", "faces")}})


def release_15(fold: Path, competition: Competition, held: np.ndarray, frames: Frames, target: Path) -> None:
    """Copy a competition's fold with the calibration of photos for it. held: its held-out rows, bool (N,)."""
    facts = manifest(fold) or {}
    _copy(fold, target, NETWORK)
    known = ~np.isnan(competition.train.coords).any(axis=(1, 2))
    shape = competition.train.coords[known & ~held].mean(axis=0, dtype=np.float64)
    plain = Calibration(shape, _box(frames, shape), (0.0, 0.0, 1.0), np.ones(len(shape), np.float32), float("inf"))
    landmarker = Landmarker(target, plain, torch.device("cpu"))
    faces = competition.train.take(known & held)
    readings = [landmarker.read(image, [plain.of_picture(image)])[0] for image in faces.images]
    fitted(plain, readings, faces.coords).write(target)
    errors = np.stack([reading.coords for reading in readings]) - faces.coords
    rmse = float(np.sqrt((errors**2).mean()))
    card = f"""# {facts["inputs"]["recipe"]["name"]}: 15 points

- Made by: `python -m solution run --scale cpu` on Kaggle's Facial Keypoints Detection, fold {facts["inputs"]["fold"]},
  recipe as in `{SETTINGS}`: from the weights of `unet_all` of the same fold, {facts["seconds"] / 60:.1f} minutes on
  {facts["device"]}, one core.
- Data: the competition's labelled faces less that fold. No picture or label is in here.
- Measured on the {len(faces)} held-out faces with all 15 labels, framed by their own points as a photo's faces are:
  RMSE {rmse:.3f} px of 96 (over every label, wrong ones included).
- `{FILE}`: the mean training face; how a detector's box becomes a frame, from {len(frames)} labelled pictures of
  another source; the scale of sigma, from the held-out faces.
- Licence: the code's. The competition's rules apply to its data: read them before you sell what is made with these
  weights.
"""
    _sealed(target, card, {"from": facts["inputs"], "score": {"rmse": round(rmse, 4), "faces": len(faces)}})


def _box(frames: Frames, shape: np.ndarray) -> tuple[float, float, float]:
    """How a detector's box becomes a frame for fifteen points, from faces with 68."""
    detector, boxes, windows = HaarDetector(UPRIGHT), [], []
    points = fifteen_of(frames.coords)
    for row in range(0, len(frames), max(1, len(frames) // BOXES)):
        found = next(detector.find(frames.images[row]), np.empty((0, 4)))
        if len(found) == 1:
            boxes.append(found[0])
            windows.append(aligned(points[row], shape))
    return margins(windows, np.array(boxes))


def _command(facts: dict[str, Any]) -> str:
    name, which = facts["inputs"]["recipe"]["name"], f"--folds {facts['folds']} --fold {facts['inputs']['fold']}"
    return f"python -m solution faces68 --scale full --recipe {name} --data training.zip {which}"


def _copy(fold: Path, target: Path, names: tuple[str, ...]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        with atomic(target / name) as temporary:
            shutil.copyfile(fold / name, temporary)


def _sealed(target: Path, card: str, inputs: dict) -> None:
    write_text(target / CARD, card)
    files = sorted(path.name for path in target.iterdir() if path.name != MANIFEST)
    seal(target, inputs, files)


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def main(arguments: Sequence[str] | None = None) -> None:
    """Release one network."""
    parser = argparse.ArgumentParser(prog="python -m solution.studies.faces68.release_weights", description=__doc__)
    parser.add_argument("what", choices=("15", "68", "trunk"))
    parser.add_argument("fold", type=Path, help="a finished training's folder")
    parser.add_argument("--data", type=Path, help="the competition's files (15 points)")
    parser.add_argument("--frames", type=Path, help="pictures with 68 points (15 points)")
    options = parser.parse_args(arguments)
    facts = manifest(options.fold)
    if facts is None or not intact(options.fold, facts, NETWORK):
        parser.error(f"{options.fold}: expected a finished training's folder, whole as it was sealed")
    if options.what == "15" and not (options.data and options.frames):
        parser.error("15: expected --data and --frames")
    name = json.loads((options.fold / SETTINGS).read_text(encoding="utf-8"))["name"]
    target = SHIPPED / name
    whole = {"15": RECIPES[15], "68": RECIPES[68]}
    if name != whole.get(options.what, name) or (options.what == "trunk" and name in whole.values()):
        parser.error(
            f"{options.what}: not for {name}, which {'is shipped whole' if name in whole.values() else 'is a trunk'}"
        )
    if options.what != "15":
        (release_68 if options.what == "68" else release_trunk)(options.fold, target)
        return
    with tempfile.TemporaryDirectory() as cache:
        competition = read_competition(options.data, Path(cache))
    table = read_folds(options.fold.parents[1] / "folds.csv", competition.train)
    number = facts["inputs"]["fold"]
    release_15(options.fold, competition, table.fold == number, read_frames(options.frames), target)


if __name__ == "__main__":
    main()
