"""The patch network. No layer pads, so a patch has the same output alone and inside a picture."""

import torch
from torch import Tensor, nn

from solution.keypoints import SIZE
from solution.recipe import POINTS, PatchRecipe

STRIDE = 4  # pixels from one cell of the class maps to the next
MARGIN = 4  # how far the class maps reach beyond the picture, px: some mouths are cut off at the lower border
CELLS = (SIZE + 2 * MARGIN) // STRIDE + 1  # cells of a class map on a side


def cell_centres(device: torch.device) -> Tensor:
    """The places of a class map's cells, (CELLS,) px, the same for x and y."""
    return torch.arange(CELLS, device=device, dtype=torch.float32) * STRIDE - MARGIN


def normalised(images: Tensor) -> Tensor:
    """Pictures (B, H, W) uint8 as (B, 1, H, W) float32 with mean 0 and standard deviation 1 each."""
    pixels = images.float()
    pixels = pixels - pixels.mean((1, 2), keepdim=True)
    return (pixels / pixels.std((1, 2), keepdim=True).clamp(min=1.0))[:, None]


def _layer(before: int, after: int, size: int, stride: int = 1, up: bool = False) -> nn.Sequential:
    convolution = nn.ConvTranspose2d if up else nn.Conv2d
    return nn.Sequential(
        convolution(before, after, size, stride, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


class PatchNetwork(nn.Module):
    """Encoder, decoder and head for patches (B, 1, patch, patch): an autoencoder and a classifier with one encoder."""

    def __init__(self, recipe: PatchRecipe) -> None:
        super().__init__()
        first, later = recipe.channels
        self.patch = recipe.patch
        self.encoder = nn.Sequential(
            _layer(1, first, 5, 2), _layer(first, later, 3, 2), *(_layer(later, later, 3) for _ in range(recipe.depth))
        )
        self.decoder = nn.Sequential(
            *(_layer(later, later, 3, up=True) for _ in range(recipe.depth)),
            _layer(later, first, 3, 2, up=True),
            nn.ConvTranspose2d(first, 1, 5, 2),
        )
        self.head = nn.Sequential(_layer(later, later, 3), nn.Conv2d(later, len(POINTS) + 1, 1))
        self.to(memory_format=torch.channels_last)

    def reconstruct(self, patches: Tensor) -> Tensor:
        """The autoencoder's output for patches, (B, 1, patch, patch)."""
        return self.decoder(self.encoder(patches))

    def forward(self, pixels: Tensor) -> Tensor:
        """Class logits at every place that a patch fits in: (B, 5, 1, 1) for patches, (B, 5, h, w) for pictures."""
        return self.head(self.encoder(pixels))

    def maps(self, pixels: Tensor) -> Tensor:
        """Class probabilities over whole pictures: (B, 1, 96, 96) in, (B, 5, CELLS, CELLS) float32 out."""
        before = self.patch // 2 + MARGIN
        padded = nn.functional.pad(pixels, (before, before + 1, before, before + 1), mode="replicate")
        return self(padded).float().softmax(1)
