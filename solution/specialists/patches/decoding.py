"""From class maps to points: the expectation about the likeliest peak, then what the training rows teach about it.

The readings are of places in the picture; labels follow a source's habits. A ridge regression per subset, from the
four points read to the labels' differences from them, bridges the two. The readings' own uncertainty
is turned into an error in pixels by looking up what error readings of that uncertainty had.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from solution.keypoints import FACE4, SIZE, SUBSETS, mirror
from solution.recipe import POINTS
from solution.specialists.patches.network import cell_centres

PRIOR_WIDTH = 1.75
"""The prior's width, as a multiple of the training points' own standard deviation: odd faces must still be read."""

WINDOW = 10.0
"""Cells this near the peak take part in the expectation, in pixels."""

RIDGE = 20.0
"""Added to the normal equations' diagonal, for readings in units of 10 pixels."""

STEPS = 10
"""Levels of uncertainty at which the error is looked up, at most."""

FEWEST = 30
"""Labels that a level needs, and a point needs for a prior of its own."""

DEVIATION = float(np.sqrt(np.pi / 2))
"""A normal error's standard deviation over its mean size: a few absurd labels would own a root mean square."""

UNTAUGHT = SIZE / 4
"""Spread in pixels of a point that no training row taught."""


@dataclass(frozen=True)
class Prior:
    """Where the four points lie in training faces: mean and deviation, each four (x, y) in pixels."""

    mean: list[list[float]]
    deviation: list[list[float]]

    @classmethod
    def learnt(cls, points: np.ndarray) -> Self:
        """From points (N, 4, 2) with NaN for the unknown; a point never labelled may lie anywhere."""
        known = ~np.isnan(points).any(2)
        mean, deviation = np.full((len(POINTS), 2), (SIZE - 1) / 2), np.full((len(POINTS), 2), SIZE / 2)
        for point in np.flatnonzero(known.sum(0) >= FEWEST):
            mean[point] = points[known[:, point], point].mean(0)
            deviation[point] = points[known[:, point], point].std(0) * PRIOR_WIDTH + 1.0
        return cls(mean.tolist(), deviation.tolist())

    def mirrored(self) -> Self:
        """Where the points lie in mirrored pictures."""
        mean = mirror(np.array(self.mean)[None], FACE4)[0]
        return type(self)(mean.tolist(), np.array(self.deviation)[FACE4.mirror].tolist())

    def map(self, device: torch.device) -> Tensor:
        """The prior's density over the cells, not scaled, (4, CELLS, CELLS)."""
        cells = cell_centres(device)
        mean, deviation = (torch.tensor(value, device=device) for value in (self.mean, self.deviation))
        margins = torch.exp(-(((cells[:, None, None] - mean) / deviation) ** 2) / 2)
        return torch.einsum("yk,xk->kyx", margins[..., 1], margins[..., 0])


def read(maps: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
    """Points (B, 4, 2) in pixels and their uncertainty (B, 4), from class maps (B, 5, CELLS, CELLS).

    The uncertainty is the weighted map's deviation about the point (rivals far away make it wide), in pixels, over
    the root of the peak's probability: both go with the error, by rank correlations near 0.3 on held-out faces.
    """
    weight = maps[:, : len(POINTS)] * prior + 1e-9
    cells = cell_centres(maps.device)
    places = torch.stack(torch.meshgrid(cells, cells, indexing="xy"), -1).reshape(-1, 2)
    flat = weight.flatten(2)
    height, peak = flat.max(2)
    inside = flat * (((places - places[peak][:, :, None]) ** 2).sum(-1) <= WINDOW**2)
    points = (inside @ places) / inside.sum(2, keepdim=True)
    squared = ((places - points[:, :, None]) ** 2).sum(-1)
    width = ((flat * squared).sum(2) / flat.sum(2) / 2).sqrt()
    return points, width / height.clamp(min=1e-3).sqrt()


@dataclass(frozen=True)
class LabelBias:
    """How the labels of one subset follow from the readings.

    centre: mean reading (8). slope: (9, 8), the last row for a one. uncertainties, errors: for each point, readings'
    uncertainties in rising order, and the error per axis (pixels) at each; none for a point without training labels.
    """

    centre: list[float]
    slope: list[list[float]]
    uncertainties: list[list[float]]
    errors: list[list[float]]

    @classmethod
    def learnt(cls, points: np.ndarray, uncertainty: np.ndarray, labels: np.ndarray) -> Self:
        """From readings (N, 4, 2), their uncertainties (N, 4) and labels (N, 4, 2), NaN where there is none."""
        flat = points.reshape(-1, 2 * len(POINTS))
        centre = flat.mean(0) if len(flat) else np.zeros(flat.shape[1])
        slope = _ridge((flat - centre) / 10, (labels - points).reshape(flat.shape))
        bias = cls(centre.tolist(), slope.tolist(), [], [])
        off = np.abs(bias.corrected(points) - labels).mean(2)
        tables = [_table(uncertainty[:, point], off[:, point]) for point in range(len(POINTS))]
        return cls(bias.centre, bias.slope, [table[0] for table in tables], [table[1] for table in tables])

    def corrected(self, points: np.ndarray) -> np.ndarray:
        """Readings (N, 4, 2) as the labellers of this subset would have placed them, (N, 4, 2)."""
        flat = (points.reshape(-1, 2 * len(POINTS)) - np.array(self.centre)) / 10
        return points + (np.c_[flat, np.ones(len(flat))] @ np.array(self.slope)).reshape(points.shape)

    def sigma(self, uncertainty: np.ndarray) -> np.ndarray:
        """The error per axis to expect of readings this doubtful, (N, 4) in pixels."""
        columns = [
            np.interp(uncertainty[:, point], self.uncertainties[point], self.errors[point])
            if self.uncertainties[point]
            else np.full(len(uncertainty), UNTAUGHT)
            for point in range(len(POINTS))
        ]
        return np.stack(columns, 1)


def _ridge(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Weights (F + 1, T) for targets (N, T) with NaN for the unknown; the last row stands for a constant one."""
    design = np.c_[features, np.ones(len(features))]
    penalty = np.diag([RIDGE] * features.shape[1] + [1.0])
    weights = np.zeros((design.shape[1], targets.shape[1]))
    for target in range(targets.shape[1]):
        known = ~np.isnan(targets[:, target])
        rows = design[known]
        weights[:, target] = np.linalg.solve(rows.T @ rows + penalty, rows.T @ targets[known, target])
    return weights


def _table(uncertainty: np.ndarray, off: np.ndarray) -> tuple[list[float], list[float]]:
    """Uncertainties (N,) in rising order, and the error (pixels) about each, never falling, from errors' sizes (N,)."""
    known = np.flatnonzero(~np.isnan(off))
    if not known.size:
        return [], []
    order = known[np.argsort(uncertainty[known], kind="stable")]
    levels = np.array_split(order, max(1, min(STEPS, len(order) // FEWEST)))
    errors = np.maximum.accumulate([DEVIATION * off[level].mean() for level in levels])
    return [float(np.median(uncertainty[level])) for level in levels], errors.tolist()


@dataclass(frozen=True)
class Reading:
    """Everything learnt on top of the network: the prior and each subset's label bias."""

    prior: Prior
    biases: dict[int, LabelBias]

    def settings(self) -> dict[str, Any]:
        """As JSON values."""
        return {"prior": asdict(self.prior), "biases": {str(s): asdict(bias) for s, bias in self.biases.items()}}

    @classmethod
    def restored(cls, settings: dict[str, Any]) -> Self:
        """The reading that `settings()` described."""
        biases = {int(s): LabelBias(**bias) for s, bias in settings["biases"].items()}
        return cls(Prior(**settings["prior"]), biases)

    def applied(self, points: np.ndarray, uncertainty: np.ndarray, subset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates (N, 4, 2) and spread (N, 4), in pixels, from raw readings and each row's subset (N,)."""
        coords, sigma = np.empty_like(points), np.empty_like(uncertainty)
        for s in SUBSETS:
            rows = subset == s
            coords[rows] = self.biases[s].corrected(points[rows])
            sigma[rows] = self.biases[s].sigma(uncertainty[rows])
        return coords, sigma
