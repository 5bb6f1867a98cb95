"""The timm network on the 4-keypoint rows, from the joint trunk of `timm_all`."""

from solution.codecs import Heatmap
from solution.recipe import LandmarkRecipe, Optimiser
from solution.recipes.timm_all import RECIPE as TRUNK

RECIPE = LandmarkRecipe(
    name="timm_4",
    model=TRUNK.model,
    rows="4",
    codec=Heatmap(size=24),
    model_args=TRUNK.model_args,
    parent=TRUNK.name,
    optimiser=Optimiser(lr=1e-3),
    epochs=6,
    scales={
        "smoke": {"epochs": 1, "batch": 32},
        "full": {"epochs": 60, "model_args": TRUNK.at("full").model_args},
    },
)
