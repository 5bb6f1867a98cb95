"""A heatmap network: a timm backbone as the encoder and the U-Net's decoder."""

from collections.abc import Mapping
from typing import Any

import timm
from timm.models import FeatureInfo
from torch import Tensor, nn

from solution.codecs import Heatmap
from solution.keypoints import SIZE
from solution.models.unet import Decoder


class TimmUNet(nn.Module):
    """A timm backbone, and a decoder over its feature maps from the codec's resolution down."""

    def __init__(self, points: int, heatmap: int, backbone: str, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.encoder = encoder(backbone, options)
        maps = self.encoder.feature_info
        assert isinstance(maps, FeatureInfo)
        sizes = [SIZE // reduction for reduction in maps.reduction()]
        if heatmap not in sizes:
            raise ValueError(f"{backbone} has maps of {sizes}, none of {heatmap}×{heatmap}")
        self.skipped = sizes.index(heatmap)
        self.decoder = Decoder(maps.channels()[self.skipped :], points)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x)[self.skipped :])


def encoder(backbone: str, options: Mapping[str, Any], **weights: Any) -> nn.Module:  # noqa: ANN401 - timm's own
    """The backbone on grey pictures, which gives its feature maps. weights: timm's arguments; none: random weights."""
    return timm.create_model(backbone, in_chans=1, features_only=True, **weights, **options)


def build(
    points: int,
    codec: Heatmap,
    *,
    backbone: str = "resnet10t",
    pretrained: str = "none",
    options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """A network that gives logits (B, points, codec.size, codec.size).

    options: arguments of timm.create_model. pretrained: see pretrained.py, which loads the weights; nothing is loaded
    here.
    """
    return TimmUNet(points, codec.size, backbone, options or {})
