"""How a picture becomes the crop that a network reads, and how the network's sigma becomes a standard deviation."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solution.data.crop import Frame, aligned
from solution.runtime.artifacts import write_json

FILE = "photo.json"


@dataclass(frozen=True, eq=False)
class Calibration:
    """Measured on faces with known points, and kept beside a network's weights."""

    shape: np.ndarray
    """(K, 2) points of the mean face, in crop pixels."""
    box: tuple[float, float, float]
    """From a detector's box to its crop: shift of the centre in x and y, and side, in widths of the box."""
    whole: tuple[float, float, float]
    """The same from a picture that shows one face, in lengths of its shorter side."""
    sigma_scale: np.ndarray
    """(K,) factors of the network's sigma; after them 68 % of its errors on each axis are below sigma."""
    uncertainty: float
    """Mean sigma in crop pixels above which a box holds no face."""

    def of_box(self, box: np.ndarray) -> Frame:
        """The crop of a detector's box (4,): x, y, width, height."""
        x, y, width, height = box.tolist()
        return _shifted(x + (width - 1) / 2, y + (height - 1) / 2, width, self.box)

    def of_picture(self, grey: np.ndarray) -> Frame:
        """The crop of a picture (H, W) that shows one face, as training pictures do."""
        height, width = grey.shape
        return _shifted((width - 1) / 2, (height - 1) / 2, min(height, width), self.whole)

    def of_points(self, coords: np.ndarray) -> Frame:
        """The crop of a face with these points (K, 2), in picture pixels."""
        return aligned(coords, self.shape)

    def write(self, folder: Path) -> None:
        """Write it into the folder of the weights."""
        numbers = {"shape": self.shape.tolist(), "sigma_scale": self.sigma_scale.tolist()}
        write_json(folder / FILE, {"box": self.box, "whole": self.whole, "uncertainty": self.uncertainty, **numbers})


def read_calibration(folder: Path) -> Calibration:
    """The calibration in a folder of weights."""
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    shares = {name: tuple(content[name]) for name in ("box", "whole")}
    return Calibration(
        shape=np.array(content["shape"]),
        sigma_scale=np.array(content["sigma_scale"], np.float32),
        uncertainty=content["uncertainty"],
        **shares,
    )


def mean_shape(coords: np.ndarray, share: float) -> np.ndarray:
    """The mean of faces (N, K, 2) of any size and turn: points (K, 2) in the centre of a crop, in crop pixels.

    share: of the crop's side that the longer side of the points takes. The faces are aligned to their plain mean, which
    is as upright as they are on average, and then again to the mean of the aligned faces.
    """
    shape = _fitted(np.mean([_fitted(face, share) for face in coords], axis=0), share)
    for _ in range(2):
        views = [aligned(face, shape).from_picture(face) for face in coords]
        shape = _fitted(np.mean(views, axis=0), share)
    return shape


def margins(frames: Sequence[Frame], boxes: np.ndarray) -> tuple[float, float, float]:
    """The median shift and side of crops, in widths of their boxes (N, 4): x, y, width, height."""
    crops = np.array([[frame.x, frame.y, frame.side] for frame in frames])
    middle = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    width = boxes[:, 2]
    shares = np.column_stack([(crops[:, :2] - middle) / width[:, None], crops[:, 2] / width])
    x, y, side = np.median(shares, axis=0).tolist()
    return x, y, side


def picture_boxes(images: Sequence[np.ndarray]) -> np.ndarray:
    """The central squares of pictures as boxes (N, 4), so that `margins` gives what `of_picture` needs."""
    sizes = np.array([image.shape[::-1] for image in images], float)
    side = sizes.min(axis=1, keepdims=True)
    return np.column_stack([(sizes - side) / 2, side, side])


def _fitted(points: np.ndarray, share: float) -> np.ndarray:
    """Points (K, 2), scaled and shifted to the centre of a crop, not turned."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = (high - low).max() / share
    middle = (low + high) / 2
    return Frame(float(middle[0]), float(middle[1]), float(side)).from_picture(points)


def _shifted(x: float, y: float, size: float, shares: tuple[float, float, float]) -> Frame:
    return Frame(x + shares[0] * size, y + shares[1] * size, shares[2] * size)
