"""Labelled pictures as the 96×96 faces that a network learns from.

A photo's face is read several times: first as the detector framed it, upright and off the middle, then as its points
frame it. So each training face is shown in both ways.
"""

from collections.abc import Sequence

import numpy as np

from solution.data.crop import Frame, aligned
from solution.data.landmarks68 import Frames
from solution.faces import FaceSet
from solution.keypoints import FACE68

SHARE = 0.72
"""Larger side of the mean face in its frame: chin and brows keep room when the frame is off by a tenth."""

OFF = 0.08
"""Standard deviation of a found frame's shift, as a share of its side; of whole pictures, it is up to 0.1."""

GROWN = 0.15
"""Standard deviation of the logarithm of a found frame's size."""


def found_frame(frame: Frame, rng: np.random.Generator) -> Frame:
    """The frame as a detector might have found it: upright, shifted, larger or smaller."""
    x, y = rng.normal(0, OFF, 2) * frame.side
    return Frame(frame.x + x, frame.y + y, frame.side * np.exp(rng.normal(0, GROWN)))


def training_faces(frames: Frames, shape: np.ndarray, rng: np.random.Generator) -> FaceSet:
    """Each face aligned to the shape and as found: (2 N, 96, 96) pictures with their labels, aligned ones first."""
    tidy = [aligned(face, shape) for face in frames.coords]
    twice = tidy + [found_frame(frame, rng) for frame in tidy]
    every = np.tile(np.arange(len(frames)), 2)
    return framed(frames.take(every), twice)


def held_faces(frames: Frames, shape: np.ndarray) -> FaceSet:
    """Each face aligned to the shape, for the look that a training takes at rows it does not learn from."""
    return framed(frames, [aligned(face, shape) for face in frames.coords])


def framed(frames: Frames, windows: Sequence[Frame]) -> FaceSet:
    """The pictures through these frames, labels along; those outside of the frame count as not labelled."""
    images = np.stack([window.crop(image) for window, image in zip(windows, frames.images, strict=True)])
    coords = np.stack([window.from_picture(face) for window, face in zip(windows, frames.coords, strict=True)])
    inside = ((coords > -0.5) & (coords < images.shape[1] - 0.5)).all(axis=-1, keepdims=True)
    coords = np.where(inside, coords, np.nan).astype(np.float32)
    return FaceSet(np.arange(len(images)), images, coords, FACE68, np.full(len(images), 68, np.int8))
