"""This project's own networks by the same clock: their recipes as they are, the one-cycle schedule turned by time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solution.codecs import Heatmap
from solution.faces import FaceSet
from solution.keypoints import SIZE
from solution.recipe import LandmarkRecipe
from solution.recipes import timm_all, unet_all
from solution.runtime.device import generator, seed_for
from solution.specialists.landmarks.predict import predict_with
from solution.specialists.landmarks.train import Trainer
from solution.specialists.training import Training
from solution.studies.ablations import ABLATIONS
from solution.studies.baselines.baseline import Family
from solution.studies.baselines.learner import cost

SCALE = "cpu"
"""The scale whose settings are compared, whatever the run's: the earlier systems are of that size."""

EPOCHS = 30
"""The clock ends a training. The schedule turns with it in as many steps as these epochs would have had."""


@dataclass(frozen=True, kw_only=True)
class OurSystem:
    """One of our networks. recipe: at SCALE, for every kind of row that there is."""

    name: str
    title: str
    idea: str
    recipe: LandmarkRecipe

    @property
    def family(self) -> Family:
        return "ours"

    def settings(self) -> dict[str, Any]:
        """The recipe's settings as JSON values."""
        return self.recipe.settings()


def our_systems() -> tuple[OurSystem, ...]:
    """The trunks of our specialists, from random weights as all here, and the ablation that an earlier system had
    planned.
    """
    unet, timm = (replace(one.RECIPE.at(SCALE), init_from=None, epochs=EPOCHS) for one in (unet_all, timm_all))
    cascade = ABLATIONS["cascade"].recipe(unet)
    shared = "maps read as the mean of their softmax, Huber loss on coordinates, a head a subset, offset learnt"
    return (
        OurSystem(name="unet_all", title="Our U-Net", idea=f"U-Net of residual blocks; {shared}", recipe=unet),
        OurSystem(
            name="timm_all", title="Our timm network", idea=f"ResNet-D from timm as the way down; {shared}", recipe=timm
        ),
        OurSystem(name="cascade", title="Cascade", idea="our U-Net, then fine networks on crops", recipe=cascade),
    )


class OurLearner:
    """A recipe's own trainer, step by step, instead of for a number of epochs."""

    def __init__(self, candidate: OurSystem, train: FaceSet, folder: Path, device: torch.device) -> None:
        self.name, self.recipe = candidate.name, candidate.recipe
        nobody = train.take(np.arange(0))
        self.trainer = Trainer(Training(candidate.recipe, 0, folder, train, nobody, device, {}))
        self.batch = min(candidate.recipe.batch, len(train))
        self.readings: tuple[str, ...] = ("softmax mean" if isinstance(candidate.recipe.codec, Heatmap) else "direct",)
        self.batches = self._in_passes()

    def _in_passes(self) -> Iterator[tuple[np.ndarray, ...]]:
        """Rows, and what the recipe's augmentation makes of them: pictures, labels, which are mirrored."""
        trainer, job = self.trainer, self.trainer.job
        for number in count():
            key = ("baselines", self.name, number)
            order = generator(*key, "order").permutation(len(job.train))
            trainer.augment.seed(seed_for(*key, "augment"))
            torch.manual_seed(seed_for(*key, "torch"))
            labels = trainer.offset.remove(job.train.coords, job.train.subset)
            for rows in np.split(order[: trainer.batches * self.batch], trainer.batches):
                yield rows, *trainer.augment(job.train.images[rows], labels[rows])
            trainer.offset.update()

    def step(self, share: float) -> float:
        trainer = self.trainer
        self._turn(share)
        trainer.net.train()
        return trainer.step(*next(self.batches))[0]

    def _turn(self, share: float) -> None:
        """Bring the schedule to where it stands after this share of its steps."""
        schedule = self.trainer.schedule
        while schedule.last_epoch < int(share * (schedule.total_steps - 1)):
            schedule.step()

    def predict(self, faces: FaceSet) -> np.ndarray:
        trainer = self.trainer
        return predict_with(trainer.average.module, trainer.offset, faces, trainer.job.device).coords[None]

    def cost(self) -> tuple[int, int]:
        device = self.trainer.job.device
        subset = torch.full((1,), self.recipe.subsets[0], device=device)
        pictures = torch.zeros(1, SIZE, SIZE, device=device)
        return cost(self.trainer.average.module, pictures, subset)
