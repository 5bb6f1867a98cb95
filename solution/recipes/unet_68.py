"""A U-Net of the 68-point scheme, for `faces68`, `photo --points 68` and `video`; no part of the competition's run.

Its pictures come framed twice, as a detector finds them and as the points themselves align them: see
studies/faces68/crops.py. The network that comes with the code (solution/weights/unet_68) is that of scale `full` on 19
of 20 folds, 75 minutes of a core; five folds at `cpu` stay within 40 minutes in all."""

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
