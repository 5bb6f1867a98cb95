"""x"""

from solution.patches.recipe import PatchRecipe

RECIPE = PatchRecipe(
    name="eye_classifier",
    rows="all",
    epochs=7,
    scales={
        "smoke": {"epochs": 3, "pretrain_epochs": 1, "fit_faces": 500},
        "full": {"epochs": 60, "pretrain_epochs": 20, "channels": (32, 96), "fit_faces": 10_000},
    },
)
