"""A cascade on the 15-keypoint rows, from the joint trunk of `unet_all`: crops around the U-Net's estimates correct it.

Against `unet_15` from the same trunk with as many epochs, on fold 0: 1.035 → 0.992 px (−0.042, 95 % interval −0.063 to
−0.026) for a fifth more time; on the 4-keypoint rows nothing. See docs/experiments.md, "Cascades".
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
