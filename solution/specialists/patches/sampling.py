"""Patches: where they are cut, their classes and variations, and how the autoencoder's input is corrupted."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from solution.keypoints import SIZE
from solution.recipe import POINTS, PatchRecipe
from solution.runtime.device import to_device

SQUARE = 4  # side of the squares that `corrupt` masks, in pixels


@dataclass(frozen=True, eq=False)
class Cuts:
    """How P patches of each picture are cut."""

    centres: np.ndarray  # (B, P, 2) px
    turn: np.ndarray  # takes a place in the patch to one in the picture, (B, P, 2, 2)
    mirrored: np.ndarray  # of bool, (B,)
    gain: np.ndarray  # factor on the brightness, (B, P)
    shade: np.ndarray  # added to the brightness, (B, P)


def anywhere(rng: np.random.Generator, faces: int, patches: int) -> np.ndarray:
    """Random places in the picture, (faces, patches, 2) float32 px."""
    return rng.uniform(0, SIZE - 1, (faces, patches, 2)).astype(np.float32)


def class_centres(points: np.ndarray, recipe: PatchRecipe, rng: np.random.Generator) -> np.ndarray:
    """Places for the five classes, (B, 4 + near + far, 2), from the four points (B, 4, 2), at least one of them known.

    The place of a point without a label becomes a near miss of another point. So do all `far` places of such a face,
    because one of them could be at the unlabelled point and count as "elsewhere".
    """
    faces, count = len(points), len(POINTS) + recipe.near + recipe.far
    known = ~np.isnan(points).any(2)
    anchor = np.where(known[:, None], rng.random((faces, count, len(POINTS))), -1.0).argmax(2)
    anchor[:, : len(POINTS)] = np.where(known, np.arange(len(POINTS)), anchor[:, : len(POINTS)])
    anchors = np.take_along_axis(points, anchor[..., None], axis=1)

    angle = rng.uniform(0, 2 * np.pi, (faces, count))
    missed = rng.uniform(0, recipe.miss, (faces, count))
    offset = np.stack([np.cos(angle), np.sin(angle)], -1) * missed[..., None]
    exact = rng.normal(0, recipe.jitter, (faces, len(POINTS), 2))
    offset[:, : len(POINTS)] = np.where(known[..., None], exact, offset[:, : len(POINTS)])
    centres = (anchors + offset).astype(np.float32)
    if recipe.far:
        far = anywhere(rng, faces, recipe.far)
        centres[:, -recipe.far :] = np.where(known.all(1)[:, None, None], far, centres[:, -recipe.far :])
    return centres


def class_shares(centres: np.ndarray, points: np.ndarray, softness: float) -> np.ndarray:
    """Probability of each class at these places, (B, P, 5) float32, "elsewhere" last, from points (B, 4, 2)."""
    squared = ((centres[:, :, None] - points[:, None]) ** 2).sum(-1)
    near = np.nan_to_num(np.exp(-squared / (2 * softness**2)), nan=0.0)
    near /= np.maximum(near.sum(-1, keepdims=True), 1.0)
    return np.concatenate([near, 1 - near.sum(-1, keepdims=True)], -1).astype(np.float32)


def mirrored_shares(shares: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Shares (B, P, 5) with left and right eye swapped where the picture is mirrored, (B,) of bool."""
    swapped = shares[..., [1, 0, 2, 3, 4]]
    return np.where(mirrored[:, None, None], swapped, shares)


def varied(centres: np.ndarray, recipe: PatchRecipe, rng: np.random.Generator) -> Cuts:
    """Cuts at these places with random turns, sizes, mirroring and light."""
    shape = centres.shape[:2]
    angle = np.deg2rad(rng.uniform(-recipe.rotation, recipe.rotation, shape))
    size = rng.uniform(1 - recipe.scale, 1 + recipe.scale, shape)
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    turn = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2).astype(np.float32)
    mirrored = (rng.random(shape[:1]) < 0.5) & recipe.mirror
    turn[mirrored, :, :, 0] *= -1
    gain = rng.uniform(1 - recipe.light, 1 + recipe.light, shape).astype(np.float32)
    shade = rng.uniform(-recipe.light, recipe.light, shape).astype(np.float32)
    return Cuts(centres, turn, mirrored, gain, shade)


def plain(centres: np.ndarray) -> Cuts:
    """Cuts at these places without any variation."""
    shape = centres.shape[:2]
    turn = np.tile(np.eye(2, dtype=np.float32), (*shape, 1, 1))
    ones = np.ones(shape, np.float32)
    return Cuts(centres, turn, np.zeros(shape[0], bool), ones, np.zeros_like(ones))


def cut(pixels: Tensor, cuts: Cuts, patch: int) -> Tensor:
    """Patches (B · P, 1, patch, patch) of pictures (B, 1, 96, 96), whose border is repeated."""
    faces, count = cuts.centres.shape[:2]
    centres, turn, gain, shade = (
        to_device(value, pixels.device) for value in (cuts.centres, cuts.turn, cuts.gain, cuts.shade)
    )
    steps = torch.arange(patch, device=pixels.device, dtype=torch.float32) - patch // 2
    places = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).reshape(-1, 2)
    where = centres[:, :, None] + places @ turn.transpose(2, 3)
    grid = ((2 * where + 1) / SIZE - 1).reshape(faces, count * patch, patch, 2)
    patches = functional.grid_sample(pixels, grid, align_corners=False, padding_mode="border")
    patches = patches.reshape(faces * count, 1, patch, patch)
    return patches * gain.reshape(-1, 1, 1, 1) + shade.reshape(-1, 1, 1, 1)


def corrupt(patches: Tensor, recipe: PatchRecipe) -> Tensor:
    """The autoencoder's input: squares set to the patch's mean, and noise. It draws from torch's global generator."""
    squares = -(-recipe.patch // SQUARE)
    hidden = torch.rand(len(patches), 1, squares, squares, device=patches.device) < recipe.masked
    hidden = hidden.repeat_interleave(SQUARE, 2).repeat_interleave(SQUARE, 3)[..., : recipe.patch, : recipe.patch]
    blurred = torch.where(hidden, patches.mean((2, 3), keepdim=True), patches)
    return blurred + recipe.noise * torch.randn_like(patches)


def standardised(patches: Tensor) -> Tensor:
    """The autoencoder's target: each patch with mean 0 and standard deviation 1 (docs/experiments.md, section 10)."""
    centred = patches - patches.mean((2, 3), keepdim=True)
    return centred / centred.std((2, 3), keepdim=True).clamp(min=0.1)
