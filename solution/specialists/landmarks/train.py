"""One landmark recipe on one fold: the loop, the schedule, weight averaging, the history, checkpoints and resume."""

import json
import math
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel

from solution.evaluation.metrics import rmse
from solution.recipe import LandmarkRecipe, Optimiser
from solution.runtime import checkpoint
from solution.runtime.artifacts import write_json
from solution.runtime.device import LOG, generator, prepared, seed_for
from solution.runtime.errors import UserError
from solution.specialists.history import write_history
from solution.specialists.landmarks import pretrained
from solution.specialists.landmarks.augment import Augmenter
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.losses import pick_loss
from solution.specialists.landmarks.microbatch import MicroBatches
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.landmarks.predict import OFFSET, predict_with, read_label_offset, recipe_from
from solution.specialists.training import HISTORY, SETTINGS, WEIGHTS, Training

SMALLEST = 2  # training rows: batch normalisation needs two
NO_LABEL, NO_GRADIENT = "no point is labelled", "the gradient is not finite"
MOST_SKIPPED = 0.1  # share of an epoch's steps whose gradient may be lost: beyond it nothing good is learnt
WATCHES = 5  # looks at held-out rows a training
WATCHED = 120  # of these rows, about: looks at all of them took a fifteenth of a training's time


class Trainer:
    """The state of one training. Each epoch's randomness comes from its number, so state plus epoch resume exactly."""

    def __init__(self, job: Training) -> None:
        assert isinstance(job.recipe, LandmarkRecipe)
        self.job, self.recipe = job, job.recipe
        if len(job.train) < SMALLEST:
            raise UserError(
                f"{job.title}: expected {SMALLEST} or more training rows, got {len(job.train)}. "
                "Give more faces of this kind, or make fewer folds."
            )
        torch.manual_seed(seed_for(self.recipe.name, self.recipe.seed, job.fold, "init"))
        self.net = LandmarkNet(self.recipe)
        self.offset = LabelOffset(schema=self.recipe.schema)
        pretrained.start(self.net, self.recipe, job.weights)
        if job.parent is not None:
            self._load_parent(job.parent)
        self.net = self.net.to(job.device).to(memory_format=torch.channels_last)
        self.average = AveragedModel(self.net, multi_avg_fn=_moving_average(self.recipe.optimiser))
        self.optimiser = _optimiser(self.net, self.recipe.optimiser)
        self.batches = max(1, len(job.train) // self.recipe.batch)
        self.schedule = OneCycleLR(
            self.optimiser,
            self.recipe.optimiser.lr,
            total_steps=self.recipe.epochs * self.batches,
            pct_start=self.recipe.optimiser.warm_up,
        )
        self.gradient = MicroBatches(self.net, pick_loss(self.recipe.loss), job.device, job.title)
        self.augment = Augmenter(self.recipe.augmentation, self.recipe.schema)
        self.watched = job.held.sample(WATCHED)
        self.history: list[dict[str, Any]] = []
        self.skipped: Counter[str] = Counter()

    def _load_parent(self, folder: Path) -> None:
        """Take the trunk and the shared points' heads from the earlier recipe's weights, and its offset."""
        earlier = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        self.net.load_parent(load_file(folder / WEIGHTS), recipe_from(earlier).subsets)
        self.offset = read_label_offset(folder)

    def state(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "offset": torch.from_numpy(self.offset.values.copy()),
            "history": self.history,
        }

    def resume(self, state: dict[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.offset = LabelOffset(state["offset"].numpy(), self.recipe.schema)
        self.history = list(state["history"])

    def epoch(self, number: int) -> float:
        """One pass over the training rows; the mean loss."""
        job, recipe = self.job, self.recipe
        key = (recipe.name, recipe.seed, job.fold)
        order = generator(*key, "order", number).permutation(len(job.train))
        self.augment.seed(seed_for(*key, "augment", number))
        torch.manual_seed(seed_for(*key, "torch", number))
        self.net.train()
        self.skipped.clear()
        total = 0.0
        labels = self.offset.remove(job.train.coords, job.train.subset)

        def varied(rows: np.ndarray) -> tuple[np.ndarray, ...]:
            return rows, *self.augment(job.train.images[rows], labels[rows])

        parts = np.array_split(order[: self.batches * recipe.batch], self.batches)
        for rows, images, target, mirrored in prepared(varied, parts, job.device):
            loss, learnt = self.step(rows, images, target, mirrored)
            total += loss
            if learnt:
                self.schedule.step()
        self._tell_skipped(number)
        self.offset.update()
        return total / self.batches

    def step(
        self, rows: np.ndarray, images: np.ndarray, target: np.ndarray, mirrored: np.ndarray
    ) -> tuple[float, bool]:
        """One step of the optimiser on these rows, already varied: the loss, and whether it was taken.

        UserError where the loss is no number.

        A batch without a label teaches nothing, and one whose gradient is not finite would ruin the weights: both are
        passed over, and counted.
        """
        if np.isnan(target).all():
            self.skipped[NO_LABEL] += 1
            return 0.0, False
        value, residual = self.gradient.backward(images, self.job.train.subset[rows], target)
        self.job.checked(value)
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.optimiser.clip)
        if not norm.isfinite():
            self.skipped[NO_GRADIENT] += 1
            return value, False
        self.optimiser.step()
        self.average.update_parameters(self.net)
        self.offset.watch(residual[..., 0], self.job.train.subset[rows], mirrored)
        return value, True

    def _tell_skipped(self, number: int) -> None:
        """Warn of the epoch's batches that were passed over. UserError where too many gradients were not finite."""
        for why, count in self.skipped.items():
            told = (self.job.title, number + 1, count, self.batches, why)
            LOG.warning("%s: epoch %d: %d of %d batches passed over: %s", *told)
        if self.skipped[NO_GRADIENT] > MOST_SKIPPED * self.batches:
            raise self.job.gone_wrong(f"the gradient was not finite in {self.skipped[NO_GRADIENT]} steps of an epoch")

    def watch(self) -> float:
        """RMSE of the averaged weights on some held-out rows, unshifted views alone; NaN when there are none."""
        held = self.watched
        if len(held) == 0:
            return float("nan")
        found = predict_with(self.average.module, self.offset, held, self.job.device, tta_shifts=(0,), again=False)
        known = ~np.isnan(found.coords)
        return rmse(found.coords, np.where(known, held.coords, np.nan))


def train(job: Training) -> None:
    """Train to the end (or on from the last finished epoch) and write weights, settings, offset and history."""
    trainer = Trainer(job)
    state = checkpoint.load(job.folder, job.training)
    if state is not None:
        trainer.resume(state)
        LOG.info("%s: goes on after epoch %d", job.title, len(trainer.history))
    epochs = trainer.recipe.epochs
    every = math.ceil(epochs / WATCHES)
    for number in range(len(trainer.history), epochs):
        began = time.perf_counter()
        loss = trainer.epoch(number)
        watched = (number + 1) % every == 0 or number + 1 == epochs
        held = trainer.watch() if watched else None
        trainer.history.append(
            {"epoch": number + 1, "loss": loss, "held_rmse": held, "seconds": time.perf_counter() - began}
        )
        checkpoint.save(job.folder, job.training, trainer.state())
        if watched:
            _tell(job, trainer.history, epochs)
    _write(trainer)


def _tell(job: Training, history: list[dict[str, Any]], epochs: int) -> None:
    last = history[-1]
    left = np.mean([line["seconds"] for line in history[-5:]]) * (epochs - last["epoch"])
    LOG.info(
        "%s: epoch %d/%d, loss %.3f, held-out %.3f px, %.0f s left",
        job.title,
        last["epoch"],
        epochs,
        last["loss"],
        last["held_rmse"],
        left,
    )


def _write(trainer: Trainer) -> None:
    folder = trainer.job.folder
    trainer.job.save_weights(trainer.average.module.state_dict())
    write_json(folder / SETTINGS, trainer.recipe.settings())
    write_json(folder / OFFSET, trainer.offset.values.tolist())
    write_history(folder / HISTORY, trainer.history)


Tensors = tuple[Tensor, ...] | list[Tensor]
"""As AveragedModel hands them over."""


def _moving_average(settings: Optimiser) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """Averages all weights at once: one by one, each would wait for the GPU. Buffers are taken as they are."""

    def average(old: Tensors, new: Tensors, count: Tensor | int) -> None:
        share = min(settings.average, (1 + int(count)) / (10 + int(count)))  # short memory at first
        torch._foreach_lerp_(old, new, 1 - share)

    return average


def _optimiser(net: torch.nn.Module, settings: Optimiser) -> torch.optim.AdamW:
    """AdamW; biases and norms are not decayed."""
    matrices = [p for p in net.parameters() if p.dim() > 1]
    vectors = [p for p in net.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.lr, fused=True)
