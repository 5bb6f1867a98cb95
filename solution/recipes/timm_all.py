"""A timm ResNet-D as the encoder, on all rows: wider than `unet_all`, with other shortcuts and another stem.

It starts from a shipped network of 68 points, as `unet_all` does.
"""

from solution.codecs import Heatmap
from solution.recipe import LandmarkRecipe

RECIPE = LandmarkRecipe(
    name="timm_all",
    model="timm_unet",
    rows="all",
    codec=Heatmap(size=24),
    model_args={
        "backbone": "resnet10t",
        "options": {"channels": (48, 96, 160, 224), "stem_width": 16, "stem_type": "deep_tiered"},
    },
    init_from="timm_68",
    epochs=8,
    scales={
        "smoke": {"epochs": 1, "batch": 32},
        "full": {"epochs": 150, "init_from": None, "model_args": {"backbone": "resnet34d"}},
    },
)
