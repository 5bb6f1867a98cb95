"""Prediction by the patch classifier from a fold's folder alone."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from solution.faces import FaceSet, Predictions
from solution.keypoints import FACE4, SIZE, mirror
from solution.recipe import POINTS, PatchRecipe
from solution.runtime.device import quick_precision, to_device
from solution.runtime.errors import UserError
from solution.specialists.patches.decoding import Prior, Reading, read
from solution.specialists.patches.network import PatchNetwork, normalised
from solution.specialists.training import SETTINGS, WEIGHTS

READING = "reading.json"  # the file of the prior and the label biases
BATCH = 64


def read_faces(network: PatchNetwork, images: np.ndarray, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    """Raw readings of pictures (N, 96, 96) uint8: points (N, 4, 2) in pixels and uncertainties (N, 4).

    Both are means over the plain and the mirrored picture; the distance of the two readings adds to the uncertainty.
    """
    network.eval()
    pairs = [_read_both(network, images[start : start + BATCH], prior) for start in range(0, len(images), BATCH)]
    if not pairs:
        return np.empty((0, len(POINTS), 2), np.float32), np.empty((0, len(POINTS)), np.float32)
    return np.concatenate([points for points, _ in pairs]), np.concatenate([uncertainty for _, uncertainty in pairs])


def _read_both(network: PatchNetwork, images: np.ndarray, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    device = next(network.parameters()).device
    pixels = normalised(to_device(images, device))
    with torch.inference_mode(), quick_precision(device):
        plain, mirrored = network.maps(pixels), network.maps(pixels.flip(3))
    points, uncertainty = (value.cpu().numpy() for value in read(plain, prior.map(device)))
    points2, uncertainty2 = (value.cpu().numpy() for value in read(mirrored, prior.mirrored().map(device)))
    points2, uncertainty2 = mirror(points2, FACE4), uncertainty2[:, FACE4.mirror]
    distance = np.abs(points - points2).mean(2)
    return (points + points2) / 2, (uncertainty + uncertainty2 + distance) / 2


def predict(folder: Path, faces: FaceSet, device: torch.device) -> Predictions:
    """Eye centres, nose tip and bottom lip of every face; the other points are NaN. UserError if files are missing."""
    if faces.images.shape[1:] != (SIZE, SIZE):
        raise UserError(f"expected pictures of {SIZE}x{SIZE} pixels, got {faces.images.shape[1:]}. Resize them first.")
    recipe, network, reading = _restored(folder, device)
    raw, uncertainty = read_faces(network, faces.images, reading.prior)
    coords = np.full((len(faces), faces.schema.size, 2), np.nan, np.float32)
    sigma = np.full((len(faces), faces.schema.size), np.nan, np.float32)
    columns = faces.schema.index(POINTS)
    coords[:, columns], sigma[:, columns] = reading.applied(raw, uncertainty, faces.subset)
    return Predictions(recipe.name, faces.ids, coords, sigma)


def _restored(folder: Path, device: torch.device) -> tuple[PatchRecipe, PatchNetwork, Reading]:
    try:
        recipe = PatchRecipe.restored(json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
        reading = Reading.restored(json.loads((folder / READING).read_text(encoding="utf-8")))
        weights = load_file(folder / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder}: expected {SETTINGS}, {READING} and {WEIGHTS} of one finished training, got: {error}. "
            "Train this recipe and fold again."
        ) from error
    network = PatchNetwork(recipe)
    network.load_state_dict(weights)
    return recipe, network.to(device), reading
