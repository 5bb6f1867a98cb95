"""Predict from a fold's folder alone: the artefact carries its settings, its offset and its preprocessing."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from solution.codecs import codec_from
from solution.faces import FaceSet, Predictions
from solution.keypoints import FACE15, FACE68, mirror
from solution.recipe import Augmentation, Landmark68Recipe, LandmarkRecipe, Optimiser
from solution.runtime.device import LOG, quick_precision, to_device
from solution.runtime.errors import UserError
from solution.specialists.job import SETTINGS, WEIGHTS
from solution.specialists.landmarks.crop_search import look_again
from solution.specialists.landmarks.label_offset import MirrorOffset
from solution.specialists.landmarks.network import LandmarkNet

OFFSET = "offset.json"
RECIPES = {kind.method: kind for kind in (LandmarkRecipe, Landmark68Recipe)}
BATCH = 64
"""Pictures at once: 256 were 5 to 25 % slower on a CPU core, whose caches they overflow."""
SHIFTS = (0, 1, -1)
"""Pixels along the diagonal. A network of stride 4 reads each shift differently: against the plain and mirrored views
alone, held-out 15-keypoint rows went from 1.058 to 1.034 px and 4-keypoint rows from 1.338 to 1.332."""


def predict(folder: Path, faces: FaceSet, device: torch.device) -> Predictions:
    """What the network in `folder` says of these faces, all views and the second look included."""
    recipe, net, offset = opened(folder, device)
    return predict_with(net, offset, faces, device, recipe.name)


def opened(folder: Path, device: torch.device) -> tuple[LandmarkRecipe, LandmarkNet, MirrorOffset]:
    """A fold's recipe, its network on the device and its mirror offset. UserError as in `recipe_from`."""
    recipe = recipe_from(json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
    net = LandmarkNet(recipe)
    net.load_state_dict(load_file(folder / WEIGHTS))
    return recipe, net.to(device).to(memory_format=torch.channels_last).eval(), read_offset(folder)


def read_offset(folder: Path) -> MirrorOffset:
    """The mirror offset that a training learnt."""
    values = np.array(json.loads((folder / OFFSET).read_text(encoding="utf-8")), np.float32)
    return MirrorOffset(values, next(schema for schema in (FACE15, FACE68) if schema.size == values.shape[1]))


def recipe_from(settings: dict) -> LandmarkRecipe:
    """The recipe whose `settings()` these are. UserError where this version of the code does not know them all."""
    given = {key: value for key, value in settings.items() if key != "method"}
    try:
        return RECIPES[settings["method"]](
            **{
                **given,
                "codec": codec_from(given["codec"]),
                "augmentation": Augmentation(**given["augmentation"]),
                "optimiser": Optimiser(**given["optimiser"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{given.get('name')}: expected settings of this version of the code, got: {error}. Train it anew."
        ) from error


@torch.inference_mode()
def predict_with(
    net: torch.nn.Module,
    offset: MirrorOffset,
    faces: FaceSet,
    device: torch.device,
    name: str = "",
    shifts: Sequence[int] = SHIFTS,
    again: bool = True,
) -> Predictions:
    """Mean over the views, in the labels' pixels; the spread adds the views' disagreement.

    Views: the picture shifted along the diagonal by each of `shifts` pixels, plain and mirrored. again: look a second
    time, in other frames, at those in which the network has lost the face (crop_search.py): which these are is told by
    what is usual among `faces`, so that a face alone is never looked at again.
    """
    net.eval()

    def read(faces: FaceSet, shifts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        coords = np.empty((len(faces), faces.schema.size, 2), np.float32)
        spread = np.empty(coords.shape[:2], np.float32)
        for start in range(0, len(faces), BATCH):
            rows = slice(start, start + BATCH)
            coords[rows], spread[rows] = _all_views(net, faces.take(rows), device, shifts)
        return coords, spread

    coords, spread = read(faces, shifts)
    if again and len(found := look_again(read, faces, coords, spread, shifts)):
        LOG.info("%s: %d of %d faces found at a second look", name or "network", len(found), len(faces))
    return Predictions(name, faces.ids, offset.restore(coords, faces.subset), spread)


def _all_views(
    net: torch.nn.Module, faces: FaceSet, device: torch.device, shifts: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    kinds = to_device(faces.subset, device)
    views, spreads = [], []
    for shift in shifts:
        moved = shifted(faces.images, shift)
        coords, spread = _one_view(net, moved, kinds, device)
        views.append(coords - shift)
        spreads.append(spread)
        coords, spread = _one_view(net, moved[..., ::-1], kinds, device)
        views.append(mirror(coords, faces.schema) - shift)
        spreads.append(spread[:, faces.schema.mirror])
    apart = np.var(views, axis=0).mean(axis=-1)
    return np.mean(views, axis=0), np.sqrt(np.mean(np.square(spreads), axis=0) + apart)


def _one_view(
    net: torch.nn.Module, images: np.ndarray, kinds: torch.Tensor, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    with quick_precision(device):
        coords, spread = net(to_device(np.ascontiguousarray(images), device), kinds)
    return coords.cpu().numpy(), spread.cpu().numpy()


def shifted(images: np.ndarray, pixels: int) -> np.ndarray:
    """Pictures (N, H, W) moved right and down by whole pixels (negative: left and up), the border repeated."""
    size = np.arange(images.shape[1]), np.arange(images.shape[2])
    rows, columns = (np.clip(places - pixels, 0, len(places) - 1) for places in size)
    return images[:, rows[:, None], columns]
