"""The original U-Net: pooling on the way down, transposed convolutions on the way up, maps of both ways joined.

After Ronneberger et al., "U-Net", MICCAI 2015, narrower. Each point has a map of the picture's size, trained by squared
error against a Gaussian. Our own `unet` adds maps instead of joining them, ends at a quarter of the resolution, and is
trained on the coordinates that are read from its maps.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solution.keypoints import SIZE
from solution.studies.baselines.baseline import System
from solution.studies.baselines.heads import Maps
from solution.studies.baselines.systems.vgg_direct import pair


class JoinedUNet(nn.Module):
    """A pair of convolutions for each width on the way down, and one on the way up over the maps of both ways."""

    def __init__(self, points: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.down = nn.ModuleList(pair(inside, outside) for inside, outside in pairwise((1, *widths)))
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(deep, wide, 2, 2) for wide, deep in pairwise(widths))
        self.up = nn.ModuleList(pair(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], points, 1)

    def forward(self, x: Tensor) -> Tensor:
        features: list[Tensor] = []
        for stage in self.down:
            x = stage(F.max_pool2d(x, 2) if features else x)
            features.append(x)
        for level in reversed(range(len(self.up))):
            x = self.up[level](torch.cat([features[level], self.enlarge[level](x)], dim=1))
        return self.head(x)


def network(points: int) -> nn.Module:
    """Pictures (B, 1, 96, 96) to maps (B, points, 96, 96)."""
    return JoinedUNet(points, (16, 32, 64, 128))


SYSTEM = System(
    name="unet_maps",
    title="U-Net heatmaps",
    idea="maps of the way down join those of the way up; Gaussian targets, squared error on the maps",
    network=network,
    output=Maps(size=SIZE, sigma=5.0),
    batch=32,
)
