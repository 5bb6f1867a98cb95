"""Prediction from a fold's folder alone, which holds settings, weights and label offset."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from solution.specialists.landmarks.crop_search import CropSearchConfig, search_crops
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.training import SETTINGS, WEIGHTS

OFFSET = "offset.json"
RECIPES = {kind.method: kind for kind in (LandmarkRecipe, Landmark68Recipe)}
BATCH = 64  # pictures at once: 256 were 5 to 25 % slower on a CPU core, whose caches they overflow


@dataclass(frozen=True)
class PredictionConfig:
    """How a trained network predicts. docs/experiments.md has the gain of each part."""

    tta_shifts: tuple[int, ...] = (0, 1, -1)
    """Test-time augmentation: each picture is read moved along the diagonal by so many pixels, plain and mirrored."""

    crop_search: CropSearchConfig | None = field(default_factory=CropSearchConfig)
    """How faces that the network misses are searched for; None: they are not."""


CONFIG = PredictionConfig()
QUICK = PredictionConfig(tta_shifts=(0,), crop_search=None)  # the plain and the mirrored view alone


def predict(folder: Path, faces: FaceSet, device: torch.device) -> Predictions:
    """Predictions of these faces by the network in `folder`, with test-time augmentation and crop search."""
    recipe, net, offset = load(folder, device)
    return predict_with(net, offset, faces, device, recipe.name)


def load(folder: Path, device: torch.device) -> tuple[LandmarkRecipe, LandmarkNet, LabelOffset]:
    """A fold's recipe, its network on the device and its label offset. UserError as in `recipe_from`."""
    recipe = recipe_from(json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
    net = LandmarkNet(recipe)
    net.load_state_dict(load_file(folder / WEIGHTS))
    return recipe, net.to(device).to(memory_format=torch.channels_last).eval(), read_label_offset(folder)


def read_label_offset(folder: Path) -> LabelOffset:
    """The label offset that a training has learnt."""
    values = np.array(json.loads((folder / OFFSET).read_text(encoding="utf-8")), np.float32)
    return LabelOffset(values, next(schema for schema in (FACE15, FACE68) if schema.size == values.shape[1]))


def recipe_from(settings: dict) -> LandmarkRecipe:
    """The recipe with these `settings()`. UserError if this version of the code does not know all of them."""
    values = {key: value for key, value in settings.items() if key != "method"}
    try:
        parts = {
            "codec": codec_from(values["codec"]),
            "augmentation": Augmentation(**values["augmentation"]),
            "optimiser": Optimiser(**values["optimiser"]),
        }
        return RECIPES[settings["method"]](**{**values, **parts})
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{values.get('name')}: expected settings of this version of the code, got: {error}. Train it again."
        ) from error


@torch.inference_mode()
def predict_with(
    net: torch.nn.Module,
    offset: LabelOffset,
    faces: FaceSet,
    device: torch.device,
    name: str = "",
    config: PredictionConfig = CONFIG,
) -> Predictions:
    """Predictions in the labels' pixels: the mean over all views; sigma includes the views' disagreement.

    Crop search depends on the other faces: it compares a face's uncertainty with their median. So a face alone is never
    searched for.
    """
    net.eval()

    def read(faces: FaceSet, tta_shifts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        coords = np.empty((len(faces), faces.schema.size, 2), np.float32)
        sigma = np.empty(coords.shape[:2], np.float32)
        for start in range(0, len(faces), BATCH):
            rows = slice(start, start + BATCH)
            coords[rows], sigma[rows] = _predict_tta(net, faces.take(rows), device, tta_shifts)
        return coords, sigma

    coords, sigma = read(faces, config.tta_shifts)
    if config.crop_search:
        found = search_crops(read, faces, coords, sigma, config.tta_shifts, config.crop_search)
        if len(found):
            LOG.info("%s: crop search found %d of %d faces", name or "network", len(found), len(faces))
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
    disagreement = np.var(views, axis=0).mean(axis=-1)
    return np.mean(views, axis=0), np.sqrt(np.mean(np.square(sigmas), axis=0) + disagreement)


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
