"""A U-Net with one trunk on all rows and a head a subset."""

from solution.codecs import Heatmap
from solution.recipe import LandmarkRecipe

RECIPE = LandmarkRecipe(
    name="unet_all",
    model="unet",
    rows="all",
    codec=Heatmap(size=24),
    epochs=20,
    scales={"smoke": {"epochs": 5, "batch": 32}, "full": {"epochs": 150, "model_args": {"widths": (32, 64, 128, 192)}}},
)
