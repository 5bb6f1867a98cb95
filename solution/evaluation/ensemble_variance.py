"""What averaging the folds' pipelines takes off the squared error: told without a single label.

The mean of k predictors errs by exactly their variance around it less, in squared error, than one of them does on
average (Krogh and Vedelsby, NIPS 1994). Cross-validation measures one of them, the submission is their mean.
"""

from dataclasses import dataclass

import numpy as np

from solution.evaluation.outliers import outlier_threshold, row_rms
from solution.keypoints import SUBSETS

DISAGREEING = 2.0
"""Pipelines this far from their mean, px rms over a face, have no common answer for it.

One pipeline of five that lies 5 px off the other four makes 2 px. Of 1,056 real test faces one is disagreeing: in one
run (3.3 px, the next 1.3) it made 47 % of its subset's variance, which flattered the expected figure by 0.010 px.
"""


@dataclass(frozen=True)
class EnsembleVariance:
    """by_subset: px² a cell that averaging takes off the error. disagreeing: how many test faces are left out of it."""

    by_subset: dict[int, float]
    disagreeing: int


def ensemble_variance(pipelines: np.ndarray, subset: np.ndarray) -> EnsembleVariance:
    """How far the folds' pipelines (k, T, 15, 2) lie from their mean on the test faces, subset (T,), disagreeing ones
    aside.

    Disagreeing faces are left out as outliers are left out of the cross-validated figure: a handful would make the rest
    of it.
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
