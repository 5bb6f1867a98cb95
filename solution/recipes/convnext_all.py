"""ConvNeXt-Tiny trained on ImageNet as the encoder: large kernels and no batch normalisation. For GPUs only.

Not trained here yet: its gain in cross-validation is unknown. Weights: timm, Apache-2.0.
"""

from solution.codecs import Heatmap
from solution.recipe import LandmarkRecipe, Optimiser

RECIPE = LandmarkRecipe(
    name="convnext_all",
    model="timm_unet",
    rows="all",
    codec=Heatmap(size=24),
    model_args={"backbone": "convnext_tiny.in12k_ft_in1k", "pretrained": "hub"},
    optimiser=Optimiser(lr=5e-4),
    epochs=100,
    runs_at=("full",),
)
