"""Classifies patches as left eye, right eye, nose, mouth or elsewhere, and reads four points from the class maps.

It sees patches of 41 pixels and never the whole face, so its errors differ from those of the landmark networks. Its
encoder starts as a denoising autoencoder. Measurements: docs/experiments.md, "The eye classifier".
"""

from solution.recipe import PatchRecipe

RECIPE = PatchRecipe(
    name="eye_classifier",
    rows="all",
    epochs=3,
    pretrain_epochs=1,
    scales={
        "smoke": {"patch": 33, "epochs": 1, "pretrain_epochs": 1, "fit_faces": 500},
        "full": {"epochs": 60, "pretrain_epochs": 10, "channels": (32, 96), "fit_faces": 10_000},
    },
)
