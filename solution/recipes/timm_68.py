"""The timm network of the 68-point schema. `timm_all` starts from its trunk (solution/weights/timm_68).

The shipped network was trained at scale `full` on 19 of 20 folds, in 73 minutes on one core. See docs/experiments.md,
"Longer pre-training on 68 points".
"""

from dataclasses import replace

from solution.recipes.timm_all import RECIPE as TIMM_ALL
from solution.recipes.unet_68 import RECIPE as UNET_68

RECIPE = replace(
    UNET_68,
    name="timm_68",
    model=TIMM_ALL.model,
    model_args=TIMM_ALL.model_args,
    epochs=18,
    scales={
        "smoke": {"epochs": 2, "batch": 32},
        "full": {"epochs": 100, "augmentation": UNET_68.at("full").augmentation},
    },
)
