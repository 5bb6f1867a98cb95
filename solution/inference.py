"""Predict from a fold's folder alone: the artefact carries its settings, its offset and its preprocessing."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from solution.codecs import codec_from
from solution.faces import FaceSet, Predictions
from solution.job import SETTINGS, WEIGHTS
from solution.keypoints import FACE15, mirror
from solution.network import LandmarkNet
from solution.offset import MirrorOffset
from solution.recipe import Augmentation, LandmarkRecipe, Optimiser
from solution.runtime import low_precision

OFFSET = "offset.json"
BATCH = 256


def predict(folder: Path, faces: FaceSet, device: torch.device) -> Predictions:
    """What the network in `folder` says of these faces, mirrored view included."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    net = LandmarkNet(recipe_from(settings))
    net.load_state_dict(load_file(folder / WEIGHTS))
    net = net.to(device, memory_format=torch.channels_last)
    return predict_with(net, read_offset(folder), faces, device, settings["name"])


def read_offset(folder: Path) -> MirrorOffset:
    """The mirror offset that a training learnt."""
    return MirrorOffset(np.array(json.loads((folder / OFFSET).read_text(encoding="utf-8")), np.float32))


def recipe_from(settings: dict) -> LandmarkRecipe:
    """The recipe whose `settings()` these are."""
    fields = {key: value for key, value in settings.items() if key != "method"}
    return LandmarkRecipe(
        **{
            **fields,
            "codec": codec_from(fields["codec"]),
            "augmentation": Augmentation(**fields["augmentation"]),
            "optimiser": Optimiser(**fields["optimiser"]),
        }
    )


@torch.inference_mode()
def predict_with(
    net: torch.nn.Module, offset: MirrorOffset, faces: FaceSet, device: torch.device, name: str = ""
) -> Predictions:
    """Mean of the plain and the mirrored view, in the labels' pixels; the spread adds the views' disagreement."""
    net.eval()
    coords = np.empty((len(faces), faces.schema.size, 2), np.float32)
    spread = np.empty(coords.shape[:2], np.float32)
    for start in range(0, len(faces), BATCH):
        rows = slice(start, start + BATCH)
        coords[rows], spread[rows] = _both_views(net, faces.images[rows], faces.subset[rows], device)
    return Predictions(name, faces.ids, offset.restore(coords, faces.subset), spread)


def _both_views(
    net: torch.nn.Module, images: np.ndarray, subset: np.ndarray, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    kinds = torch.from_numpy(subset).to(device)
    views = []
    for pictures in (images, images[..., ::-1]):
        with low_precision(device):
            coords, spread = net(torch.from_numpy(np.ascontiguousarray(pictures)).to(device), kinds)
        views.append((coords.cpu().numpy(), spread.cpu().numpy()))
    (plain, plain_spread), (flipped, flipped_spread) = views
    partner = mirror(flipped)
    coords = (plain + partner) / 2
    apart = ((plain - partner) ** 2).mean(axis=-1) / 4
    variance = (plain_spread**2 + flipped_spread[:, FACE15.mirror] ** 2) / 2
    return coords, np.sqrt(variance + apart)
