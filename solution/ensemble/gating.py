"""Gating: where leading specialists contradict each other about a face, the blend uses the least uncertain one.

If one specialist finds the face and another does not, the mean of their points is not on the face. No label is needed.
docs/experiments.md has the gain.
"""

import warnings

import numpy as np

from solution.ensemble.blend import BlendWeights
from solution.ensemble.config import CONFIG, GatingConfig
from solution.ensemble.members import MemberStack


def blended(members: MemberStack, weights: BlendWeights, config: GatingConfig = CONFIG.gating) -> np.ndarray:
    """The blend (N, 15, 2) in pixels, without the predictions that gating masks."""
    return weights.apply(mask_outlier_members(members, weights, config))


def mask_outlier_members(
    members: MemberStack, weights: BlendWeights, config: GatingConfig = CONFIG.gating
) -> np.ndarray:
    """The members' coords (M, N, 15, 2), a copy with NaN for each face on which a specialist is left out.

    A point that the least uncertain specialist does not predict is kept.
    """
    leading = weights.mean() >= config.weight
    masked = members.coords.copy()
    if leading.sum() < 2 or masked.shape[1] == 0:
        return masked
    coords, uncertainty = masked[leading], members.uncertainty[leading]
    reference = coords[uncertainty.argmin(axis=0), np.arange(masked.shape[1])]  # (N, 15, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a face that one of them does not predict
        distance = np.sqrt(np.nanmean(((coords - reference) ** 2).sum(axis=-1), axis=-1))
    least = uncertainty.min(axis=0)
    outlier = (distance > config.distance) & np.isfinite(least) & (uncertainty >= config.ratio * least)
    masked[leading] = np.where(outlier[..., None, None] & ~np.isnan(reference), np.nan, coords)
    return masked
