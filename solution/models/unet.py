"""A small U-Net of residual blocks: down to 6×6, up by nearest neighbour and addition, one heatmap a point.

After Ronneberger et al., "U-Net", MICCAI 2015, with the residual blocks of He et al., CVPR 2016. The decoder ends at
the codec's heatmap size.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from solution.codecs import Heatmap
from solution.keypoints import SIZE

NARROW = 16
"""With fewer channels, the gradient of a strided 1×1 convolution is not safe on some CPUs.

On a CPU with AVX-512 and no AMX, torch 2.14.1 (oneDNN, fp32, channels_last) writes the gradient of the input beyond the
end of its tensor, for 2 to 15 channels of 48×48 or more.
"""


class Residual(nn.Module):
    """Two 3×3 convolutions around a shortcut; `stride` in the first.

    The shortcut of a narrow block drops pixels before its 1×1 convolution, not in it. The numbers are the same.
    """

    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.first: nn.Module = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outside)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.second_norm: nn.Module = nn.BatchNorm2d(outside)
        same = inside == outside and stride == 1
        self.every = stride if inside < NARROW else 1
        self.shortcut: nn.Module = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(inside, outside, 1, stride // self.every, bias=False), nn.BatchNorm2d(outside))
        )

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.first_norm(self.first(x)))
        kept = x if self.every == 1 else x[..., :: self.every, :: self.every]
        return F.relu(self.second_norm(self.second(inner)) + self.shortcut(kept))


def blocks(inside: int, outside: int, count: int, stride: int = 1) -> nn.Sequential:
    """`count` residual blocks, the first of which changes width and resolution."""
    return nn.Sequential(Residual(inside, outside, stride), *(Residual(outside, outside) for _ in range(count - 1)))


class Decoder(nn.Module):
    """From the coarsest feature map up: enlarge by nearest neighbour, add the encoder's map, one residual block."""

    def __init__(self, widths: Sequence[int], points: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(deep, wide, 1) for wide, deep in pairwise(widths))
        self.up = nn.ModuleList(Residual(wide, wide) for wide in widths[:-1])
        self.head = nn.Conv2d(widths[0], points, 1)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        x = features[-1]
        for level in reversed(range(len(self.up))):
            x = self.up[level](features[level] + F.interpolate(self.lateral[level](x), scale_factor=2))
        return self.head(x)


class UNet(nn.Module):
    """A stem of stride 2 or 4, then one stage a width. Every stage but the first halves the resolution."""

    def __init__(self, points: int, heatmap: int, widths: Sequence[int], depth: int, stride: int) -> None:
        super().__init__()
        size = SIZE // stride
        skipped = (size // heatmap).bit_length() - 1
        if heatmap << skipped != size or skipped >= len(widths):
            raise ValueError(f"a U-Net of stride {stride} has no {heatmap}×{heatmap} map among its stages")
        kernel, padding = {2: (5, 2), 4: (8, 2)}[stride]
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], kernel, stride, padding, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        inside = [widths[0], *widths[:-1]]
        self.down = nn.ModuleList(
            blocks(inside[i], width, depth, stride=1 if i == 0 else 2) for i, width in enumerate(widths)
        )
        self.skipped = skipped
        self.decoder = Decoder(widths[skipped:], points)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        features = []
        for stage in self.down:
            x = stage(x)
            features.append(x)
        return self.decoder(features[self.skipped :])


def build(
    points: int, codec: Heatmap, *, widths: Sequence[int] = (16, 32, 64, 96), depth: int = 2, stride: int = 2
) -> nn.Module:
    """A U-Net that gives logits (B, points, codec.size, codec.size)."""
    return UNet(points, codec.size, widths, depth, stride)
