"""The U-Net's maps become two distributions for each point, one of x and one of y, finer than a pixel.

After Li et al., "SimCC: a Simple Coordinate Classification Perspective for Human Pose Estimation", ECCV 2022: each
point's map goes through two linear layers that the points share. Here the distributions are read by their means, so the
loss is one of coordinates.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from solution.codecs import SimCC
from solution.models.unet import UNet

MAP = 24


class SimCCNetwork(UNet):
    """A U-Net whose maps of MAP×MAP end in (B, points, 2, bins) logits."""

    def __init__(self, points: int, bins: int, widths: Sequence[int]) -> None:
        super().__init__(points, MAP, widths, depth=2, stride=2)
        self.lines = nn.ModuleList(nn.Linear(MAP * MAP, bins) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        maps = super().forward(x).flatten(2)
        return torch.stack([line(maps) for line in self.lines], dim=2)


def build(points: int, codec: SimCC, *, widths: Sequence[int] = (16, 32, 64, 96)) -> nn.Module:
    """A network that gives logits (B, points, 2, codec.bins)."""
    return SimCCNetwork(points, codec.bins, widths)
