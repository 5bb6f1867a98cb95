"""Four dense layers in sequence, by RMSProp and squared error.

Known of the original: four layers in sequence, RMSProp, squared error. Dense ones here: no other network of the table
does without convolution, so this shows what convolution is worth. The rate is a tenth of the usual: with 1e-3 the first
steps throw the answers thousands of pixels off, and after 100 steps both stand alike (5.5 and 5.7 px on drawn faces).
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
    idea="no convolution: every pixel weighs on its own",
    network=network,
    rule=Rule(kind="rmsprop", lr=1e-4),
)
