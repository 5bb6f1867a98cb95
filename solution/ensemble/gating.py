"""Specialists that contradict each other about a face: the surest is believed, whoever has lost the face is left out.

A mean of the place of a face and of another place is neither. Out-of-fold, five of 11,986 pairs of a subset's two
leading specialists lay more than 8 px apart; leaving out the less sure one took a 4-keypoint blend from 1.326 to 1.320
px with a face more in it (13.5 to 1.3 px), the one of an earlier run from 1.340 to 1.338, and no 15-keypoint row.
No label is asked. Limits of 4 to 12 px and of 1.3 to 1.5 times the doubt gave the same to 0.002 px.
"""

import warnings

import numpy as np

from solution.ensemble.blend import BlendWeights

FAR_APART = 8.0
"""Pixels from the surest specialist, root mean square of the points' distances (those of outliers are of an axis)."""

SURER = 1.3
"""How many times the surest one's doubt another's must be."""

HEAVY = 0.2
"""Weight in the blend, mean over points, from which on a specialist is heard. Weak ones can be sure, and wrong."""


def relative_uncertainty(sigmas: np.ndarray) -> np.ndarray:
    """Each specialist's spread (M, N, 15) as a multiple of what is usual among these faces: (M, N), inf without one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a specialist without spreads
        face = np.nanmean(sigmas, axis=-1)
        usual = np.nanmedian(face, axis=1, keepdims=True)
        return np.nan_to_num(face / usual, nan=np.inf)


def relative_uncertainty_by_fold(sigmas: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """As `relative_uncertainty`, fold (N,) for fold: each is another network's work, with a usual spread of its own."""
    found = np.empty(sigmas.shape[:2])
    for f in np.unique(fold):
        found[:, fold == f] = relative_uncertainty(sigmas[:, fold == f])
    return found


def blended(members: np.ndarray, uncertainty: np.ndarray, weights: BlendWeights) -> np.ndarray:
    """The blend (N, 15, 2), whoever has lost a face left out of it. Arguments as in `mask_outlier_members`."""
    return weights.apply(mask_outlier_members(members, uncertainty, weights))


def mask_outlier_members(members: np.ndarray, uncertainty: np.ndarray, weights: BlendWeights) -> np.ndarray:
    """Members (M, N, 15, 2) with NaN for the faces that one of them has lost, a new array; the blend does without.

    A point that the surest one does not predict is kept. uncertainty: (M, N), from `relative_uncertainty`.
    """
    heavy = weights.mean() >= HEAVY
    settled = members.copy()
    if heavy.sum() < 2 or members.shape[1] == 0:
        return settled
    heard, sure = members[heavy], uncertainty[heavy]
    surest = heard[sure.argmin(axis=0), np.arange(members.shape[1])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a face that one of them does not predict
        apart = np.sqrt(np.nanmean(((heard - surest) ** 2).sum(axis=-1), axis=-1))
    least = sure.min(axis=0)
    masked = (apart > FAR_APART) & np.isfinite(least) & (sure >= SURER * least)
    settled[heavy] = np.where(masked[..., None, None] & ~np.isnan(surest), np.nan, heard)
    return settled
