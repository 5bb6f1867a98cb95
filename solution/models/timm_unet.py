"""A heatmap network whose way down is any timm backbone, and whose way up is the U-Net's."""

from collections.abc import Mapping
from typing import Any

import timm
from timm.models import FeatureInfo
from torch import Tensor, nn

from solution.codecs import Heatmap
from solution.keypoints import SIZE
from solution.models.unet import Decoder


class TimmUNet(nn.Module):
    """A timm backbone's feature maps from the codec's resolution down, and a decoder over them."""

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
    """The backbone on grey pictures, giving its feature maps; `weights` say where they come from, random if nothing."""
    return timm.create_model(backbone, in_chans=1, features_only=True, **weights, **options)


def build(
    points: int,
    codec: Heatmap,
    *,
    backbone: str = "resnet10t",
    pretrained: str = "none",
    options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """A network that gives logits (B, points, codec.size, codec.size); `options` go to timm.create_model.

    pretrained: where a training's first weights come from (see pretrained.py). Nothing is loaded here.
    """
    return TimmUNet(points, codec.size, backbone, options or {})
