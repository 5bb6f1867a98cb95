"""Landmark networks: the training task of a recipe on a fold, and the files that a training writes."""

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR

from solution.evaluation.metrics import rmse
from solution.recipe import LandmarkRecipe, Optimiser
from solution.runtime.artifacts import write_json
from solution.runtime.device import generator, prepared, quick_precision, seed_for, to_device
from solution.runtime.errors import UserError
from solution.specialists.budget import Epochs
from solution.specialists.fit import Batch, Task, fit, history_of, moving_average
from solution.specialists.history import write_history
from solution.specialists.landmarks import pretrained
from solution.specialists.landmarks.augment import Augmenter
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.losses import pick_loss
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.landmarks.predict import OFFSET, QUICK, predict_with, read_label_offset, recipe_from
from solution.specialists.training import HISTORY, SETTINGS, WEIGHTS, Training

FEWEST = 2  # training rows, at least: batch normalisation needs two
EVALUATIONS = 5  # evaluations in a training, about
EVALUATED = 120  # held-out rows of an evaluation, about. All of them would take a fifteenth of a training's time


class LandmarkTask(Task):
    """A landmark recipe on a fold. Its batches hold rows (B,), images (B, H, W), labels (B, K, 2), mirrored (B,)."""

    average: Any

    def __init__(self, training: Training) -> None:
        assert isinstance(training.recipe, LandmarkRecipe)
        self.training, self.recipe = training, training.recipe
        if len(training.train) < FEWEST:
            raise UserError(
                f"{training.title}: expected {FEWEST} or more training rows, got {len(training.train)}. "
                "Give more faces of this kind, or make fewer folds."
            )
        self.offset = LabelOffset(schema=self.recipe.schema)
        net = self._first_net().to(training.device).to(memory_format=torch.channels_last)
        settings = self.recipe.optimiser
        steps = max(1, len(training.train) // self.recipe.batch)
        super().__init__(training.title, net, _optimiser(net, settings), steps)
        self.average = moving_average(net, settings.average)
        self.clip, self.loss_of = settings.clip, pick_loss(self.recipe.loss)
        self.schedule = OneCycleLR(
            self.optimiser, settings.lr, total_steps=self.recipe.epochs * steps, pct_start=settings.warm_up
        )
        self.augment = Augmenter(self.recipe.augmentation, self.recipe.schema)
        self.evaluated = training.held.sample(EVALUATED)
        self.residuals: list[np.ndarray] = []  # in x, (B, K) in all, of the pieces of the batch

    def _first_net(self) -> LandmarkNet:
        """A fresh network, with the initial weights that the recipe names; the offset comes with a parent's weights."""
        torch.manual_seed(seed_for(self.recipe.name, self.recipe.seed, self.training.fold, "init"))
        net = LandmarkNet(self.recipe)
        pretrained.start(net, self.recipe, self.training.weights)
        parent = self.training.parent
        if parent is not None:
            earlier = recipe_from(json.loads((parent / SETTINGS).read_text(encoding="utf-8")))
            net.load_parent(load_file(parent / WEIGHTS), earlier.subsets)
            self.offset = read_label_offset(parent)
        return net

    def batches(self, epoch: int) -> Iterator[Batch]:
        train, key = self.training.train, (self.recipe.name, self.recipe.seed, self.training.fold)
        order = generator(*key, "order", epoch).permutation(len(train))
        self.augment.seed(seed_for(*key, "augment", epoch))
        torch.manual_seed(seed_for(*key, "torch", epoch))
        labels = self.offset.remove(train.coords, train.subset)

        def varied(rows: np.ndarray) -> Batch:
            return rows, *self.augment(train.images[rows], labels[rows])

        parts = np.array_split(order[: self.steps_per_epoch * self.recipe.batch], self.steps_per_epoch)
        yield from prepared(varied, parts, self.training.device)

    def cells(self, batch: Batch) -> int:
        return int((~np.isnan(batch[2])).sum())

    def loss(self, batch: Batch) -> Tensor:
        rows, images, labels, _ = batch
        device = self.training.device
        expected = to_device(labels, device)
        with quick_precision(device):
            coords, sigma = self.net(to_device(images, device), to_device(self.training.train.subset[rows], device))
        self.residuals.append((expected - coords.detach())[..., 0].cpu().numpy())
        return self.loss_of(coords, sigma, expected)

    def set_rate(self, share: float) -> None:
        total = self.schedule.total_steps
        while self.schedule.last_epoch < min(round(share * total), total - 1):
            self.schedule.step()

    def zero_grad(self) -> None:
        super().zero_grad()
        self.residuals.clear()

    def after_step(self, batch: Batch) -> None:
        rows, mirrored = batch[0], batch[3]
        self.offset.watch(np.concatenate(self.residuals), self.training.train.subset[rows], mirrored)

    def end_epoch(self) -> None:
        self.offset.update()

    def evaluate(self) -> Any:  # noqa: ANN401 - a timed run evaluates otherwise
        """RMSE in pixels of the averaged weights on some held-out rows, without shifts; NaN if there are none."""
        held = self.evaluated
        if len(held) == 0:
            return float("nan")
        found = predict_with(self.average.module, self.offset, held, self.training.device, config=QUICK).coords
        return rmse(found, np.where(np.isnan(found), np.nan, held.coords))

    def _parts(self) -> dict[str, Any]:
        return {**super()._parts(), "schedule": self.schedule, "offset": self.offset}


def train(training: Training) -> None:
    """Train to the end, or on from the last finished epoch, and write weights, settings, offset and history."""
    task = LandmarkTask(training)
    epochs = task.recipe.epochs
    records = fit(task, Epochs(epochs, math.ceil(epochs / EVALUATIONS)), training.folder, training.training)
    training.save_weights(task.average.module.state_dict())
    write_json(training.folder / SETTINGS, task.recipe.settings())
    write_json(training.folder / OFFSET, task.offset.values.tolist())
    write_history(training.folder / HISTORY, history_of(records))


def _optimiser(net: torch.nn.Module, settings: Optimiser) -> torch.optim.AdamW:
    """AdamW; biases and norms are not decayed."""
    matrices = [p for p in net.parameters() if p.dim() > 1]
    vectors = [p for p in net.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.lr, fused=True)
