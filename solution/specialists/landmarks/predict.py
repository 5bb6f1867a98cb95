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
from solution.specialists.landmarks.crop_search import search_crops
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.training import SETTINGS, WEIGHTS

OFFSET = "offset.json"
RECIPES = {kind.method: kind for kind in (LandmarkRecipe, Landmark68Recipe)}
BATCH = 64
"""Pictures at once: 256 were 5 to 25 % slower on a CPU core, whose caches they overflow."""
TTA_SHIFTS = (0, 1, -1)
"""Pixels along the diagonal. A network of stride 4 reads each shift differently: against the plain and mirrored views
alone, held-out 15-keypoint rows went from 1.058 to 1.034 px and 4-keypoint rows from 1.338 to 1.332."""


def predict(folder: Path, faces: FaceSet, device: torch.device) -> Predictions:
    """What the network in `folder` says of these faces, all views and the second look included."""
    recipe, net, offset = load(folder, device)
    return predict_with(net, offset, faces, device, recipe.name)


def load(folder: Path, device: torch.device) -> tuple[LandmarkRecipe, LandmarkNet, LabelOffset]:
    """A fold's recipe, its network on the device and its mirror offset. UserError as in `recipe_from`."""
    recipe = recipe_from(json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
    net = LandmarkNet(recipe)
    net.load_state_dict(load_file(folder / WEIGHTS))
    return recipe, net.to(device).to(memory_format=torch.channels_last).eval(), read_label_offset(folder)


def read_label_offset(folder: Path) -> LabelOffset:
    """The mirror offset that a training learnt."""
    values = np.array(json.loads((folder / OFFSET).read_text(encoding="utf-8")), np.float32)
    return LabelOffset(values, next(schema for schema in (FACE15, FACE68) if schema.size == values.shape[1]))


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
    offset: LabelOffset,
    faces: FaceSet,
    device: torch.device,
    name: str = "",
    tta_shifts: Sequence[int] = TTA_SHIFTS,
    again: bool = True,
) -> Predictions:
    """Mean over the views, in the labels' pixels; the spread adds the views' disagreement.

    Views: the picture shifted along the diagonal by each of `tta_shifts` pixels, plain and mirrored. again: look a
    second time, in other frames, at those in which the network has lost the face (crop_search.py): which these are is
    told by what is usual among `faces`, so that a face alone is never looked at again.
    """
    net.eval()

    def read(faces: FaceSet, tta_shifts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        coords = np.empty((len(faces), faces.schema.size, 2), np.float32)
        sigma = np.empty(coords.shape[:2], np.float32)
        for start in range(0, len(faces), BATCH):
            rows = slice(start, start + BATCH)
            coords[rows], sigma[rows] = _predict_tta(net, faces.take(rows), device, tta_shifts)
        return coords, sigma

    coords, sigma = read(faces, tta_shifts)
    if again and len(found := search_crops(read, faces, coords, sigma, tta_shifts)):
        LOG.info("%s: %d of %d faces found at a second look", name or "network", len(found), len(faces))
    return Predictions(name, faces.ids, offset.restore(coords, faces.subset), sigma)


def _predict_tta(
    net: torch.nn.Module, faces: FaceSet, device: torch.device, tta_shifts: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    kinds = to_device(faces.subset, device)
    views, sigmas = [], []
    for shift in tta_shifts:
        moved = shifted(faces.images, shift)
        coords, sigma = _predict_one(net, moved, kinds, device)
        views.append(coords - shift)
        sigmas.append(sigma)
        coords, sigma = _predict_one(net, moved[..., ::-1], kinds, device)
        views.append(mirror(coords, faces.schema) - shift)
        sigmas.append(sigma[:, faces.schema.mirror])
    apart = np.var(views, axis=0).mean(axis=-1)
    return np.mean(views, axis=0), np.sqrt(np.mean(np.square(sigmas), axis=0) + apart)


def _predict_one(
    net: torch.nn.Module, images: np.ndarray, kinds: torch.Tensor, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    with quick_precision(device):
        coords, sigma = net(to_device(np.ascontiguousarray(images), device), kinds)
    return coords.cpu().numpy(), sigma.cpu().numpy()


def shifted(images: np.ndarray, pixels: int) -> np.ndarray:
    """Pictures (N, H, W) moved right and down by whole pixels (negative: left and up), the border repeated."""
    size = np.arange(images.shape[1]), np.arange(images.shape[2])
    rows, columns = (np.clip(places - pixels, 0, len(places) - 1) for places in size)
    return images[:, rows[:, None], columns]
