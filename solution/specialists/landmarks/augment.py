"""Augmentation of training pictures together with their points.

albumentations does most of it. Its flip does not swap left and right names, and its elastic transform rounds points to
whole pixels and loses some that are close together. So this module does both itself.
"""

import os
from dataclasses import dataclass

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for newer versions

import albumentations as A
import cv2
import numpy as np

from solution.keypoints import FACE15, SIZE, Schema, mirror
from solution.recipe import Augmentation


@dataclass(frozen=True)
class ElasticConfig:
    """The random field of the elastic transform."""

    share: float = 0.5  # of the faces, transformed
    width: float = 6.0  # standard deviation of the Gaussian that smooths the field, px
    rounds: int = 10  # of the fixed-point iteration that moves the points; each divides the error by about 3


ELASTIC = ElasticConfig()

_NO_SECOND_MAP = np.empty(0, np.float32)  # None does as well for OpenCV, but not for its types

cv2.setNumThreads(0)  # a job has one core: OpenCV's threads would compete with the network's


class Augmenter:
    """Varies a batch of faces. It is seeded for each epoch, so a resumed training sees the same pictures."""

    def __init__(self, settings: Augmentation, schema: Schema = FACE15) -> None:
        self.settings, self.schema = settings, schema
        self._compose = A.Compose(_steps(settings), keypoint_params=A.KeypointParams("xy", remove_invisible=False))
        self._rng = np.random.default_rng(0)

    def seed(self, seed: int) -> None:
        """Start an epoch."""
        self._rng = np.random.default_rng(seed)
        self._compose.set_random_seed(seed)

    def __call__(self, images: np.ndarray, coords: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Vary each face. images (B, H, W) uint8 and coords (B, K, 2) offset-free pixels, NaN = unlabelled.

        Returns new images and coords of the same shapes, points that left the picture as NaN, and which faces were
        mirrored, bool (B,).
        """
        flipped = self._rng.random(len(images)) < (0.5 if self.settings.mirror else 0.0)
        varied, points = np.empty_like(images), np.empty_like(coords)
        mirrored = mirror(coords, self.schema)
        for i, flip in enumerate(flipped):
            image = np.ascontiguousarray(images[i, :, ::-1]) if flip else images[i]
            varied[i], points[i] = self._vary(image, mirrored[i] if flip else coords[i])
        return varied, points, flipped

    def _vary(self, image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        known = ~np.isnan(points).any(axis=-1, keepdims=True)  # x without y cannot be turned
        moved = self._compose(image=image, keypoints=np.where(known, points, 0.0))
        image, coords = moved["image"], np.asarray(moved["keypoints"], dtype=np.float32)
        if self.settings.elastic > 0 and self._rng.random() < ELASTIC.share:
            image, coords = elastic(image, coords, self.settings.elastic, self._rng)
        inside = ((coords > -0.5) & (coords < SIZE - 0.5)).all(axis=-1, keepdims=True)
        return image, np.where(known & inside, coords, np.nan)


def elastic(
    image: np.ndarray, points: np.ndarray, strength: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Bend a picture (H, W) and its points (K, 2) by a smooth random field of `strength` px rms an axis."""
    noise = rng.standard_normal((*image.shape, 2)).astype(np.float32)
    field = cv2.GaussianBlur(noise, (0, 0), ELASTIC.width)
    field *= strength / np.sqrt((field**2).mean())
    height, width = image.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    bent = cv2.remap(image, grid + field, _NO_SECOND_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # The bent picture shows at p what was at p + field(p), so a point q moves to the p with p = q - field(p).
    moved = points
    for _ in range(ELASTIC.rounds):
        at = cv2.remap(field, moved[None], _NO_SECOND_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        moved = points - at[0]
    return bent, moved


def _steps(settings: Augmentation) -> list[A.BasicTransform]:
    steps: list[A.BasicTransform] = [
        A.Affine(
            rotate=(-settings.rotation, settings.rotation),
            scale=(1 - settings.scale, 1 + settings.scale),
            translate_percent=(-settings.shift, settings.shift),
            border_mode=cv2.BORDER_REPLICATE,
            p=1.0,
        )
    ]
    if settings.light > 0:
        steps.append(A.RandomBrightnessContrast(settings.light, settings.light, p=0.5))
    return steps
