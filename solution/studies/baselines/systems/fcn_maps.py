"""A fully convolutional network: scores at several resolutions, each enlarged and added to the next finer one.

After Long et al., "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015. Each point has a map of the
picture's size, trained by squared error against a Gaussian. After 200 steps on 320 drawn faces the weighted averages
were 14.5 px off with a sigma of 5 px, 25.3 px with 3 and 28.0 px with 2: narrow Gaussians are nearly 0 everywhere, and
a network learns that first.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from solution.keypoints import SIZE
from solution.studies.baselines.baseline import System
from solution.studies.baselines.heads import Maps
from solution.studies.baselines.systems.vgg_direct import pair


class FCN(nn.Module):
    """A pair of convolutions for each width, each at half the resolution of the one before; all but the first score."""

    def __init__(self, points: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.down = nn.ModuleList(pair(inside, outside) for inside, outside in pairwise((1, *widths)))
        self.scores = nn.ModuleList(nn.Conv2d(width, points, 1) for width in widths[1:])

    def forward(self, x: Tensor) -> Tensor:
        scores = []
        for level, stage in enumerate(self.down):
            x = stage(x if level == 0 else F.max_pool2d(x, 2))
            if level > 0:
                scores.append(self.scores[level - 1](x))
        total = scores.pop()
        for finer in reversed(scores):
            total = finer + F.interpolate(total, size=finer.shape[2:], mode="bilinear")
        return F.interpolate(total, size=(SIZE, SIZE), mode="bilinear")


def network(points: int) -> nn.Module:
    """Pictures (B, 1, 96, 96) to maps (B, points, 96, 96)."""
    return FCN(points, (16, 32, 64, 128))


SYSTEM = System(
    name="fcn_maps",
    title="FCN heatmaps",
    idea="scores at four resolutions, enlarged and added; Gaussian targets, squared error on the maps",
    network=network,
    output=Maps(size=SIZE, sigma=5.0),
    batch=32,
)
