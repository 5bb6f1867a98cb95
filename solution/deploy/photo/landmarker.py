"""Reads the points of a face in any grey picture, if the place of the face is known: a network and its calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from solution.data.crop import Frame
from solution.deploy.photo.framing import FILE, Calibration, read_calibration
from solution.faces import FaceSet
from solution.keypoints import FACE15, FACE68
from solution.runtime.artifacts import intact, manifest
from solution.runtime.errors import UserError
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.predict import QUICK, load, predict_with
from solution.specialists.landmarks.pretrained import SHIPPED

RECIPES = {FACE15.size: "unet_15", FACE68.size: "unet_68"}
"""The recipe of the network for each number of points."""

READS = 3
"""Number of times that a face is read. Each time, the points of the time before give the crop."""


@dataclass(frozen=True, eq=False)
class Reading:
    """The points of one face, read in one crop."""

    coords: np.ndarray
    """(K, 2), in the picture's pixels."""
    sigma: np.ndarray
    """(K,) standard deviation of each point per axis, calibrated, in the picture's pixels."""
    frame: Frame
    """The part of the picture that the network saw."""
    frame_sigma: np.ndarray
    """(K,) standard deviation as the network gives it, in crop pixels."""

    @property
    def uncertainty(self) -> float:
        """The mean of `frame_sigma`, in crop pixels."""
        return float(self.frame_sigma.mean())


class Landmarker:
    """Reads the points of faces with a trained network."""

    def __init__(self, folder: Path, calibration: Calibration, device: torch.device, label_offset: bool = True) -> None:
        """folder: a training's weights, settings and label offset.

        label_offset: add the offset at which its labellers placed points. docs/photos.md has the errors with and
        without it on photos that others labelled.
        """
        recipe, self._net, offset = load(folder, device)
        self.name, self.schema, self._kind = recipe.name, recipe.schema, recipe.subsets[0]
        self.calibration, self.device = calibration, device
        self._offset = offset if label_offset else LabelOffset(schema=self.schema)

    def read(self, grey: np.ndarray, frames: Sequence[Frame], reads: int = READS) -> list[Reading]:
        """Read the face in each crop of a picture (H, W) uint8, `reads` times; the points give the next crop."""
        readings: list[Reading] = []
        for _ in range(reads):
            readings = self._read(grey, frames)
            frames = [self.calibration.of_points(reading.coords) for reading in readings]
        return readings

    def _read(self, grey: np.ndarray, frames: Sequence[Frame]) -> list[Reading]:
        if not frames:
            return []
        n, k = len(frames), self.schema.size
        crops = np.stack([frame.crop(grey) for frame in frames])
        unknown = np.full((n, k, 2), np.nan, np.float32)
        faces = FaceSet(np.arange(n), crops, unknown, self.schema, np.full(n, self._kind, np.int8))
        found = predict_with(self._net, self._offset, faces, self.device, config=QUICK)
        return [
            Reading(
                coords=frame.to_picture(coords),
                sigma=sigma * self.calibration.sigma_scale * (frame.side / crops.shape[1]),
                frame=frame,
                frame_sigma=sigma,
            )
            for frame, coords, sigma in zip(frames, found.coords, found.sigma, strict=True)
        ]


def open_landmarker(points: int, folder: Path | None = None, label_offset: bool = False) -> Landmarker:
    """The landmarker for 15 or 68 points: with the weights of this repository, or with those of a folder.

    label_offset: as in `Landmarker`. UserError if the folder has no weights with a calibration, if they are damaged, or
    if they are for another number of points.
    """
    folder = folder or SHIPPED / RECIPES[points]
    _check(folder)
    landmarker = Landmarker(folder, read_calibration(folder), torch.device("cpu"), label_offset)
    if landmarker.schema.size != points:
        raise UserError(f"{folder}: expected weights for {points} points, got weights for {landmarker.schema.size}")
    return landmarker


def _check(folder: Path) -> None:
    """UserError unless the folder has intact weights and a calibration."""
    content = manifest(folder)
    if content is None or FILE not in content.get("files", {}):
        raise UserError(
            f"{folder}: expected weights with {FILE} and a manifest, found none. Give solution/weights/NAME, or a fold "
            "that `python -m solution faces68` has trained."
        )
    if not intact(folder, content):
        raise UserError(f"{folder}: expected the files of its manifest, got other files. Download or train them again.")
