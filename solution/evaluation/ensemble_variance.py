"""By how much averaging the folds' pipelines reduces the squared error. No label is needed.

The squared error of the mean of k predictors is lower than their average squared error by exactly their variance around
the mean (Krogh and Vedelsby, NIPS 1994). Cross-validation measures one predictor; the submission is their mean.
"""

from dataclasses import dataclass

import numpy as np

from solution.evaluation.outliers import outlier_threshold, row_rms
from solution.keypoints import SUBSETS

DISAGREEING = 2.0
"""Pipelines that are this far from their mean, px rms over a face, disagree on it.

One pipeline of five that is 5 px from the other four makes 2 px. The pipelines disagree on one of 1,056 real test
faces. In one run it had 47 % of its subset's variance, which made the expected figure 0.010 px too low.
"""


@dataclass(frozen=True)
class EnsembleVariance:
    """By how much averaging reduces the squared error."""

    by_subset: dict[int, float]
    """px² per cell, by subset."""

    disagreeing: int
    """Test faces that are left out, since the pipelines disagree on them."""


def ensemble_variance(pipelines: np.ndarray, subset: np.ndarray) -> EnsembleVariance:
    """The variance of the folds' pipelines (k, T, 15, 2) around their mean on the test faces, subset (T,).

    Disagreeing faces are left out, since a few of them would dominate the variance.
    """
    variance = pipelines.var(axis=0)
    sigma = row_rms(np.sqrt(variance), ~np.isnan(variance))
    disagreeing = np.zeros(len(subset), bool)
    by_subset = {}
    for s in SUBSETS:
        rows = subset == s
        disagreeing[rows] = sigma[rows] > outlier_threshold(sigma[rows], DISAGREEING)
        kept = variance[rows & ~disagreeing]
        by_subset[s] = float(np.nanmean(kept)) if len(kept) else 0.0
    return EnsembleVariance(by_subset, int(disagreeing.sum()))
