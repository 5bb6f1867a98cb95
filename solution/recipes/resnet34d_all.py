"""ResNet-34-D trained on ImageNet as the encoder, with maps of 48×48: finer than `timm_all`. For GPUs only.

Not trained here yet: its gain in cross-validation is unknown. Weights: timm, Apache-2.0.
"""

from solution.codecs import Heatmap
from solution.recipe import LandmarkRecipe, Optimiser

RECIPE = LandmarkRecipe(
    name="resnet34d_all",
    model="timm_unet",
    rows="all",
    codec=Heatmap(size=48),
    model_args={"backbone": "resnet34d.ra2_in1k", "pretrained": "hub"},
    optimiser=Optimiser(lr=1e-3),
    epochs=100,
    runs_at=("full",),
)
