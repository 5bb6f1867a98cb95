"""Labelled pictures as the 96×96 training faces of a network.

A photo's face is read several times: first in the detector's frame, upright and not centred, then aligned by its own
points. So each training face is shown in both ways.
"""

from collections.abc import Sequence

import numpy as np

from solution.data.crop import Frame, aligned
from solution.data.landmarks68 import Frames
from solution.faces import FaceSet
from solution.keypoints import FACE68

SHARE = 0.72
"""Larger side of the mean face as a share of its frame: a frame that is off by a tenth still has chin and brows."""

OFF = 0.08  # standard deviation of a detected frame's shift, as a share of its side. For whole pictures it is up to 0.1
GROWN = 0.15  # standard deviation of the logarithm of a detected frame's size


def found_frame(frame: Frame, rng: np.random.Generator) -> Frame:
    """A frame as a detector could give it: upright, shifted, larger or smaller."""
    x, y = rng.normal(0, OFF, 2) * frame.side
    return Frame(frame.x + x, frame.y + y, frame.side * np.exp(rng.normal(0, GROWN)))


def training_faces(frames: Frames, shape: np.ndarray, rng: np.random.Generator) -> FaceSet:
    """Each face aligned to the shape and as detected: (2 N, 96, 96) pictures with their labels, aligned ones first."""
    windows = [aligned(face, shape) for face in frames.coords]
    windows += [found_frame(window, rng) for window in windows]
    return framed(frames.take(np.tile(np.arange(len(frames)), 2)), windows)


def held_faces(frames: Frames, shape: np.ndarray) -> FaceSet:
    """Each face aligned to the shape: the held-out faces that a training is evaluated on."""
    return framed(frames, [aligned(face, shape) for face in frames.coords])


def framed(frames: Frames, windows: Sequence[Frame]) -> FaceSet:
    """The pictures in these frames with their labels. Points outside the frame count as unlabelled."""
    images = np.stack([window.crop(image) for window, image in zip(windows, frames.images, strict=True)])
    coords = np.stack([window.from_picture(face) for window, face in zip(windows, frames.coords, strict=True)])
    inside = ((coords > -0.5) & (coords < images.shape[1] - 0.5)).all(axis=-1, keepdims=True)
    coords = np.where(inside, coords, np.nan).astype(np.float32)
    return FaceSet(np.arange(len(images)), images, coords, FACE68, np.full(len(images), 68, np.int8))
