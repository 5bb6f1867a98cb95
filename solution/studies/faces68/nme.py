"""Scores of predicted points: RMSE, and NME, the mean distance as a share of the distance between the eyes."""

from dataclasses import dataclass

import numpy as np

from solution.data.landmarks68 import Frames
from solution.deploy.photo.finder import FaceFinder
from solution.evaluation.metrics import rmse
from solution.keypoints import FACE15, FACE68, Schema, fifteen_of

OUTER_CORNERS = {FACE15.name: ("right_eye_outer_corner", "left_eye_outer_corner"), FACE68.name: ("36", "45")}
"""The points between which the inter-ocular distance is measured, by schema."""


@dataclass(frozen=True)
class Score:
    """The score of some faces."""

    nme_percent: float  # mean over faces and points, %
    rmse: float  # pooled over coordinates, px of the pictures
    faces: int  # how many


def interocular(coords: np.ndarray, schema: Schema) -> np.ndarray:
    """Distance between the outer corners of the eyes, (N, K, 2) to (N,), pixels."""
    right, left = schema.index(OUTER_CORNERS[schema.name])
    return np.linalg.norm(coords[:, right] - coords[:, left], axis=-1)


def relative_distances(coords: np.ndarray, labels: np.ndarray, schema: Schema) -> np.ndarray:
    """Each point's distance to its label as a share of the labels' inter-ocular distance, (N, K)."""
    return np.linalg.norm(coords - labels, axis=-1) / interocular(labels, schema)[:, None]


def score(coords: np.ndarray, labels: np.ndarray, schema: Schema) -> Score:
    """The score of points (N, K, 2) against labels, both in the pictures' pixels."""
    nme = relative_distances(coords, labels, schema).mean()
    return Score(round(float(nme) * 100, 3), round(rmse(coords, labels), 3), len(coords))


def labels_of(frames: Frames, schema: Schema) -> np.ndarray:
    """The labels of the 68 points, or of the 15 points that follow from them, (N, K, 2)."""
    return fifteen_of(frames.coords) if schema.name == FACE15.name else frames.coords


def evaluate(frames: Frames, finder: FaceFinder) -> Score:
    """Predict every labelled picture without its labels, and score the predictions."""
    schema = finder.landmarker.schema
    coords = np.stack([finder.read_whole(image).coords for image in frames.images])
    return score(coords.astype(np.float32), labels_of(frames, schema), schema)


def pooled(scores: list[Score]) -> Score:
    """The score of all faces together."""
    faces = np.array([score.faces for score in scores])
    share = faces / faces.sum()
    nme = float(share @ [score.nme_percent for score in scores])
    squared = float(share @ [score.rmse**2 for score in scores])
    return Score(round(nme, 3), round(squared**0.5, 3), int(faces.sum()))
