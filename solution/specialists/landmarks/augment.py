"""Training pictures varied, and the mirrored view.

albumentations moves pixels and points alike, but its flip does not swap left and right names, and its elastic transform
puts points on whole pixels and loses those that lie close together: both are done here. Missing points are masked.
"""

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # no look-up of newer versions over the network

import albumentations as A
import cv2
import numpy as np

from solution.keypoints import FACE15, SIZE, Schema, mirror
from solution.recipe import Augmentation

ELASTIC_SHARE = 0.5  # of the faces
ELASTIC_WIDTH = 6.0  # px: the Gaussian that smooths the field
ELASTIC_ROUNDS = 10  # of the fixed point that moves the points; each divides the error by about 3
_NO_SECOND_MAP = np.empty(0, np.float32)  # OpenCV's maps of pairs are whole: None does as well, but not for its types

cv2.setNumThreads(0)  # a job owns one core: OpenCV's own threads only fight the network's


class Augmenter:
    """Varies a batch of faces. Seeded per epoch, so that a resumed epoch sees what an unbroken one would."""

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
        known = ~np.isnan(points).any(axis=-1, keepdims=True)  # half a point cannot be turned
        moved = self._compose(image=image, keypoints=np.where(known, points, 0.0))
        image, coords = moved["image"], np.asarray(moved["keypoints"], dtype=np.float32)
        if self.settings.elastic > 0 and self._rng.random() < ELASTIC_SHARE:
            image, coords = elastic(image, coords, self.settings.elastic, self._rng)
        inside = ((coords > -0.5) & (coords < SIZE - 0.5)).all(axis=-1, keepdims=True)
        return image, np.where(known & inside, coords, np.nan)


def elastic(
    image: np.ndarray, points: np.ndarray, strength: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Bend a picture (H, W) by a smooth random field of `strength` pixels rms an axis, its points (K, 2) with it."""
    noise = rng.standard_normal((*image.shape, 2)).astype(np.float32)
    field = cv2.GaussianBlur(noise, (0, 0), ELASTIC_WIDTH)
    field *= strength / np.sqrt((field**2).mean())
    height, width = image.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    bent = cv2.remap(image, grid + field, _NO_SECOND_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # The bent picture shows at p what was at p + field(p), so a point q lies where p = q - field(p).
    moved = points
    for _ in range(ELASTIC_ROUNDS):
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
