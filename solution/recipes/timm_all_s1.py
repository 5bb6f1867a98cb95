"""`timm_all` from another seed: the mean of several trainings has less random error. For GPUs only."""

from dataclasses import replace

from solution.recipes.timm_all import RECIPE as TIMM_ALL

RECIPE = replace(TIMM_ALL, name="timm_all_s1", seed=1, runs_at=("full",))
