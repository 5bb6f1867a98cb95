"""What the stacker sees of one point of one face: where the blend puts it, who disagrees, and what the face is like."""

import warnings

import cv2
import numpy as np

from solution.keypoints import POINTS


def face_features(images: np.ndarray) -> np.ndarray:
    """Brightness, contrast and sharpness of each picture, (N, 3)."""
    pixels = images.reshape(len(images), images.shape[1] * images.shape[2]).astype(np.float32)
    sharp = [cv2.Laplacian(image, cv2.CV_32F).std() for image in images]
    return np.column_stack([pixels.mean(axis=1), pixels.std(axis=1), sharp]).astype(np.float32)


def pose_features(blend: np.ndarray, subset: int) -> np.ndarray:
    """Centre x, y, size and roll of each face from its blended points, (N, 4): pixels, pixels, pixels, radians."""
    points = blend[:, POINTS[subset]]
    centre = points.mean(axis=1)
    size = np.sqrt(((points - centre[:, None]) ** 2).sum(axis=-1).mean(axis=1))
    between = blend[:, 0] - blend[:, 1]
    return np.column_stack([centre, size, np.arctan2(between[:, 1], between[:, 0])]).astype(np.float32)


def point_features(
    members: np.ndarray, sigmas: np.ndarray, blend: np.ndarray, faces: np.ndarray, subset: int, axis: int
) -> np.ndarray:
    """One row a face and point, (N·P, F), points of a face together.

    members (M, N, 15, 2) and spreads (M, N, 15) of the specialists, blend (N, 15, 2), faces (N, 3); axis 0 = x, 1 = y.
    Positions enter relative to the face's own centre and size, so that what is learnt holds anywhere in the picture.
    """
    points = POINTS[subset]
    pose = pose_features(blend, subset)
    apart = members[:, :, points] - blend[None][:, :, points]  # (M, N, P, 2)
    relative = (blend[:, points] - pose[:, None, :2]) / pose[:, None, 2:3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a point that one specialist alone predicts
        disagreement = np.nanstd(members[:, :, points], axis=0)
    n, p = relative.shape[:2]
    columns = [
        np.broadcast_to(np.arange(p), (n, p))[..., None],
        relative,
        blend[:, points],
        np.broadcast_to(pose[:, None], (n, p, 4)),
        np.broadcast_to(faces[:, None], (n, p, faces.shape[1])),
        np.moveaxis(apart[..., axis], 0, -1),
        np.moveaxis(sigmas[:, :, points], 0, -1),
        disagreement,
    ]
    return np.concatenate(columns, axis=-1).reshape(n * p, -1).astype(np.float32)
