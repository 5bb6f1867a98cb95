"""What a submission truly scores, where the answers are known: of drawn faces, and of labelled rows held out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solution.data.competition import Competition
from solution.report.scores import Interval, Scores, intervals_of, scores_of
from solution.submission import read_submission
from solution.suspects import far_off


@dataclass(frozen=True)
class Truth:
    """scores: over every answer, pooled as Kaggle does, with their intervals. far_off: test faces whose answers lie as
    far from the predictions as suspects' labels do, wrong ones by all likelihood; without: the scores less these.
    """

    scores: Scores
    intervals: dict[str | int, Interval]
    far_off: int
    without: Scores


def truth_of(path: Path, competition: Competition) -> Truth | None:
    """The submission's file held against the answers; None where these are not known."""
    faces = competition.answered
    if faces is None:
        return None
    coords, weights = read_submission(path, competition), competition.weights
    far, every = far_off(coords, faces.coords), np.ones(len(faces), bool)
    return Truth(
        scores=scores_of(coords, faces, weights, every),
        intervals=intervals_of(coords, faces, weights, every),
        far_off=int(far.sum()),
        without=scores_of(coords, faces, weights, ~far),
    )
