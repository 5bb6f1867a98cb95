"""The stacker's features of one point of one face: the blend, the specialists' deviations from it, and the face."""

import warnings

import cv2
import numpy as np

from solution.ensemble.members import MemberStack


def picture_features(images: np.ndarray) -> np.ndarray:
    """Brightness, contrast and sharpness of each picture (N, H, W): (N, 3)."""
    pixels = images.reshape(len(images), images.shape[1] * images.shape[2]).astype(np.float32)
    sharpness = [cv2.Laplacian(image, cv2.CV_32F).std() for image in images]
    return np.column_stack([pixels.mean(axis=1), pixels.std(axis=1), sharpness]).astype(np.float32)


def pose_features(blend: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Centre x, centre y and size (pixels) and roll (radians) of each face of a blend (N, 15, 2): (N, 4)."""
    coords = blend[:, points]
    centre = coords.mean(axis=1)
    size = np.sqrt(((coords - centre[:, None]) ** 2).sum(axis=-1).mean(axis=1))
    between = blend[:, 0] - blend[:, 1]  # the eye centres
    return np.column_stack([centre, size, np.arctan2(between[:, 1], between[:, 0])]).astype(np.float32)


def point_features(members: MemberStack, blend: np.ndarray, pictures: np.ndarray, axis: int) -> np.ndarray:
    """One row for each face and point, (N·P, F); the points of a face are neighbours.

    blend (N, 15, 2) in pixels, pictures (N, 3) from `picture_features`, axis 0 for x and 1 for y. Positions are also
    given relative to the face's centre and size, so that what is learnt holds anywhere in the picture.
    """
    points = members.points
    pose = pose_features(blend, points)
    coords = members.coords[:, :, points]  # (M, N, P, 2)
    deviation = coords - blend[None][:, :, points]
    relative = (blend[:, points] - pose[:, None, :2]) / pose[:, None, 2:3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a point that no specialist predicts
        disagreement = np.nanstd(coords, axis=0)
    n, p = relative.shape[:2]
    columns = [
        np.broadcast_to(np.arange(p), (n, p))[..., None],
        relative,
        blend[:, points],
        np.broadcast_to(pose[:, None], (n, p, 4)),
        np.broadcast_to(pictures[:, None], (n, p, pictures.shape[1])),
        np.moveaxis(deviation[..., axis], 0, -1),
        np.moveaxis(members.sigma[:, :, points], 0, -1),
        disagreement,
    ]
    return np.concatenate(columns, axis=-1).reshape(n * p, -1).astype(np.float32)
