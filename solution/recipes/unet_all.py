"""A U-Net with one trunk on all rows and a head for each subset. It starts from the shipped network of 68 points.

The effect of its epochs is in docs/experiments.md, "Longer pre-training on 68 points".
"""

from solution.codecs import Heatmap
from solution.recipe import LandmarkRecipe

RECIPE = LandmarkRecipe(
    name="unet_all",
    model="unet",
    rows="all",
    codec=Heatmap(size=24),
    init_from="unet_68",
    epochs=8,
    scales={
        "smoke": {"epochs": 1, "batch": 32},
        "full": {"epochs": 150, "init_from": None, "model_args": {"widths": (32, 64, 128, 192)}},
    },
)
