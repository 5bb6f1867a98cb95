"""Outputs of the earlier systems' networks: the loss, and how points are read from the output."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from solution.codecs import Direct, Heatmap
from solution.keypoints import SIZE
from solution.specialists.landmarks.losses import squared


@dataclass(frozen=True)
class Points:
    """Two numbers for each point, (B, K, 2), from −1 to 1 across the picture; squared error."""

    readings: ClassVar[tuple[str, ...]] = ("direct",)

    def loss(self, raw: Tensor, coords: Tensor) -> Tensor:
        """Mean squared error in units of half the picture; points (B, K, 2) in the frame, NaN where unlabelled."""
        return squared(raw.float(), raw, Direct().encode(coords))

    def read(self, raw: Tensor) -> dict[str, Tensor]:
        """Points (B, K, 2) in the frame, by the reading's name."""
        return {"direct": Direct().decode(raw)[0]}


@dataclass(frozen=True)
class Maps:
    """A heatmap for each point, (B, K, size, size); squared error against a Gaussian with peak 1.

    It is read in two ways. arg-max: the highest cell. average: the mean place, weighted by the map, of all cells that
    are at least half as high; over the whole map the background would pull the mean towards the picture's centre.
    """

    size: int

    sigma: float  # standard deviation of the Gaussian, px
    readings: ClassVar[tuple[str, ...]] = ("arg-max", "average")

    def targets(self, coords: Tensor) -> Tensor:
        """The Gaussians of points (B, K, 2); NaN all over where unlabelled."""
        return Heatmap(self.size).encode(coords, self.sigma).exp()

    def loss(self, raw: Tensor, coords: Tensor) -> Tensor:
        """Mean squared error over all cells of the labelled points' maps."""
        return squared(raw.float(), raw, self.targets(coords))

    def read(self, raw: Tensor) -> dict[str, Tensor]:
        """Points (B, K, 2) in the frame, by the reading's name."""
        maps = raw.float().flatten(2)
        peak, cell = maps.max(2)
        x, y = self._places(raw.device)
        highest = torch.stack([x[cell], y[cell]], -1)
        weight = torch.where(maps >= peak[..., None] / 2, maps, 0.0).clamp(min=0)
        total = weight.sum(2)[..., None]
        mean = torch.stack([(weight * x).sum(2), (weight * y).sum(2)], -1) / total.clamp(min=1e-12)
        return {"arg-max": highest, "average": torch.where(total > 0, mean, highest)}

    def _places(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Centres of all cells in pixels, x and y, (size²,) each, row by row."""
        width = SIZE / self.size
        centres = torch.arange(self.size, device=device) * width + (width - 1) / 2
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        return x.flatten(), y.flatten()


Output = Points | Maps
