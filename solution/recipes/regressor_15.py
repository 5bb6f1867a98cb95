"""A regressor of coordinates on the 15-keypoint rows: its errors differ from those of heatmaps."""

from solution.codecs import Direct
from solution.recipe import LandmarkRecipe

RECIPE = LandmarkRecipe(
    name="regressor_15",
    model="regressor",
    rows="15",
    codec=Direct(),
    epochs=5,
    scales={"smoke": {"epochs": 1, "batch": 32}, "full": {"epochs": 200, "model_args": {"widths": (48, 96, 192, 256)}}},
)
