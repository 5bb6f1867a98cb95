"""HRNet-W18 trained on ImageNet: it keeps a fine map throughout and was made for keypoints. For GPUs only.

Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition", TPAMI 2020. Not trained here yet:
its gain in cross-validation is unknown. Weights: Microsoft, by way of timm, MIT.
"""

from solution.codecs import Heatmap
from solution.recipe import LandmarkRecipe, Optimiser

RECIPE = LandmarkRecipe(
    name="hrnet_all",
    model="timm_unet",
    rows="all",
    codec=Heatmap(size=24),
    model_args={"backbone": "hrnet_w18.ms_aug_in1k", "pretrained": "hub"},
    optimiser=Optimiser(lr=1e-3),
    epochs=100,
    runs_at=("full",),
)
