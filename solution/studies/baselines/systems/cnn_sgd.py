"""A plain convolutional network of 7 million weights, by SGD with momentum and squared error.

Three convolutions, each followed by pooling, and two dense layers. Most of the weights are in the first dense layer.
Only the original's size, SGD, squared error and 30 outputs are known. Widths, rate and momentum are common values.
"""

from torch import nn

from solution.studies.baselines.baseline import Rule, System


def network(points: int) -> nn.Module:
    """Pictures (B, 1, 96, 96) to (B, points, 2)."""
    layers: list[nn.Module] = []
    for inside, outside in ((1, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inside, outside, 3), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(128 * 10 * 10, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(512, 2 * points), nn.Unflatten(1, (points, 2)))


SYSTEM = System(
    name="cnn_sgd",
    title="CNN, 7 M weights, SGD",
    idea="three times convolution and pooling, two dense layers of 512, SGD with momentum",
    network=network,
    rule=Rule(kind="sgd", lr=0.01, momentum=0.9),
)
