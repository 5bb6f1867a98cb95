"""`evaluate`: the score of a network on labelled pictures that it has not learnt from."""

import json
import sys
from pathlib import Path

import numpy as np

from solution import recipes
from solution.data.landmarks68 import Frames, read_frames
from solution.deploy.photo.detector import UPRIGHT, HaarDetector
from solution.deploy.photo.finder import FaceFinder
from solution.deploy.photo.images import WRONG
from solution.deploy.photo.landmarker import RECIPES, open_landmarker
from solution.runtime.errors import UserError
from solution.specialists.landmarks.pretrained import SHIPPED
from solution.studies.faces68.nme import evaluate
from solution.studies.faces68.train import SEEN


def evaluate_network(recipe: str, data: Path, weights: Path | None, as_json: bool) -> int:
    """Print the score; the exit code: WRONG if rows are left out, each of which is named."""
    folder, schema = weights or SHIPPED / recipe, getattr(recipes.load(recipe), "schema", None)
    if schema is None or (weights is None and recipe not in RECIPES.values()):
        shipped = ", ".join(sorted(RECIPES.values()))
        raise UserError(f"--recipe {recipe}: expected {shipped}, or another landmark network with its --weights")
    landmarker = open_landmarker(schema.size, folder, label_offset=True)
    if landmarker.name != recipe:
        raise UserError(f"{folder}: expected weights of {recipe}, got some of {landmarker.name}")
    finder = FaceFinder(HaarDetector(UPRIGHT), landmarker)
    frames = read_frames(data)
    for flaw in frames.flaws:
        print(f"error: {flaw}", file=sys.stderr)
    unseen = without(frames, seen_by(folder))
    score = evaluate(unseen, finder)
    counts = {"seen": len(frames) - len(unseen), "left_out": len(frames.flaws)}
    if as_json:
        print(json.dumps({**vars(score), **counts}))
    else:
        print(
            f"{recipe}: NME {score.nme_percent:.2f} % of the distance between the outer eye corners, RMSE "
            f"{score.rmse:.2f} px, {score.faces} faces ({counts['seen']} that it learnt from and "
            f"{counts['left_out']} wrong rows left out)"
        )
    return WRONG if frames.flaws else 0


def seen_by(folder: Path) -> set[str]:
    """Digests of the pictures that the weights in this folder have learnt from; none if no file has them."""
    path = folder / SEEN
    return set(path.read_text(encoding="utf-8").split()) if path.is_file() else set()


def without(frames: Frames, seen: set[str]) -> Frames:
    """The pictures that are not among those seen. UserError if none is left."""
    new = np.array([digest not in seen for digest in frames.digests])
    if not new.any():
        raise UserError(
            f"expected pictures that the network has not learnt from, got {len(frames)} that it has. "
            "Score it on others, or train with `faces68`, which scores each fold on what it has not seen."
        )
    return frames.take(new)
