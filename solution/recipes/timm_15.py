"""A cascade on the 15-keypoint rows with the timm network, from the joint trunk of `timm_all`.

On fold 0 it has 1.004 px. Without crops it has 1.045 px. See docs/experiments.md, "Cascades".
"""

from solution.codecs import Coordinates
from solution.recipe import LandmarkRecipe, Optimiser
from solution.recipes.timm_all import RECIPE as TRUNK

RECIPE = LandmarkRecipe(
    name="timm_15",
    model="cascade",
    rows="15",
    codec=Coordinates(),
    model_args=TRUNK.model_args,
    parent=TRUNK.name,
    optimiser=Optimiser(lr=1e-3),
    epochs=16,
    scales={
        "smoke": {"epochs": 2, "batch": 32},
        "full": {"epochs": 60, "model_args": TRUNK.at("full").model_args},
    },
)
