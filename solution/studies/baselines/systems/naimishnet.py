"""NaimishNet: four convolutions of shrinking size and growing width, ELU, and dropout that rises towards the output.

After Agarwal, Krohn-Grimberghe and Vyas, "Facial Key Points Detection using Deep Convolutional Neural Network –
NaimishNet", 2017: Adam, batches of 128, mirrored pictures; the second dense layer is linear. The paper has one network
for each point (naimishnet_each.py); this is one network for all points.
"""

from torch import nn

from solution.studies.baselines.baseline import System

STAGES = ((1, 32, 4, 0.1), (32, 64, 3, 0.2), (64, 128, 2, 0.3), (128, 256, 1, 0.4))
"""Channels in, channels out, side of the kernel, dropout."""


def network(points: int) -> nn.Module:
    """Pictures (B, 1, 96, 96) to (B, points, 2)."""
    layers: list[nn.Module] = []
    for inside, outside, kernel, dropout in STAGES:
        layers += [nn.Conv2d(inside, outside, kernel), nn.ELU(), nn.MaxPool2d(2), nn.Dropout(dropout)]
    layers += [nn.Flatten(), nn.Linear(256 * 5 * 5, 1000), nn.ELU(), nn.Dropout(0.5)]
    layers += [nn.Linear(1000, 1000), nn.Dropout(0.6), nn.Linear(1000, 2 * points), nn.Unflatten(1, (points, 2))]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
    return nn.Sequential(*layers)


SYSTEM = System(
    name="naimishnet",
    title="NaimishNet, all points",
    idea="four convolutions of sizes 4, 3, 2, 1 with ELU, dropout rising from 0.1 to 0.6",
    network=network,
    batch=128,
    mirror=True,
)
