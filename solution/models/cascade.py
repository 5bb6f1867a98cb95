"""A heatmap network estimates each point, and a fine network corrects the estimate from the crop around it.

After Sun et al., "Deep Convolutional Network Cascade for Facial Point Detection", CVPR 2013. Crops are cut at full
resolution by bilinear sampling. One small network sees the crops of all points, and each point has a head.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solution.codecs import Coordinates, Heatmap
from solution.keypoints import SIZE
from solution.models import timm_unet, unet

MAP = Heatmap(size=24)
REACH = 4.0
"""Pixels of a correction of 1."""


class Cascade(nn.Module):
    """Coarse maps, then crops of crop×crop samples through stages of widths `fine`.

    Gives (B, points, 3): x, y and sigma in pixels; sigma is that of the coarse maps. steps: the distances between the
    samples of a crop in pixels, one channel each. The coarse network also learns from the corrected coordinates, but
    not through the places of the crops.
    """

    grid: Tensor

    def __init__(self, coarse: nn.Module, points: int, crop: int, steps: Sequence[float], fine: Sequence[int]) -> None:
        super().__init__()
        self.coarse = coarse
        line = torch.arange(crop) - (crop - 1) / 2
        square = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
        self.register_buffer("grid", torch.stack([step * square for step in steps]), persistent=False)
        inside = (len(steps), *fine[:-1])
        self.fine = nn.Sequential(*(unet.blocks(i, o, 1, stride=2) for i, o in zip(inside, fine, strict=True)))
        features = fine[-1] * (crop >> len(fine)) ** 2
        self.correct = nn.Parameter(torch.zeros(points, features, 2))  # at first there is no correction

    def forward(self, x: Tensor) -> Tensor:
        coarse, sigma = MAP.decode(self.coarse(x))
        features = self.fine(self._crops(x.float(), coarse.detach())).flatten(1).unflatten(0, sigma.shape)
        correction = torch.einsum("bkf,kfa->bka", features.float(), self.correct)
        return torch.cat([coarse + REACH * correction.float(), sigma[..., None]], dim=-1)

    def _crops(self, x: Tensor, centres: Tensor) -> Tensor:
        """Crops around centres (B, K, 2) in pixels of pictures (B, 1, H, W): (B·K, steps, crop, crop)."""
        places = (centres[:, :, None, None, None] + self.grid).flatten(1, 3)  # (B, K·steps·crop, crop, 2)
        scaled = (places - (SIZE - 1) / 2) / (SIZE / 2)  # −1 and 1 are the outer edges of the picture
        cut = F.grid_sample(x, scaled, align_corners=False, padding_mode="border")
        return cut[:, 0].reshape(-1, *self.grid.shape[:3])


def build(
    points: int,
    codec: Coordinates,
    *,
    backbone: str | None = None,
    pretrained: str = "none",
    options: Mapping[str, Any] | None = None,
    widths: Sequence[int] = (16, 32, 64, 96),
    crop: int = 16,
    steps: Sequence[float] = (1.0, 2.0, 4.0),
    fine: Sequence[int] = (16, 32, 48),
) -> nn.Module:
    """A cascade on a timm backbone with `options`, or on the U-Net of `widths`: gives (B, points, 3) in pixels.

    pretrained: as in models/timm_unet.py.
    """
    if crop % (1 << len(fine)):
        raise ValueError(f"crop: expected a multiple of {1 << len(fine)} for {len(fine)} stages, got {crop}")
    coarse = (
        unet.build(points, MAP, widths=widths)
        if backbone is None
        else timm_unet.build(points, MAP, backbone=backbone, pretrained=pretrained, options=options)
    )
    return Cascade(coarse, points, crop, steps, fine)
