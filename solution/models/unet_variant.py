"""The U-Net with parts from the literature, for ablations. Each can be switched on alone.

places: coordinate channels beside the picture (Liu et al., "CoordConv", NeurIPS 2018). attention:
squeeze-and-excitation in every residual block (Hu et al., CVPR 2018). antialias: blur before every halving (Zhang,
"Making Convolutional Networks Shift-Invariant Again", ICML 2019).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solution.codecs import Heatmap
from solution.models.unet import Residual, UNet


class Places(nn.Module):
    """Adds two channels, x and y from −1 to 1: (B, C, H, W) to (B, C + 2, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (torch.linspace(-1, 1, n, device=x.device, dtype=x.dtype) for n in x.shape[2:])
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))
        return torch.cat([x, grid.expand(len(x), -1, -1, -1)], dim=1)


class SqueezeExcite(nn.Module):
    """Multiplies each channel by a weight that depends on the whole map."""

    def __init__(self, channels: int, share: int = 4) -> None:
        super().__init__()
        inner = max(4, channels // share)
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, inner, 1), nn.ReLU(), nn.Conv2d(inner, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weigh(x).sigmoid()


class Blur(nn.Module):
    """Half the resolution after a 3×3 binomial blur of each channel."""

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", torch.outer(line, line).expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.kernel.to(x.dtype), stride=2, padding=1, groups=x.shape[1])


def _like(old: nn.Conv2d, channels: int, stride: int) -> nn.Conv2d:
    """A fresh convolution of the same odd size and as many channels out, for so many channels in."""
    size = old.kernel_size[0]
    return nn.Conv2d(channels, old.out_channels, size, stride, size // 2, bias=False)


def _blurred(block: Residual) -> None:
    """Add a blur to both paths of a block that halves the resolution, before they drop pixels."""
    first, shortcut = block.first, block.shortcut
    assert isinstance(first, nn.Conv2d)
    assert isinstance(shortcut, nn.Sequential)
    block.first = nn.Sequential(_like(first, first.in_channels, 1), Blur(first.out_channels))
    conv, norm = shortcut
    assert isinstance(conv, nn.Conv2d)
    block.every = 1
    block.shortcut = nn.Sequential(Blur(conv.in_channels), _like(conv, conv.in_channels, 1), norm)


def build(
    points: int,
    codec: Heatmap,
    *,
    widths: Sequence[int] = (16, 32, 64, 96),
    places: bool = False,
    attention: bool = False,
    antialias: bool = False,
) -> nn.Module:
    """A U-Net of the usual size that gives logits (B, points, codec.size, codec.size)."""
    net = UNet(points, codec.size, widths, depth=2, stride=2)
    residuals = [module for module in net.modules() if isinstance(module, Residual)]
    for block in residuals:
        if attention:
            block.second_norm = nn.Sequential(block.second_norm, SqueezeExcite(block.second.out_channels))
        if antialias and block.first.stride == (2, 2):
            _blurred(block)
    if places:
        first = net.stem[0]
        assert isinstance(first, nn.Conv2d)
        net.stem = nn.Sequential(Places(), _like(first, 3, first.stride[0]), *net.stem[1:])
    return net
