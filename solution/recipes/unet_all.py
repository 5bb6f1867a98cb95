"""A U-Net with one trunk on all rows and a head a subset, from the network of 68 points that comes with the code.

On fold 0, 10 epochs from there and then 8 of `unet_4` or 12 of `cascade_15` are as good as 20 and then 14 or 16 from
random weights, within what one fold can tell. See docs/experiments.md, 2026-11-24.
"""

from solution.codecs import Heatmap
from solution.recipe import LandmarkRecipe

RECIPE = LandmarkRecipe(
    name="unet_all",
    model="unet",
    rows="all",
    codec=Heatmap(size=24),
    warm_start="unet_68",
    epochs=10,
    scales={
        "smoke": {"epochs": 1, "batch": 32},
        "full": {"epochs": 150, "warm_start": None, "model_args": {"widths": (32, 64, 128, 192)}},
    },
)
