"""Detectors find the places of faces in a picture. OpenCV's Haar cascades need no download."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import cv2.data
import numpy as np

from solution.runtime.errors import UserError


class Detector(Protocol):
    """Finds faces in grey pictures."""

    def find(self, grey: np.ndarray) -> Iterator[np.ndarray]:
        """Boxes (N, 4) of faces in a picture (H, W) uint8: x, y, width, height in pixels, the most certain first.

        The boxes come in batches. A caller asks for the next batch only if the earlier ones held no face.
        """


@dataclass(frozen=True)
class View:
    """One way to search a picture."""

    border: float = 0.0
    """Width of the border that is added by repeating the edge, as a share of the longer side: for faces at the edge."""
    turn: float = 0.0
    """Degrees by which the picture is turned: for tilted faces."""


@dataclass(frozen=True)
class DetectorConfig:
    """How the cascade searches a picture. docs/photos.md has the figures behind the views."""

    cascade: str = "haarcascade_frontalface_alt2.xml"
    """A file of OpenCV."""
    longest: int = 1200
    """A picture whose longer side has more pixels is shrunk to this before the search."""
    smallest: float = 0.0
    """Smallest width of a face, as a share of the picture's shorter side."""
    smallest_pixels: int = 24
    """Smallest width of a face in the searched picture; the cascade was trained at about this size."""
    growth: float = 1.1
    """Factor from one width of faces to the next."""
    neighbours: int = 3
    """Number of overlapping boxes that make a face."""
    views: tuple[View, ...] = (View(), View(0.25), View(0.25, 20), View(0.25, -20), View(0.25, 40), View(0.25, -40))
    """Searched in this order."""


UPRIGHT = DetectorConfig(views=(View(),))
"""For pictures that show an upright face."""
VIDEO = DetectorConfig(longest=480, smallest=0.12, views=(View(),))
"""For a video: fast, since a face that is missed in one frame is found in one of the next."""


class HaarDetector:
    """Viola and Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features", CVPR 2001, by OpenCV."""

    def __init__(self, config: DetectorConfig | None = None) -> None:
        self.config = config or DetectorConfig()
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / self.config.cascade))
        if self._cascade.empty():
            raise UserError(
                f"{self.config.cascade}: expected this file of OpenCV, found none. Install the OpenCV of "
                "requirements.txt, because OpenCV 5 has no cascades."
            )

    def find(self, grey: np.ndarray) -> Iterator[np.ndarray]:
        shrink = max(1.0, max(grey.shape) / self.config.longest)
        height, width = (round(length / shrink) for length in grey.shape)
        if min(height, width) < self.config.smallest_pixels:
            return
        small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA) if shrink > 1 else grey
        for view in self.config.views:
            yield self._search(small, round(view.border * max(height, width)), view.turn) * shrink

    def _search(self, grey: np.ndarray, border: int, turn: float) -> np.ndarray:
        """Upright boxes (N, 4) in the picture's own pixels, found in the picture with a border and turned."""
        config, (height, width) = self.config, grey.shape
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, 1.0)  # (2, 3)
        matrix[:, 2] += border
        if border or turn:
            size = (width + 2 * border, height + 2 * border)
            view = cv2.warpAffine(grey, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        else:
            view = grey
        least = max(config.smallest_pixels, int(config.smallest * min(height, width)))
        found = self._cascade.detectMultiScale(
            cv2.equalizeHist(view), config.growth, config.neighbours, minSize=(least, least)
        )
        boxes = np.array(found, np.float64).reshape(-1, 4)
        back = cv2.invertAffineTransform(matrix)
        centres = (boxes[:, :2] + (boxes[:, 2:] - 1) / 2) @ back[:, :2].T + back[:, 2]
        return np.column_stack([centres - (boxes[:, 2:] - 1) / 2, boxes[:, 2:]])
