"""From class maps to points: the expectation about the highest peak, then a correction learnt from the training rows.

The readings are places in the picture, while labels have a bias that depends on their source. For each subset, a ridge
regression on the four points predicts how far the labels are from them. A table gives, for each uncertainty, the error
that readings of that uncertainty had.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from solution.keypoints import FACE4, SIZE, SUBSETS, mirror
from solution.recipe import POINTS
from solution.specialists.patches.network import cell_centres


@dataclass(frozen=True)
class DecodingConfig:
    """How class maps are read and corrected."""

    prior_width: float = 1.75
    """The prior's width in standard deviations of the training points: unusual faces must still be read."""

    window: float = 10.0  # radius about the peak within which cells take part in the expectation, px
    ridge: float = 20.0  # added to the normal equations' diagonal, for readings in units of 10 px
    levels: int = 10  # levels of uncertainty at which the error is looked up, at most
    fewest: int = 30  # labels that a level needs, and that a point needs for a prior of its own
    untaught: float = SIZE / 4  # sigma of a point without any training label, px


CONFIG = DecodingConfig()

DEVIATION = float(np.sqrt(np.pi / 2))
"""A normal error's standard deviation over its mean size. A root mean square would follow a few outliers."""


@dataclass(frozen=True)
class Prior:
    """Where the four points are in training faces."""

    mean: list[list[float]]  # (4, 2), px
    deviation: list[list[float]]  # the prior's width, (4, 2), px

    @classmethod
    def learnt(cls, points: np.ndarray) -> Self:
        """From points (N, 4, 2), NaN where unlabelled. A point with too few labels may be anywhere."""
        known = ~np.isnan(points).any(2)
        mean, deviation = np.full((len(POINTS), 2), (SIZE - 1) / 2), np.full((len(POINTS), 2), SIZE / 2)
        for point in np.flatnonzero(known.sum(0) >= CONFIG.fewest):
            mean[point] = points[known[:, point], point].mean(0)
            deviation[point] = points[known[:, point], point].std(0) * CONFIG.prior_width + 1.0
        return cls(mean.tolist(), deviation.tolist())

    def mirrored(self) -> Self:
        """The prior for mirrored pictures."""
        mean = mirror(np.array(self.mean)[None], FACE4)[0]
        return type(self)(mean.tolist(), np.array(self.deviation)[FACE4.mirror].tolist())

    def map(self, device: torch.device) -> Tensor:
        """The prior's density over the cells, not normalised, (4, CELLS, CELLS)."""
        cells = cell_centres(device)
        mean, deviation = (torch.tensor(value, device=device) for value in (self.mean, self.deviation))
        margins = torch.exp(-(((cells[:, None, None] - mean) / deviation) ** 2) / 2)
        return torch.einsum("yk,xk->kyx", margins[..., 1], margins[..., 0])


def read(maps: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
    """Points (B, 4, 2) in pixels and their uncertainty (B, 4), from class maps (B, 5, CELLS, CELLS).

    The uncertainty is the weighted map's standard deviation about the point in pixels, which a second peak increases,
    over the root of the peak's probability. On held-out faces, either has a rank correlation near 0.3 with the error.
    """
    weight = maps[:, : len(POINTS)] * prior + 1e-9
    cells = cell_centres(maps.device)
    places = torch.stack(torch.meshgrid(cells, cells, indexing="xy"), -1).reshape(-1, 2)
    flat = weight.flatten(2)
    height, peak = flat.max(2)
    inside = flat * (((places - places[peak][:, :, None]) ** 2).sum(-1) <= CONFIG.window**2)
    points = (inside @ places) / inside.sum(2, keepdim=True)
    squared = ((places - points[:, :, None]) ** 2).sum(-1)
    width = ((flat * squared).sum(2) / flat.sum(2) / 2).sqrt()
    return points, width / height.clamp(min=1e-3).sqrt()


@dataclass(frozen=True)
class LabelBias:
    """How the labels of one subset follow from the readings."""

    centre: list[float]  # mean reading, (8,) px
    slope: list[list[float]]  # regression weights, (9, 8); the last row is the constant

    uncertainties: list[list[float]]
    """For each point, readings' uncertainties in rising order; none for a point without training labels."""

    errors: list[list[float]]  # the error per axis at each of these, px

    @classmethod
    def learnt(cls, points: np.ndarray, uncertainty: np.ndarray, labels: np.ndarray) -> Self:
        """From readings (N, 4, 2), their uncertainties (N, 4) and labels (N, 4, 2), NaN where unlabelled."""
        flat = points.reshape(-1, 2 * len(POINTS))
        centre = flat.mean(0) if len(flat) else np.zeros(flat.shape[1])
        slope = _ridge((flat - centre) / 10, (labels - points).reshape(flat.shape))
        bias = cls(centre.tolist(), slope.tolist(), [], [])
        off = np.abs(bias.corrected(points) - labels).mean(2)
        tables = [_table(uncertainty[:, point], off[:, point]) for point in range(len(POINTS))]
        return cls(bias.centre, bias.slope, [table[0] for table in tables], [table[1] for table in tables])

    def corrected(self, points: np.ndarray) -> np.ndarray:
        """Readings (N, 4, 2) with the label bias of this subset added, (N, 4, 2)."""
        flat = (points.reshape(-1, 2 * len(POINTS)) - np.array(self.centre)) / 10
        return points + (np.c_[flat, np.ones(len(flat))] @ np.array(self.slope)).reshape(points.shape)

    def sigma(self, uncertainty: np.ndarray) -> np.ndarray:
        """The error per axis to expect at these uncertainties, (N, 4) px."""
        columns = [
            np.interp(uncertainty[:, point], self.uncertainties[point], self.errors[point])
            if self.uncertainties[point]
            else np.full(len(uncertainty), CONFIG.untaught)
            for point in range(len(POINTS))
        ]
        return np.stack(columns, 1)


def _ridge(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Weights (F + 1, T) for targets (N, T), NaN where unknown; the last row is the constant."""
    design = np.c_[features, np.ones(len(features))]
    penalty = np.diag([CONFIG.ridge] * features.shape[1] + [1.0])
    weights = np.zeros((design.shape[1], targets.shape[1]))
    for target in range(targets.shape[1]):
        known = ~np.isnan(targets[:, target])
        rows = design[known]
        weights[:, target] = np.linalg.solve(rows.T @ rows + penalty, rows.T @ targets[known, target])
    return weights


def _table(uncertainty: np.ndarray, off: np.ndarray) -> tuple[list[float], list[float]]:
    """Levels of uncertainty, rising, and the error at each (px, never falling), from errors' sizes `off` (N,)."""
    known = np.flatnonzero(~np.isnan(off))
    if not known.size:
        return [], []
    order = known[np.argsort(uncertainty[known], kind="stable")]
    levels = np.array_split(order, max(1, min(CONFIG.levels, len(order) // CONFIG.fewest)))
    errors = np.maximum.accumulate([DEVIATION * off[level].mean() for level in levels])
    return [float(np.median(uncertainty[level])) for level in levels], errors.tolist()


@dataclass(frozen=True)
class Reading:
    """Everything that is learnt beside the network."""

    prior: Prior
    biases: dict[int, LabelBias]  # by subset

    def settings(self) -> dict[str, Any]:
        """As JSON values."""
        return {"prior": asdict(self.prior), "biases": {str(s): asdict(bias) for s, bias in self.biases.items()}}

    @classmethod
    def restored(cls, settings: dict[str, Any]) -> Self:
        """The reading with these `settings()`."""
        biases = {int(s): LabelBias(**bias) for s, bias in settings["biases"].items()}
        return cls(Prior(**settings["prior"]), biases)

    def applied(self, points: np.ndarray, uncertainty: np.ndarray, subset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates (N, 4, 2) and sigma (N, 4), in pixels, from raw readings and each row's subset (N,)."""
        coords, sigma = np.empty_like(points), np.empty_like(uncertainty)
        for s in SUBSETS:
            rows = subset == s
            coords[rows] = self.biases[s].corrected(points[rows])
            sigma[rows] = self.biases[s].sigma(uncertainty[rows])
        return coords, sigma
