"""Which trainer and which predictor run a job, by its recipe's method."""

from solution import inference, training
from solution.faces import FaceSet, Predictions
from solution.job import Job
from solution.patches import predict as patch_prediction
from solution.patches import train as patch_training

TRAIN = {"landmarks": training.train, "landmarks68": training.train, "patches": patch_training.train}
PREDICT = {"landmarks": inference.predict, "landmarks68": inference.predict, "patches": patch_prediction.predict}


def train(job: Job) -> None:
    """Train a job with its recipe's method."""
    TRAIN[job.recipe.method](job)


def predict(job: Job, faces: FaceSet) -> Predictions:
    """Predict faces from a trained job's folder."""
    return PREDICT[job.recipe.method](job.folder, faces, job.device)
