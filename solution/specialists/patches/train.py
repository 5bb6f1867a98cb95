"""Training of the patch classifier on one fold: autoencoder first, then the classes, then the reading."""

import csv
import io
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from solution.evaluation.metrics import pooled
from solution.faces import FaceSet
from solution.keypoints import SUBSETS
from solution.recipe import POINTS, PatchRecipe
from solution.runtime import checkpoint
from solution.runtime.artifacts import write_json, write_text
from solution.runtime.device import LOG, generator, quick_precision, seed_for, to_device
from solution.runtime.errors import UserError
from solution.specialists.patches import sampling
from solution.specialists.patches.decoding import LabelBias, Prior, Reading
from solution.specialists.patches.network import PatchNetwork, normalised
from solution.specialists.patches.predict import READING, read_faces
from solution.specialists.training import HISTORY, SETTINGS, Training

WATCHED = 200
"""Held-out faces read after each epoch, at most: a glance, the whole fold is scored after the training."""

PHASES = ("pretrain", "classes")


@dataclass
class _State:
    """What changes while training: all that a checkpoint holds. epoch: finished ones, counted over both phases."""

    network: PatchNetwork
    optimiser: torch.optim.Optimizer
    epoch: int = 0
    history: list[list[Any]] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "epoch": self.epoch,
            "history": self.history,
        }

    def unpack(self, state_dict: dict[str, Any]) -> None:
        self.network.load_state_dict(state_dict["network"])
        self.optimiser.load_state_dict(state_dict["optimiser"])
        self.epoch, self.history = state_dict["epoch"], state_dict["history"]


def train(job: Training) -> None:
    """Train on job.train and write weights, settings, reading and history into job.folder.

    Goes on after the last finished epoch of a stopped training, with the same result. UserError where fewer than
    two training faces have a label for any of the four points.
    """
    recipe = job.recipe
    if not isinstance(recipe, PatchRecipe):
        raise TypeError(f"expected a PatchRecipe, got {type(recipe).__name__}")
    taught = _taught(job)
    points = _points(taught)
    prior = Prior.learnt(points)
    state = _started(job, recipe)
    while state.epoch < recipe.pretrain_epochs + recipe.epochs:
        _epoch(job, recipe, state, taught, prior)
        checkpoint.save(job.folder, job.training, state.state_dict())
    reading = _learnt_reading(state.network, recipe, taught, prior)
    _write(job, recipe, state, reading)


def _taught(job: Training) -> FaceSet:
    faces = job.train
    rows = (~np.isnan(_points(faces)).any(2)).any(1)
    if rows.sum() < 2:
        raise UserError(
            f"{job.title}: expected 2 or more training rows with one of {', '.join(POINTS)} labelled, "
            f"got {rows.sum()}. Give more faces, or make fewer folds."
        )
    return faces.take(rows)


def _points(faces: FaceSet) -> np.ndarray:
    return faces.coords[:, faces.schema.index(POINTS)]


def _started(job: Training, recipe: PatchRecipe) -> _State:
    torch.manual_seed(seed_for(recipe.name, job.fold, recipe.seed, "weights"))
    network = PatchNetwork(recipe).to(job.device)
    state = _State(network, _fresh_optimiser(network, recipe))
    saved = checkpoint.load(job.folder, job.training)
    if saved is not None:
        state.unpack(saved)
        LOG.info("%s: going on after epoch %d", job.title, state.epoch)
    return state


def _fresh_optimiser(network: PatchNetwork, recipe: PatchRecipe) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), weight_decay=recipe.weight_decay)


def _epoch(job: Training, recipe: PatchRecipe, state: _State, faces: FaceSet, prior: Prior) -> None:
    """One pass over the training faces in the phase whose turn it is, then a look at the held-out ones."""
    began = time.perf_counter()
    first = state.epoch < recipe.pretrain_epochs
    phase, epochs = (PHASES[0], recipe.pretrain_epochs) if first else (PHASES[1], recipe.epochs)
    number = state.epoch if first else state.epoch - recipe.pretrain_epochs
    peak = recipe.pretrain_lr if first else recipe.lr
    rng = generator(recipe.name, job.fold, recipe.seed, phase, number)
    torch.manual_seed(seed_for(recipe.name, job.fold, recipe.seed, phase, number, "torch"))
    if number == 0:  # what the autoencoder's gradients were like says nothing of the classes'
        state.optimiser = _fresh_optimiser(state.network, recipe)
    state.network.train()
    losses, batches = [], list(_batches(len(faces), recipe.batch, rng))
    for step, rows in enumerate(batches):
        done = (number * len(batches) + step) / (epochs * len(batches))
        for group in state.optimiser.param_groups:
            group["lr"] = peak * _one_cycle(done, recipe.warm_up)
        loss = (_denoising_loss if first else _class_loss)(state.network, faces.take(rows), recipe, rng, job.device)
        losses.append(job.checked(float(loss.detach())))
        state.optimiser.zero_grad()
        loss.backward()
        state.optimiser.step()
    held = None if first else _held_rmse(state.network, job.held, prior)
    seconds = time.perf_counter() - began
    state.epoch += 1
    state.history.append([state.epoch, phase, float(np.mean(losses)), held, seconds])
    _log(job, recipe, state)


def _batches(faces: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Rows in random order, in equal shares of at most about `size`."""
    yield from np.array_split(rng.permutation(faces), math.ceil(faces / size))


def _one_cycle(done: float, warm_up: float) -> float:
    """Share of the peak rate: a cosine up over the share `warm_up` of a phase, and one down over the rest."""
    turn = done / warm_up - 1 if done < warm_up else (done - warm_up) / (1 - warm_up)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * turn)) / 2


def _denoising_loss(
    network: PatchNetwork, faces: FaceSet, recipe: PatchRecipe, rng: np.random.Generator, device: torch.device
) -> Tensor:
    """Mean squared difference between standardised patches and what the autoencoder makes of the patches spoilt."""
    cuts = sampling.varied(sampling.anywhere(rng, len(faces), recipe.pretrain_patches), recipe, rng)
    patches = sampling.cut(_pixels(faces, device), cuts, recipe.patch)
    with quick_precision(device):
        made = network.reconstruct(_channels_last(sampling.corrupt(patches, recipe)))
    return functional.mse_loss(made.float(), sampling.standardised(patches))


def _class_loss(
    network: PatchNetwork, faces: FaceSet, recipe: PatchRecipe, rng: np.random.Generator, device: torch.device
) -> Tensor:
    """Cross-entropy between the classes' shares and what the network says of the patches."""
    points = _points(faces)
    centres = sampling.class_centres(points, recipe, rng)
    cuts = sampling.varied(centres, recipe, rng)
    shares = sampling.mirrored_shares(sampling.class_shares(centres, points, recipe.softness), cuts.mirrored)
    patches = sampling.cut(_pixels(faces, device), cuts, recipe.patch)
    with quick_precision(device):
        logits = network(_channels_last(patches))
    wanted = to_device(shares, device).flatten(0, 1)
    return functional.cross_entropy(logits.float().flatten(1), wanted)


def _pixels(faces: FaceSet, device: torch.device) -> Tensor:
    return normalised(to_device(faces.images, device))


def _channels_last(patches: Tensor) -> Tensor:
    return patches.contiguous(memory_format=torch.channels_last)


def _held_rmse(network: PatchNetwork, held: FaceSet, prior: Prior) -> float:
    """RMSE in pixels of raw readings, each point's own bias per subset taken off, on some of the held-out faces."""
    some = held.sample(WATCHED)
    labels = _points(some)
    raw, _ = read_faces(network, some.images, prior)
    squared = [_about_mean((raw - labels)[some.subset == s]) ** 2 for s in SUBSETS]
    return pooled(np.concatenate(squared))


def _about_mean(errors: np.ndarray) -> np.ndarray:
    known = ~np.isnan(errors)
    mean = np.where(known, errors, 0).sum(0) / np.maximum(known.sum(0), 1)
    return errors - mean


def _log(job: Training, recipe: PatchRecipe, state: _State) -> None:
    epoch, phase, loss, held, _ = state.history[-1]
    epochs = recipe.pretrain_epochs + recipe.epochs
    latest = [row[-1] for row in state.history if row[1] == phase]
    left = (epochs - epoch) * float(np.mean(latest))
    seen = "" if held is None else f" held {held:.3f} px,"
    line = "%s: epoch %d/%d (%s), loss %.4f,%s about %.0f s left"
    LOG.info(line, job.title, epoch, epochs, phase, loss, seen, left)


def _learnt_reading(network: PatchNetwork, recipe: PatchRecipe, faces: FaceSet, prior: Prior) -> Reading:
    """The habits of both subsets, from up to `fit_faces` training faces spread over the file."""
    some = faces.sample(recipe.fit_faces)
    points, uncertainty = read_faces(network, some.images, prior)
    labels = _points(some)
    biases = {}
    for s in SUBSETS:
        rows = some.subset == s
        biases[s] = LabelBias.learnt(points[rows], uncertainty[rows], labels[rows])
    return Reading(prior, biases)


def _write(job: Training, recipe: PatchRecipe, state: _State, reading: Reading) -> None:
    job.save_weights(state.network.state_dict())
    write_json(job.folder / SETTINGS, recipe.settings())
    write_json(job.folder / READING, reading.settings())
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(
        [("epoch", "phase", "loss", "held_rmse", "seconds"), *state.history]
    )
    write_text(job.folder / HISTORY, table.getvalue())
