"""Baselines of the stack: a ridge regression in LightGBM's place, and what each specialist adds to the blend.

The blend itself is a third baseline: non-negative least squares. All baselines are out-of-fold on the same folds.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import Ridge

from solution.ensemble.blend import fit_weights
from solution.ensemble.config import CONFIG, EnsembleConfig, RidgeConfig
from solution.ensemble.gating import blended
from solution.ensemble.members import MemberStack
from solution.evaluation.metrics import rmse


@dataclass(frozen=True)
class Step:
    """One step of the forward selection."""

    name: str  # the specialist that is added
    rmse: float  # the blend's RMSE with it, pixels


def ridge_stack(
    members: MemberStack, blend: np.ndarray, labels: np.ndarray, fold: np.ndarray, config: RidgeConfig = CONFIG.ridge
) -> np.ndarray:
    """The blend corrected by a ridge regression on all specialists' coordinates, out-of-fold: (N, 15, 2).

    blend and labels (N, 15, 2) in pixels, fold (N,).
    """
    points = members.points
    columns = _columns(members.coords[:, :, points], blend[:, points], config.clip)
    residual = np.clip((labels - blend)[:, points], -config.clip, config.clip).reshape(len(blend), -1)
    corrected = blend.copy()
    for f in np.unique(fold):
        held, others = fold == f, fold != f
        learnt = [_fit(columns[others], target[others], columns[held], config.alpha) for target in residual.T]
        correction = np.stack(learnt, axis=1).reshape(int(held.sum()), len(points), 2)
        corrected[np.ix_(held, points)] += correction.astype(np.float32)
    return corrected


def _columns(coords: np.ndarray, blend: np.ndarray, clip: float) -> np.ndarray:
    """The blend (N, P, 2) around each face's centre and the deviations of coords (M, N, P, 2), standardised: (N, F)."""
    centred = (blend - blend.mean(axis=1, keepdims=True)).reshape(len(blend), -1)
    deviation = np.moveaxis(coords - blend, 0, 1).reshape(len(blend), -1)
    table = np.nan_to_num(np.concatenate([centred, np.clip(deviation, -clip, clip)], axis=1))
    table = table[:, table.std(axis=0) > 0]
    return (table - table.mean(axis=0)) / table.std(axis=0)


def _fit(columns: np.ndarray, target: np.ndarray, held: np.ndarray, alpha: float) -> np.ndarray:
    """The targets (held rows,) that a ridge regression on the other rows gives; 0 where these have no label."""
    known = ~np.isnan(target)
    if not known.any():
        return np.zeros(len(held))
    return Ridge(alpha=alpha).fit(columns[known], target[known]).predict(held)


def blend_out_of_fold(
    members: MemberStack, labels: np.ndarray, fold: np.ndarray, config: EnsembleConfig = CONFIG
) -> np.ndarray:
    """The blend of these specialists, each fold's weights fitted to the others: (N, 15, 2) pixels."""
    blend, median = np.empty_like(labels), members.median()
    for f in np.unique(fold):
        held, others = fold == f, fold != f
        weights = fit_weights(members.take(others), labels[others], config.blend, median[others])
        blend[held] = blended(members.take(held), weights, config.gating)
    return blend


def forward_selection(
    members: MemberStack, labels: np.ndarray, fold: np.ndarray, config: EnsembleConfig = CONFIG
) -> list[Step]:
    """Add the specialist that helps the blend most, until all are in. So the list also shows which ones are useless.

    The first one is chosen among those that predict every point of the subset. labels (N, 15, 2), fold (N,).
    """
    holes = np.isnan(members.coords[:, :, members.points]).any(axis=(1, 2, 3))
    candidates = set(np.flatnonzero(~holes).tolist())
    steps: list[Step] = []
    chosen: list[int] = []
    while candidates:
        scores = {
            i: rmse(blend_out_of_fold(members.only([*chosen, i]), labels, fold, config), labels)
            for i in sorted(candidates)
        }
        best = min(scores, key=scores.__getitem__)
        chosen.append(best)
        steps.append(Step(members.names[best], scores[best]))
        candidates = set(range(len(members))) - set(chosen)
    return steps
