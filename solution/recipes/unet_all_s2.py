"""`unet_all` from another seed: the mean of several trainings has less random error. For GPUs only."""

from dataclasses import replace

from solution.recipes.unet_all import RECIPE as UNET_ALL

RECIPE = replace(UNET_ALL, name="unet_all_s2", seed=2, runs_at=("full",))
