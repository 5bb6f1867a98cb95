"""A timm ResNet-D as the way down, on all rows: wider than `unet_all`, with other shortcuts and another stem."""

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
    epochs=25,
    scales={
        "smoke": {"epochs": 2, "batch": 32},
        "full": {"epochs": 150, "model_args": {"backbone": "resnet34d"}},
    },
)
