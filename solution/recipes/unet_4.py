"""A U-Net on the 4-keypoint rows, from the joint trunk of `unet_all`."""

from solution.codecs import Heatmap
from solution.recipe import LandmarkRecipe, Optimiser

RECIPE = LandmarkRecipe(
    name="unet_4",
    model="unet",
    rows="4",
    codec=Heatmap(size=24),
    parent="unet_all",
    optimiser=Optimiser(lr=1e-3),
    epochs=6,
    scales={"smoke": {"epochs": 2, "batch": 32}, "full": {"epochs": 80, "model_args": {"widths": (32, 64, 128, 192)}}},
)
