"""Coordinates directly from a convolutional network, on the 15-keypoint rows: another kind of error than a heatmap's."""

from solution.codecs import Direct
from solution.recipe import LandmarkRecipe

RECIPE = LandmarkRecipe(
    name="regressor_15",
    model="regressor",
    rows="15",
    codec=Direct(),
    loss="huber",
    epochs=40,
    scales={"smoke": {"epochs": 6}, "full": {"epochs": 200, "model_args": {"widths": (48, 96, 192, 256)}}},
)
