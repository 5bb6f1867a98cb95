"""VGG-style: pairs of 3×3 convolutions between poolings, then dense layers for the coordinates.

After Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, narrower
and with batch normalisation.
"""

from torch import nn

from solution.studies.baselines.baseline import System


def pair(inside: int, outside: int) -> nn.Sequential:
    """Two 3×3 convolutions, each with batch normalisation and ReLU."""
    return nn.Sequential(
        *(nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()),
        *(nn.Conv2d(outside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()),
    )


def network(points: int) -> nn.Module:
    """Pictures (B, 1, 96, 96) to (B, points, 2)."""
    layers: list[nn.Module] = []
    for inside, outside in ((1, 32), (32, 64), (64, 128), (128, 256)):
        layers += [pair(inside, outside), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(256 * 6 * 6, 512), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(512, 2 * points), nn.Unflatten(1, (points, 2)))


SYSTEM = System(
    name="vgg_direct",
    title="VGG-style, direct",
    idea="pairs of 3x3 convolutions between poolings, a dense layer, coordinates",
    network=network,
)
