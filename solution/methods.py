"""Which trainer and which predictor run a job, by its recipe's method."""

import numpy as np

from solution import inference, training
from solution.faces import FaceSet, Predictions
from solution.job import Job
from solution.keypoints import IN_FOUR, POINTS
from solution.patches import predict as patch_prediction
from solution.patches import train as patch_training
from solution.recipe import Recipe

TRAIN = {"landmarks": training.train, "landmarks68": training.train, "patches": patch_training.train}
PREDICT = {"landmarks": inference.predict, "landmarks68": inference.predict, "patches": patch_prediction.predict}


def points(recipe: Recipe, subset: int) -> np.ndarray:
    """Numbers of the points that a recipe's network gives for faces of this subset."""
    return IN_FOUR if recipe.method == "patches" else POINTS[subset]


def train(job: Job) -> None:
    """Train a job with its recipe's method."""
    TRAIN[job.recipe.method](job)


def predict(job: Job, faces: FaceSet) -> Predictions:
    """Predict faces from a trained job's folder."""
    return PREDICT[job.recipe.method](job.folder, faces, job.device)
