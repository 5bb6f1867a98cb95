"""How an earlier system's network sees a picture: whole, or enlarged and cropped. Points go with it, there and back.

Inside a frame a point is given as if the frame were a picture 96 pixels wide, so that one scaling fits every frame.
"""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from solution.keypoints import SIZE


@dataclass(frozen=True)
class Whole:
    """The picture as it is."""

    side: ClassVar[int] = SIZE

    def vary(self, images: np.ndarray, coords: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Pictures (B, 96, 96) and points (B, K, 2) as they are."""
        return images, coords

    def still(self, images: np.ndarray) -> np.ndarray:
        """Pictures (B, 96, 96) as they are."""
        return images

    def back(self, coords: np.ndarray) -> np.ndarray:
        """Points (B, K, 2) as they are."""
        return coords


@dataclass(frozen=True)
class Cropped:
    """The picture enlarged to `enlarged` pixels, and `side` of these cut out: anywhere to train, the middle to predict.

    A point that the crop cuts off stays known: it lies outside.
    """

    enlarged: int = 250
    side: int = 227

    def vary(self, images: np.ndarray, coords: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Pictures (B, 96, 96) uint8 cut anywhere, (B, side, side), and their points (B, K, 2) in the frame."""
        corners = rng.integers(0, self.enlarged - self.side + 1, (len(images), 2))
        moved = (coords + 0.5) * (self.enlarged / self.side) - corners[:, None] * self._unit - 0.5
        return self._cut(images, corners), moved.astype(np.float32)

    def still(self, images: np.ndarray) -> np.ndarray:
        """The middles of pictures (B, 96, 96) uint8, (B, side, side)."""
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
        cut = np.empty((len(images), self.side, self.side), np.uint8)
        for one, image, (x, y) in zip(cut, images, corners.tolist(), strict=True):
            enlarged = cv2.resize(image, (self.enlarged, self.enlarged), interpolation=cv2.INTER_LINEAR)
            one[:] = enlarged[y : y + self.side, x : x + self.side]
        return cut
