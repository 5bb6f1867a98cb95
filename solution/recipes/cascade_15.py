"""A cascade on the 15-keypoint rows, from the joint trunk of `unet_all`. It corrects its estimates on crops.

On fold 0 it has 0.992 px. `unet_15` with the same number of epochs has 1.035 px. See docs/experiments.md, "Cascades".
"""

from solution.codecs import Coordinates
from solution.recipe import LandmarkRecipe, Optimiser

RECIPE = LandmarkRecipe(
    name="cascade_15",
    model="cascade",
    rows="15",
    codec=Coordinates(),
    parent="unet_all",
    optimiser=Optimiser(lr=1e-3),
    epochs=18,
    scales={"smoke": {"epochs": 2, "batch": 32}, "full": {"epochs": 80, "model_args": {"widths": (32, 64, 128, 192)}}},
)
