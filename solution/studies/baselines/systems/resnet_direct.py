"""ResNet-style: residual blocks at halving resolution; coordinates from the average of the last map.

After He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, with fewer and narrower layers.
"""

from torch import nn

from solution.models.unet import blocks
from solution.studies.baselines.baseline import System


def network(points: int) -> nn.Module:
    """Pictures (B, 1, 96, 96) to (B, points, 2)."""
    return nn.Sequential(
        *(nn.Conv2d(1, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        *(blocks(64, 64, 2), blocks(64, 128, 2, stride=2), blocks(128, 256, 2, stride=2)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 2 * points), nn.Unflatten(1, (points, 2))),
    )


SYSTEM = System(
    name="resnet_direct",
    title="ResNet-style, direct",
    idea="residual blocks, the last map averaged to one vector, coordinates",
    network=network,
)
