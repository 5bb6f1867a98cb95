"""What the stack is held against: a ridge regression in LightGBM's place, and what each specialist adds to the blend.

The blend itself is the third baseline: non-negative least squares. All are out-of-fold by the same folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import Ridge

from solution.ensemble.blend import fit_weights, middle
from solution.ensemble.gating import blended
from solution.evaluation.metrics import rmse
from solution.keypoints import POINTS

CLIP = 4.0  # px: a larger residual is a wrong label or a lost face
STRENGTH = 300.0  # ridge penalty on standardised columns: some hundred columns, some thousand rows


@dataclass(frozen=True)
class Step:
    """One step of the forward selection: the specialist added, and the blend's RMSE in pixels with it."""

    name: str
    rmse: float


def ridge_stack(
    members: np.ndarray, blend: np.ndarray, labels: np.ndarray, fold: np.ndarray, subset: int
) -> np.ndarray:
    """The blend corrected by a ridge regression on where every specialist puts every point, out-of-fold (N, 15, 2).

    members (M, N, 15, 2), blend and labels (N, 15, 2) of one subset's rows, fold (N,).
    """
    points = POINTS[subset]
    columns = _columns(members[:, :, points], blend[:, points])
    residual = np.clip((labels - blend)[:, points], -CLIP, CLIP).reshape(len(blend), -1)
    corrected = blend.copy()
    for f in np.unique(fold):
        held = fold == f
        learnt = np.stack([_fit(columns[~held], target[~held], columns[held]) for target in residual.T], axis=1)
        corrected[np.ix_(held, points)] += learnt.reshape(int(held.sum()), len(points), 2).astype(np.float32)
    return corrected


def _columns(members: np.ndarray, blend: np.ndarray) -> np.ndarray:
    """The blend around the face's own centre, and each specialist's deviation from it, standardised: (N, F)."""
    own = (blend - blend.mean(axis=1, keepdims=True)).reshape(len(blend), -1)
    apart = np.moveaxis(members - blend, 0, 1).reshape(len(blend), -1)
    table = np.nan_to_num(np.concatenate([own, np.clip(apart, -CLIP, CLIP)], axis=1))
    table = table[:, table.std(axis=0) > 0]
    return (table - table.mean(axis=0)) / table.std(axis=0)


def _fit(columns: np.ndarray, target: np.ndarray, held: np.ndarray) -> np.ndarray:
    known = ~np.isnan(target)
    if not known.any():
        return np.zeros(len(held))
    return Ridge(alpha=STRENGTH).fit(columns[known], target[known]).predict(held)


def blend_out_of_fold(
    members: np.ndarray, uncertainty: np.ndarray, labels: np.ndarray, fold: np.ndarray, subset: int
) -> np.ndarray:
    """The plain blend of these specialists, each fold's weights learnt from the others: (N, 15, 2).

    uncertainty: (M, N), from `gating.relative_uncertainty_by_fold`.
    """
    blend, estimate = np.empty_like(labels), middle(members)
    for f in np.unique(fold):
        held = fold == f
        weights = fit_weights(members[:, ~held], labels[~held], subset, estimate[~held])
        blend[held] = blended(members[:, held], uncertainty[:, held], weights)
    return blend


def forward_selection(
    names: Sequence[str],
    members: np.ndarray,
    uncertainty: np.ndarray,
    labels: np.ndarray,
    fold: np.ndarray,
    subset: int,
) -> list[Step]:
    """Add the specialist that helps the blend most, again and again; every one, so that a useless one is seen to be.

    Starts among those that predict every point of the subset. members (M, N, 15, 2) and doubt (M, N) in the names'
    order.
    """
    whole = [i for i in range(len(names)) if not np.isnan(members[i][:, POINTS[subset]]).any()]
    steps: list[Step] = []
    chosen: list[int] = []
    while len(chosen) < len(names):
        open_ = [i for i in (range(len(names)) if chosen else whole) if i not in chosen]
        if not open_:
            break
        tried = {i: [*chosen, i] for i in open_}
        blends = {i: blend_out_of_fold(members[m], uncertainty[m], labels, fold, subset) for i, m in tried.items()}
        scores = {i: rmse(blend, labels) for i, blend in blends.items()}
        best = min(scores, key=scores.__getitem__)
        chosen.append(best)
        steps.append(Step(names[best], scores[best]))
    return steps
