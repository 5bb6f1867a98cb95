"""Four dense layers in sequence, by RMSProp and squared error.

Only the original's four layers in sequence, RMSProp and squared error are known. The layers are dense here. This is the
only network of the comparison without a convolution, so it shows the gain of convolution. The rate is a tenth of the
usual one: with 1e-3 the first steps give errors of thousands of pixels, and after 100 steps both rates are about equal
(5.5 and 5.7 px on drawn faces).
"""

from torch import nn

from solution.studies.baselines.baseline import Rule, System


def network(points: int) -> nn.Module:
    """Pictures (B, 1, 96, 96) to (B, points, 2)."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inside, outside in ((96 * 96, 512), (512, 256), (256, 128)):
        layers += [nn.Linear(inside, outside), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(128, 2 * points), nn.Unflatten(1, (points, 2)))


SYSTEM = System(
    name="sequential_rmsprop",
    title="Four dense layers, RMSProp",
    idea="no convolution: every pixel has its own weights",
    network=network,
    rule=Rule(kind="rmsprop", lr=1e-4),
)
