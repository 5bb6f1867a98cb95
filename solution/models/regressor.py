"""A convolutional network that regresses coordinates: stages of residual blocks, pooling, dense layers.

The pooling keeps a 3×3 grid, because the mean over the whole map would lose the positions.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from solution.codecs import Direct
from solution.models.unet import blocks


class Regressor(nn.Module):
    """A stem of stride 2, stages that halve the resolution, one for each width, a 3×3 grid, two dense layers."""

    def __init__(self, points: int, widths: Sequence[int], hidden: int, dropout: float) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU())
        inside = [widths[0], *widths[:-1]]
        self.stages = nn.Sequential(*(blocks(i, o, 1, stride=2) for i, o in zip(inside, widths, strict=True)))
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
            nn.Linear(widths[-1] * 9, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, points * 2),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x))).unflatten(1, (-1, 2))


def build(
    points: int,
    codec: Direct,
    *,
    widths: Sequence[int] = (24, 48, 96, 128),
    hidden: int = 256,
    dropout: float = 0.1,
) -> nn.Module:
    """A regressor that gives (B, points, 2): 0 the centre of the picture, 1 its border."""
    return Regressor(points, widths, hidden, dropout)
