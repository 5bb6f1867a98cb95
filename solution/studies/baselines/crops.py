"""Frames: an earlier system's network sees a picture whole, or enlarged and cropped.

Inside a frame a point has the coordinates of a picture 96 pixels wide, so that one scaling fits every frame.
"""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from solution.keypoints import SIZE


@dataclass(frozen=True)
class Whole:
    """The whole picture."""

    side: ClassVar[int] = SIZE

    def vary(self, images: np.ndarray, coords: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Training pictures (B, 96, 96) and points (B, K, 2), unchanged."""
        return images, coords

    def still(self, images: np.ndarray) -> np.ndarray:
        """Pictures to predict (B, 96, 96), unchanged."""
        return images

    def back(self, coords: np.ndarray) -> np.ndarray:
        """Predicted points (B, K, 2), unchanged."""
        return coords


@dataclass(frozen=True)
class Cropped:
    """A crop of the enlarged picture: random for training, the middle for prediction. Points outside count, too."""

    enlarged: int = 250  # side of the enlarged picture, px
    side: int = 227  # side of the crop, px

    def vary(self, images: np.ndarray, coords: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Random crops (B, side, side) of pictures (B, 96, 96) uint8, and their points (B, K, 2) in the frame."""
        corners = rng.integers(0, self.enlarged - self.side + 1, (len(images), 2))
        moved = (coords + 0.5) * (self.enlarged / self.side) - corners[:, None] * self._unit - 0.5
        return self._cut(images, corners), moved.astype(np.float32)

    def still(self, images: np.ndarray) -> np.ndarray:
        """The middle crops (B, side, side) of pictures (B, 96, 96) uint8."""
        return self._cut(images, np.full((len(images), 2), self._middle))

    def back(self, coords: np.ndarray) -> np.ndarray:
        """Points (B, K, 2) in the frame of `still` as pixels of the picture."""
        return (coords + 0.5 + self._middle * self._unit) * (self.side / self.enlarged) - 0.5

    @property
    def _middle(self) -> int:
        return (self.enlarged - self.side) // 2

    @property
    def _unit(self) -> float:
        """A pixel of the enlarged picture, in units of the frame."""
        return SIZE / self.side

    def _cut(self, images: np.ndarray, corners: np.ndarray) -> np.ndarray:
        crops = np.empty((len(images), self.side, self.side), np.uint8)
        for crop, image, (x, y) in zip(crops, images, corners.tolist(), strict=True):
            enlarged = cv2.resize(image, (self.enlarged, self.enlarged), interpolation=cv2.INTER_LINEAR)
            crop[:] = enlarged[y : y + self.side, x : x + self.side]
        return crops
