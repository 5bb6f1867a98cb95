"""A U-Net of the 68-point schema, for `faces68`, `photo --points 68` and `video`, not for the competition.

It learns from each picture twice: in a detector's crop and aligned by its points (studies/faces68/crops.py). The
shipped network (solution/weights/unet_68) was trained at scale `full` on 19 of 20 folds, in 75 minutes on one core.
"""

from solution.codecs import Heatmap
from solution.recipe import Augmentation, Landmark68Recipe

RECIPE = Landmark68Recipe(
    name="unet_68",
    model="unet",
    codec=Heatmap(size=24),
    augmentation=Augmentation(rotation=12.0, scale=0.1, shift=0.05),
    epochs=15,
    scales={
        "smoke": {"epochs": 4, "batch": 32},
        "full": {"epochs": 135, "augmentation": Augmentation(rotation=18.0, scale=0.15, shift=0.07)},
    },
)
