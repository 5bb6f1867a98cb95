"""What reading a picture needs beside a network: how its training pictures were framed, and what its spreads mean."""

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
    """Lies beside a network's weights, and is measured on faces with known points.

    shape: (K, 2) where the mean face's points lie in a frame, frame pixels. box, whole: how a detector's box, and a
    picture that shows one face, become a frame: shift of the centre in x and y and the side, each as a share of the
    box's width, or of the picture's shorter side. sigma_scale: (K,) factors of the network's sigma, with which 68 % of
    its errors per axis are below sigma. uncertainty: mean sigma in frame pixels above which a box holds no face.
    """

    shape: np.ndarray
    box: tuple[float, float, float]
    whole: tuple[float, float, float]
    sigma_scale: np.ndarray
    uncertainty: float

    def of_box(self, box: np.ndarray) -> Frame:
        """The frame of a detector's box (x, y, w, h)."""
        x, y, width, height = box.tolist()
        return _shifted(x + (width - 1) / 2, y + (height - 1) / 2, width, self.box)

    def of_picture(self, grey: np.ndarray) -> Frame:
        """The frame of a picture (H, W) that shows one face, as training pictures do."""
        height, width = grey.shape
        return _shifted((width - 1) / 2, (height - 1) / 2, min(height, width), self.whole)

    def of_points(self, coords: np.ndarray) -> Frame:
        """The frame that points (K, 2), picture pixels, ask for."""
        return aligned(coords, self.shape)

    def write(self, folder: Path) -> None:
        """Write it beside the weights."""
        numbers = {"shape": self.shape.tolist(), "sigma_scale": self.sigma_scale.tolist()}
        write_json(folder / FILE, {"box": self.box, "whole": self.whole, "uncertainty": self.uncertainty, **numbers})


def read_calibration(folder: Path) -> Calibration:
    """What lies beside these weights."""
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    shares = {name: tuple(content[name]) for name in ("box", "whole")}
    return Calibration(
        shape=np.array(content["shape"]),
        sigma_scale=np.array(content["sigma_scale"], np.float32),
        uncertainty=content["uncertainty"],
        **shares,
    )


def mean_shape(coords: np.ndarray, share: float) -> np.ndarray:
    """The mean of faces (N, K, 2) of any size and turn, (K, 2) frame pixels, centred, its larger side `share` of it.

    The faces are aligned first to their plain mean, which stands as upright as they do, then to the mean of that.
    """
    shape = _fitted(np.mean([_fitted(face, share) for face in coords], axis=0), share)
    for _ in range(2):
        views = [aligned(face, shape).from_picture(face) for face in coords]
        shape = _fitted(np.mean(views, axis=0), share)
    return shape


def margins(frames: Sequence[Frame], boxes: np.ndarray) -> tuple[float, float, float]:
    """Shift and side of frames as shares of boxes (N, 4), x, y, w, h: the median over all."""
    found = np.array([[frame.x, frame.y, frame.side] for frame in frames])
    middle = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    width = boxes[:, 2]
    shares = np.column_stack([(found[:, :2] - middle) / width[:, None], found[:, 2] / width])
    x, y, side = np.median(shares, axis=0).tolist()
    return x, y, side


def picture_boxes(images: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures' middle squares as boxes, (N, 4): what `of_picture` goes by, for `margins`."""
    sizes = np.array([image.shape[::-1] for image in images], float)
    side = sizes.min(axis=1, keepdims=True)
    return np.column_stack([(sizes - side) / 2, side, side])


def _fitted(points: np.ndarray, share: float) -> np.ndarray:
    """Points scaled and shifted to the middle of a frame; upright they stay as they are."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = (high - low).max() / share
    middle = (low + high) / 2
    return Frame(float(middle[0]), float(middle[1]), float(side)).from_picture(points)


def _shifted(x: float, y: float, size: float, shares: tuple[float, float, float]) -> Frame:
    return Frame(x + shares[0] * size, y + shares[1] * size, shares[2] * size)
