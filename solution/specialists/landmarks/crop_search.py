"""Test-time crop search: pictures in which a network has missed the face are read again in other crops.

A few faces are far from where most training faces are: small in a crowd, or cut off at the border. The network's sigma
is then far above its usual value. In a crop that puts the face at its usual place, sigma falls by half or more, which
identifies the crop without a label. The search first reads crops on a grid. Then it refines the best of them: the face
is cropped so that its points are at their usual places. See docs/experiments.md, "Missed faces".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solution.data.crop import CENTRE, Frame, aligned
from solution.faces import FaceSet
from solution.keypoints import SIZE

Reader = Callable[[FaceSet, Sequence[int]], tuple[np.ndarray, np.ndarray]]
"""Faces and TTA shifts (px) to offset-free coords (N, K, 2) and sigma (N, K), both in pixels, as the network reads."""


@dataclass(frozen=True)
class CropSearchConfig:
    """When and where to search. The three thresholds were chosen on out-of-fold rows (docs/experiments.md)."""

    low_confidence: float = 1.6
    """A picture is searched if its uncertainty is above so many times the median: 1 to 3 % of the real pictures."""

    accepted: float = 0.5  # a crop is accepted if its uncertainty is below this share of the whole picture's

    zooms: tuple[tuple[float, float], ...] = ((0.75, 22), (1.0, 22), (1.35, 22), (1.8, 22), (2.4, 33))
    """Zoom factors of the grid, and how far its outer crops are from the picture's centre, in x and in y, px."""

    refined: int = 10  # how many of the best grid crops are refined
    refined_penalty: float = 1.25  # factor on the uncertainty in a refined crop: a freer search has to be surer

    sides: tuple[float, float] = (SIZE / 3, SIZE / 0.6)
    """Smallest and largest side of a refined crop, px of the picture."""

    largest_turn: float = np.pi / 4  # radians that a refined crop may be turned by
    smallest_face: float = 1.0  # extent of a usual face's points below which they give no size, px

    def grid(self) -> tuple[Frame, ...]:
        """The crops that are read first: nine of each zoom."""
        return tuple(
            Frame(CENTRE + x, CENTRE + y, SIZE / zoom)
            for zoom, far in self.zooms
            for y in (-far, 0, far)
            for x in (-far, 0, far)
        )


UNCROPPED = Frame(CENTRE, CENTRE, SIZE)  # the whole picture; every grid contains it


def search_crops(
    read: Reader,
    faces: FaceSet,
    coords: np.ndarray,
    sigma: np.ndarray,
    tta_shifts: Sequence[int],
    config: CropSearchConfig,
) -> np.ndarray:
    """Replace, in place, coords (N, K, 2) and sigma (N, K) of the faces that are found in another crop.

    Crops are compared without TTA shifts; the accepted ones are read with `tta_shifts`, as the other faces were.
    Returns the rows that were replaced, sorted.
    """
    changed = [np.array([], int)]
    for subset in np.unique(faces.subset):
        rows = np.flatnonzero(faces.subset == subset)
        low_confidence = _low_confidence(sigma[rows], config)
        if low_confidence.any():
            usual = coords[rows[~low_confidence]].mean(axis=0)
            accepted, crops = _best_crops(read, faces.take(rows[low_confidence]), usual, config)
            found = rows[low_confidence][accepted]
            if len(found):
                coords[found], sigma[found] = _read_crops(read, faces.take(found), crops[accepted], tta_shifts)
            changed.append(found)
    return np.sort(np.concatenate(changed))


def _low_confidence(sigma: np.ndarray, config: CropSearchConfig) -> np.ndarray:
    """Whether a picture's uncertainty is far above the median, bool (N,). Never if the network gives no sigma."""
    uncertainty = _uncertainty(sigma)
    known = np.isfinite(uncertainty)
    return known & (uncertainty > config.low_confidence * np.median(uncertainty[known])) if known.any() else known


def _uncertainty(sigma: np.ndarray) -> np.ndarray:
    """Root mean square of a picture's sigma (N, K) over its points, (N,) px; NaN if it has none."""
    known = np.isfinite(sigma)
    total = np.where(known, sigma**2, 0.0).sum(axis=1)
    return np.sqrt(total / np.where(known.any(axis=1), known.sum(axis=1), np.nan))


def _best_crops(
    read: Reader, faces: FaceSet, usual: np.ndarray, config: CropSearchConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Whether a crop of each face is accepted, bool (N,), and its best crop, (N,) objects.

    usual: the mean points of faces that the network has not missed, (K, 2).
    """
    grid = config.grid()
    tried = [[crop] * len(faces) for crop in grid]
    readings = [_compare(read, faces, crops) for crops in tried]
    for order in np.argsort([uncertainty for _, uncertainty in readings], axis=0, kind="stable")[: config.refined]:
        tried.append([refined_crop(readings[number][0][i], usual, config) for i, number in enumerate(order)])
        points, uncertainty = _compare(read, faces, tried[-1])
        readings.append((points, config.refined_penalty * uncertainty))
    uncertainties = np.array([uncertainty for _, uncertainty in readings])  # (crops, N)
    accepted = uncertainties.min(axis=0) < config.accepted * uncertainties[grid.index(UNCROPPED)]
    best = np.empty(len(faces), object)
    best[:] = [tried[number][i] for i, number in enumerate(uncertainties.argmin(axis=0))]
    return accepted, best


def _compare(read: Reader, faces: FaceSet, crops: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
    """Points of each face read in its crop (N, K, 2), px of the picture, and their uncertainty (N,), px of the crop."""
    coords, sigma = read(_cropped(faces, crops), (0,))
    return _in_picture(coords, crops), _uncertainty(sigma)


def _read_crops(
    read: Reader, faces: FaceSet, crops: Sequence[Frame], tta_shifts: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Coords (N, K, 2) and sigma (N, K) of each face read in its crop, both in the picture's pixels."""
    coords, sigma = read(_cropped(faces, crops), tta_shifts)
    return _in_picture(coords, crops), sigma * np.array([crop.side / SIZE for crop in crops])[:, None]


def _cropped(faces: FaceSet, crops: Sequence[Frame]) -> FaceSet:
    images = [crop.crop(image) for crop, image in zip(crops, faces.images, strict=True)]
    return replace(faces, images=np.stack(images))


def _in_picture(coords: np.ndarray, crops: Sequence[Frame]) -> np.ndarray:
    return np.stack([crop.to_picture(points) for crop, points in zip(crops, coords, strict=True)])


def refined_crop(points: np.ndarray, usual: np.ndarray, config: CropSearchConfig) -> Frame:
    """The crop that moves points (K, 2) of the picture to the usual face's points, its side within the limits.

    UNCROPPED if they do not make a face: too few, turned too far, or centred outside the picture.
    """
    known = np.isfinite(points).all(axis=1) & np.isfinite(usual).all(axis=1)
    if not known.any() or np.ptp(usual[known], axis=0).max() < config.smallest_face:
        return UNCROPPED  # a single point gives no size
    crop = aligned(points[known], usual[known])
    if abs(crop.angle) > config.largest_turn or max(abs(crop.x - CENTRE), abs(crop.y - CENTRE)) > SIZE / 2:
        return UNCROPPED
    crop = replace(crop, side=float(np.clip(crop.side, *config.sides)))
    x, y = points[known].mean(axis=0) - crop.to_picture(usual[known].mean(axis=0))  # not 0 only if the side was clipped
    return replace(crop, x=crop.x + float(x), y=crop.y + float(y))
