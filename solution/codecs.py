"""Codecs convert coordinates to a network's raw output and back. Every codec is a frozen dataclass of settings."""

from collections.abc import Mapping
from dataclasses import Field, dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from solution.keypoints import SIZE


class Codec(Protocol):
    """Pixel coordinates (B, K, 2) ↔ a network's raw output for K points: a dataclass, whose fields are settings."""

    kind: ClassVar[str]
    """Its name in settings."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def encode(self, coords: Tensor) -> Tensor:
        """The raw output that stands for these coordinates."""

    def decode(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates (B, K, 2) and sigma (B, K), the standard deviation per axis, in pixels; NaN if not known."""


def _centres(count: int, device: torch.device) -> Tensor:
    """The centres of so many cells across the picture, in pixels, (count,)."""
    cell = SIZE / count
    return torch.arange(count, device=device) * cell + (cell - 1) / 2


@dataclass(frozen=True)
class Direct:
    """Two numbers a point, (B, K, 2): 0 is the picture's centre, 1 its border."""

    kind: ClassVar[str] = "Direct"

    def encode(self, coords: Tensor) -> Tensor:
        return (coords - (SIZE - 1) / 2) / (SIZE / 2)

    def decode(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        coords = raw.float() * (SIZE / 2) + (SIZE - 1) / 2
        return coords, torch.full(coords.shape[:2], torch.nan, device=raw.device)


@dataclass(frozen=True)
class Heatmap:
    """One map of logits a point, (B, K, size, size), read as the mean of its softmax.

    Integral regression: Sun et al., "Integral Human Pose Regression", ECCV 2018. Sigma is the standard deviation of the
    softmax.
    """

    kind: ClassVar[str] = "Heatmap"

    size: int

    def encode(self, coords: Tensor, sigma: float = 2.0) -> Tensor:
        """Logits of a Gaussian with a standard deviation of sigma pixels."""
        cells = _centres(self.size, coords.device)
        x = (cells - coords[..., 0, None]) / sigma
        y = (cells - coords[..., 1, None]) / sigma
        return -(y[..., :, None] ** 2 + x[..., None, :] ** 2) / 2

    def decode(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        share = raw.float().flatten(2).softmax(-1).unflatten(2, raw.shape[2:])
        cells = _centres(self.size, raw.device)
        means, variances = [], []
        for margin in (share.sum(2), share.sum(3)):
            mean = (margin * cells).sum(-1)
            means.append(mean)
            variances.append((margin * (cells - mean[..., None]) ** 2).sum(-1))
        variance = (variances[0] + variances[1]) / 2
        return torch.stack(means, -1), variance.clamp(min=1e-6).sqrt()


@dataclass(frozen=True)
class SimCC:
    """One distribution of x and one of y a point, (B, K, 2, bins) logits, read as their means."""

    kind: ClassVar[str] = "SimCC"

    bins: int

    def encode(self, coords: Tensor, sigma: float = 2.0) -> Tensor:
        """Logits of Gaussians with a standard deviation of sigma pixels."""
        return -(((_centres(self.bins, coords.device) - coords[..., None]) / sigma) ** 2) / 2

    def decode(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        share, centres = raw.float().softmax(-1), _centres(self.bins, raw.device)
        mean = (share * centres).sum(-1)
        variance = (share * (centres - mean[..., None]) ** 2).sum(-1).mean(-1)
        return mean, variance.clamp(min=1e-6).sqrt()


@dataclass(frozen=True)
class Coordinates:
    """Coordinates and sigma in pixels, (B, K, 3), from a network that reads its own maps."""

    kind: ClassVar[str] = "Coordinates"

    def encode(self, coords: Tensor) -> Tensor:
        return torch.cat([coords, torch.full_like(coords[..., :1], torch.nan)], dim=-1)

    def decode(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        return raw[..., :2].float(), raw[..., 2].float()


CODECS: dict[str, Any] = {codec.kind: codec for codec in (Direct, Heatmap, Coordinates, SimCC)}


def codec_from(settings: Mapping[str, Any]) -> Codec:
    """The codec whose name is in `kind` and whose fields are the rest."""
    return CODECS[settings["kind"]](**{key: value for key, value in settings.items() if key != "kind"})
