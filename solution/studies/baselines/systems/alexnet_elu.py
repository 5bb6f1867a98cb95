"""AlexNet with ELU instead of ReLU, batch normalisation and dropout, on enlarged and cropped pictures.

After Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012. The system has
changes for points: 4×4 kernels first, no activation at the end, pictures enlarged to 250 pixels and cropped to 227. The
pooling before the dense layers is AlexNet's: without it the first dense layer would have 266 million weights. It is
trained with Adam and squared error, like the earlier system, which had 68 points.
"""

from torch import nn

from solution.studies.baselines.baseline import System
from solution.studies.baselines.crops import Cropped


def _convolution(inside: int, outside: int, kernel: int) -> list[nn.Module]:
    return [nn.Conv2d(inside, outside, kernel, padding=kernel // 2), nn.BatchNorm2d(outside), nn.ELU()]


def _dense(inside: int, outside: int) -> list[nn.Module]:
    return [nn.Linear(inside, outside), nn.BatchNorm1d(outside), nn.ELU(), nn.Dropout(0.6)]


def network(points: int) -> nn.Module:
    """Pictures (B, 1, 227, 227) to (B, points, 2)."""
    return nn.Sequential(
        *(nn.Conv2d(1, 96, 4, stride=4), nn.ELU(), nn.MaxPool2d(3, 2), nn.Dropout(0.2)),
        *(*_convolution(96, 256, 5), nn.MaxPool2d(3, 2)),
        *(*_convolution(256, 384, 3), *_convolution(384, 384, 3), *_convolution(384, 384, 3)),
        *(nn.Dropout(0.4), nn.MaxPool2d(3, 2), nn.Flatten()),
        *(*_dense(384 * 6 * 6, 4096), *_dense(4096, 4096)),
        *(nn.Linear(4096, 2 * points), nn.Unflatten(1, (points, 2))),
    )


SYSTEM = System(
    name="alexnet_elu",
    title="AlexNet with ELU",
    idea="pictures enlarged to 250 and cropped to 227 pixels, five convolutions, two dense layers of 4096",
    network=network,
    frame=Cropped(enlarged=250, side=227),
)
