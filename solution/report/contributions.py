"""What each specialist adds to the stack, and what it costs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from solution.keypoints import SUBSETS
from solution.report.summary import Summary


@dataclass(frozen=True)
class Share:
    """A specialist in one subset's blend. step: when the forward selection takes it, from 1. rmse: the blend's with it
    and those before it, px without outliers. gain: by how much that is better than before, NaN for the first. weight:
    its mean weight in the blend of all.
    """

    step: int
    rmse: float
    gain: float
    weight: float


@dataclass(frozen=True)
class Contribution:
    """shares: by subset that it is part of. minutes: training, all folds together, NaN where that is not known."""

    name: str
    shares: Mapping[int, Share]
    minutes: float


def contributions(summary: Summary, weights: Mapping[int, Mapping[str, float]]) -> tuple[Contribution, ...]:
    """Every specialist, in the order of the summary's times. weights: by subset and name, the mean in the blend."""
    return tuple(
        Contribution(
            name,
            {s: share for s in SUBSETS if (share := _share(name, summary, weights.get(s, {}), s)) is not None},
            summary.seconds.get(name, math.nan) / 60,
        )
        for name in summary.seconds
    )


def _share(name: str, summary: Summary, weights: Mapping[str, float], subset: int) -> Share | None:
    steps = summary.added.get(subset, [])
    at = next((i for i, (added, _) in enumerate(steps) if added == name), None)
    if at is None:
        return None
    rmse = float(steps[at][1])
    gain = float(steps[at - 1][1]) - rmse if at else math.nan
    return Share(at + 1, rmse, gain, float(weights.get(name, math.nan)))
