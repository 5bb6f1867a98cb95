"""What came of the contest on faces with 68 points: NME first, RMSE beside it."""

from dataclasses import dataclass

import numpy as np

from solution.keypoints import FACE68
from solution.metrics import resampled_means, squared_errors
from solution.photo.scoring import relative_distances
from solution.photo.training import Study
from solution.zoo.arena import Arena
from solution.zoo.contest68 import arena_of, contenders
from solution.zoo.lines import Figure, Standing, found_in, lines_of

COLUMNS = {"nme": "NME, %", "rmse": "RMSE, px"}


def standing(study: Study, seconds: float) -> Standing:
    """The figures of all networks trained for this long. UserError where there is none."""
    arena = arena_of(study)
    return Standing(
        minutes=seconds / 60,
        measure="NME in % of the distance between the outer eye corners",
        columns=COLUMNS,
        rows=len(arena.held),
        suspects=0,
        lines=lines_of(found_in(arena, contenders(), seconds), len(arena.held), _Scorer(arena)),
    )


@dataclass(frozen=True, eq=False)
class _Scorer:
    """NME and RMSE of the held-out faces in their frames of 96×96 pixels; points outside of a frame do not count."""

    arena: Arena

    def figures(self, coords: np.ndarray) -> dict[str, Figure]:
        labels = self.arena.held.coords
        nme, low, high = _mean(relative_distances(coords, labels, FACE68)[..., None])
        squared = _mean(squared_errors(coords, labels))
        return {"nme": (100 * nme, 100 * low, 100 * high), "rmse": tuple(value**0.5 for value in squared)}

    def watched(self, coords: np.ndarray) -> float:
        return 100 * float(np.nanmean(relative_distances(coords, self.arena.held.coords[self.arena.watched], FACE68)))


def _mean(cells: np.ndarray) -> Figure:
    """The mean of the finite cells (N, K, D), and its 95 % interval from resampling faces."""
    low, high = np.quantile(resampled_means(cells, np.random.default_rng(0)), [0.025, 0.975])
    return float(np.nanmean(cells)), float(low), float(high)
