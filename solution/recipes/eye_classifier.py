"""Sorts patches into left eye, right eye, nose, mouth and elsewhere, and reads four points off the class maps.

Why it exists: another kind of evidence than the landmark networks'. It sees 41 pixels at a time and no face, so it errs
elsewhere, and it tells how sure it is. Its encoder starts as a denoising autoencoder.

With two and seven epochs (pretraining and training; today one and three), on the first fold's held-out rows: eye
centres 1.39 px, all four points 1.82 px (15-keypoint rows: eyes 0.86, nose 2.05, lip 2.51; 4-keypoint rows: 1.58, 1.77,
2.40), medians 0.45 to 1.2 px, after 59 s on one CPU core.

The autoencoder gained nothing here: 4.7 % of the held-out patches in the wrong class with it, 4.5 % without, the
fine-tuning being the same (all four points: 1.82 px and 1.77 px). On a quarter of the rows, with four epochs: 9.2 % and
9.7 %. One run each. Rebuilding patches as they are, shade included, was worse than nothing: 5.1 %, and 15.8 % on a
quarter.
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
