"""A second look at pictures in which a network has lost the face: larger, smaller and moved, until it is sure.

A few faces lie far from where the training pictures have theirs, small in a crowd or cut off at the border. A network
says so itself, by a spread far above its usual one. In a frame that puts the face where it is used to, its spread
halves and more; that tells the right frame without any label. Frames on a grid come first; from the surest of them the
face is framed anew by its own points, as the usual face lies. See docs/experiments.md, "Missed faces".
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from solution.data.crop import CENTRE, Frame, aligned
from solution.faces import FaceSet
from solution.keypoints import SIZE

Reader = Callable[[FaceSet, Sequence[int]], tuple[np.ndarray, np.ndarray]]
"""Faces and shifts in pixels to coords (N, K, 2), offset-free, and spread (N, K), as the network reads them."""

LOW_CONFIDENCE = 1.6
"""Times the usual spread, from where on a picture is looked at again: 1 to 3 % of the real pictures."""

FOUND = 0.5
"""Times the spread in the picture's own frame, below which another frame is believed. At 0.55 the first is wrong."""

LOOKS = ((0.75, 22), (1.0, 22), (1.35, 22), (1.8, 22), (2.4, 33))
"""Zooms, and how many pixels to either side each looks from the middle.

The strongest reaches into the corners: without it, all networks of a run's fold lost a small face in one (40 px off,
with it 0.5). It changes nothing else but for a collage. With 16 frames of that zoom instead of nine two of four such
networks find that face, with 25 three.
"""

FRAMES = tuple(
    Frame(CENTRE + x, CENTRE + y, SIZE / zoom) for zoom, far in LOOKS for y in (-far, 0, far) for x in (-far, 0, far)
)
"""Where a face is looked for first."""

FOLLOWED = 10
"""The surest of these frames, from which a face is framed anew by its own points, as the usual face lies."""

ANEW = 1.25
"""What the spread counts there: a freer search has to be surer. At 1 it takes the wrong one of two faces for sure."""

SIDES = SIZE / 3, SIZE / 0.6
"""Shortest and longest side of such a frame, in the picture's pixels."""

MOST_TURNED = np.pi / 4
"""Radians such a frame may be turned by. Nobody here stands on the head: points that say so are scattered."""

SMALLEST_FACE = 1.0
"""Pixels between a usual face's points, below which they make no shape."""

UNCROPPED = Frame(CENTRE, CENTRE, SIZE)
FEW = (0,)


def search_crops(
    read: Reader, faces: FaceSet, coords: np.ndarray, sigma: np.ndarray, tta_shifts: Sequence[int]
) -> np.ndarray:
    """Put right, in place, coords (N, K, 2) and spread (N, K) of faces that are found in another frame.

    read is shown the frames plain and mirrored, and what is found with all `tta_shifts`, as the rest was. Returns the
    rows that were put right.
    """
    changed = [np.array([], int)]
    for kind in np.unique(faces.subset):
        rows = np.flatnonzero(faces.subset == kind)
        low_confidence = _low_confidence(sigma[rows])
        if low_confidence.any():
            usual = coords[rows[~low_confidence]].mean(axis=0)
            sure, frames = _best_frames(read, faces.take(rows[low_confidence]), usual)
            found = rows[low_confidence][sure]
            if len(found):
                coords[found], sigma[found] = _read_through(read, faces.take(found), frames[sure], tta_shifts)
            changed.append(found)
    return np.sort(np.concatenate(changed))


def _read_through(
    read: Reader, faces: FaceSet, frames: Sequence[Frame], tta_shifts: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Coords (N, K, 2) and spread (N, K) in the picture's pixels, each face read in its frame."""
    coords, sigma = read(_framed(faces, frames), tta_shifts)
    return _in_picture(coords, frames), sigma * np.array([frame.side / SIZE for frame in frames])[:, None]


def _best_frames(read: Reader, faces: FaceSet, usual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each face is found in another frame, bool (N,), and its surest frame, (N,) objects.

    usual: where a face's points usually lie, (K, 2).
    """
    tried = [[frame] * len(faces) for frame in FRAMES]
    looks = [_look(read, faces, frames) for frames in tried]
    for order in np.argsort([uncertainty for _, uncertainty in looks], axis=0, kind="stable")[:FOLLOWED]:
        tried.append([_framed_anew(looks[look][0][i], usual) for i, look in enumerate(order)])
        points, uncertainty = _look(read, faces, tried[-1])
        looks.append((points, ANEW * uncertainty))
    uncertainties = np.array([uncertainty for _, uncertainty in looks])
    sure = uncertainties.min(axis=0) < FOUND * uncertainties[FRAMES.index(UNCROPPED)]
    best = np.empty(len(faces), object)
    best[:] = [tried[look][i] for i, look in enumerate(uncertainties.argmin(axis=0))]
    return sure, best


def _look(read: Reader, faces: FaceSet, frames: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
    """Points in the picture's pixels (N, K, 2) and doubt (N,), in the frame's own pixels, of each face in its frame."""
    coords, sigma = read(_framed(faces, frames), FEW)
    return _in_picture(coords, frames), _uncertainty(sigma)


def _in_picture(coords: np.ndarray, frames: Sequence[Frame]) -> np.ndarray:
    return np.stack([frame.to_picture(one) for frame, one in zip(frames, coords, strict=True)])


def _framed_anew(points: np.ndarray, usual: np.ndarray) -> Frame:
    """The frame in which points (K, 2) of the picture lie as the usual face's do, no smaller or larger than SIDES.

    OWN where they do not make a face: too few, turned too far, or its middle out of the picture.
    """
    known = np.isfinite(points).all(axis=1) & np.isfinite(usual).all(axis=1)
    if not known.any() or np.ptp(usual[known], axis=0).max() < SMALLEST_FACE:
        return UNCROPPED  # a single point tells no size
    frame = aligned(points[known], usual[known])
    if abs(frame.angle) > MOST_TURNED or max(abs(frame.x - CENTRE), abs(frame.y - CENTRE)) > SIZE / 2:
        return UNCROPPED
    frame = replace(frame, side=float(np.clip(frame.side, *SIDES)))
    x, y = points[known].mean(axis=0) - frame.to_picture(usual[known].mean(axis=0))  # nothing but for a clipped side
    return replace(frame, x=frame.x + float(x), y=frame.y + float(y))


def _framed(faces: FaceSet, frames: Sequence[Frame]) -> FaceSet:
    images = [frame.crop(image) for frame, image in zip(frames, faces.images, strict=True)]
    return replace(faces, images=np.stack(images))


def _low_confidence(sigma: np.ndarray) -> np.ndarray:
    """Whether a picture's doubt is far above what is usual, bool (N,). Never where the network gives no spread."""
    uncertainty = _uncertainty(sigma)
    known = np.isfinite(uncertainty)
    return known & (uncertainty > LOW_CONFIDENCE * np.median(uncertainty[known])) if known.any() else known


def _uncertainty(sigma: np.ndarray) -> np.ndarray:
    """The root mean square of a picture's spreads over the points it has, (N,); NaN where it has none."""
    known = np.isfinite(sigma)
    total = np.where(known, sigma**2, 0.0).sum(axis=1)
    return np.sqrt(total / np.where(known.any(axis=1), known.sum(axis=1), np.nan))
