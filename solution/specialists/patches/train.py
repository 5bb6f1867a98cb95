"""Training of the patch classifier on one fold: the autoencoder first, then the classes, then the reading."""

import math
from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from solution.evaluation.metrics import pooled
from solution.faces import FaceSet
from solution.keypoints import SUBSETS
from solution.recipe import POINTS, PatchRecipe
from solution.runtime.artifacts import write_json
from solution.runtime.device import generator, prepared, quick_precision, seed_for, to_device
from solution.runtime.errors import UserError
from solution.specialists.budget import Epochs
from solution.specialists.fit import Batch, Task, fit, history_of
from solution.specialists.history import write_history
from solution.specialists.patches import sampling
from solution.specialists.patches.decoding import LabelBias, Prior, Reading
from solution.specialists.patches.network import PatchNetwork, normalised
from solution.specialists.patches.predict import READING, read_faces
from solution.specialists.patches.sampling import Cuts
from solution.specialists.training import HISTORY, SETTINGS, Training

EVALUATED = 200  # held-out faces that are read after each epoch, at most. The whole fold is scored after the training


class PatchTask(Task):
    """Patches of the training faces, AdamW, one cycle of the learning rate up to `peak`.

    Batches hold the faces' rows (B,) and the fields of their `Cuts`; a subclass may add targets, (B, ...).
    """

    peak: float

    def __init__(self, training: Training, recipe: PatchRecipe, network: PatchNetwork, faces: FaceSet) -> None:
        optimiser = torch.optim.AdamW(network.parameters(), weight_decay=recipe.weight_decay)
        super().__init__(training.title, network, optimiser, math.ceil(len(faces) / recipe.batch))
        self.training, self.recipe, self.network, self.faces = training, recipe, network, faces
        self.device = training.device

    def batches(self, epoch: int) -> Iterator[Batch]:
        key = (self.recipe.name, self.training.fold, self.recipe.seed, self.phase, epoch)
        rng = generator(*key)
        torch.manual_seed(seed_for(*key, "torch"))
        parts = np.array_split(rng.permutation(len(self.faces)), self.steps_per_epoch)
        yield from prepared(lambda rows: (rows, *self.drawn(rows, rng)), parts, self.device)

    @abstractmethod
    def drawn(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        """What is drawn at random for these faces: the fields of `Cuts`, and what a subclass adds."""

    def set_rate(self, share: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.peak * _one_cycle(share, self.recipe.warm_up)

    def patches(self, batch: Batch) -> Tensor:
        """The patches of a batch, (B · P, 1, patch, patch)."""
        rows, cuts = batch[0], Cuts(*batch[1:6])
        return sampling.cut(normalised(to_device(self.faces.images[rows], self.device)), cuts, self.recipe.patch)


class DenoisingTask(PatchTask):
    """The network's autoencoder learns to give back patches that were corrupted."""

    phase = "pretrain"

    def __init__(self, training: Training, recipe: PatchRecipe, network: PatchNetwork, faces: FaceSet) -> None:
        super().__init__(training, recipe, network, faces)
        self.peak = recipe.pretrain_lr

    def drawn(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        centres = sampling.anywhere(rng, len(rows), self.recipe.pretrain_patches)
        return tuple(vars(sampling.varied(centres, self.recipe, rng)).values())

    def loss(self, batch: Batch) -> Tensor:
        """Mean squared difference between standardised patches and what the autoencoder makes of corrupted ones."""
        patches = self.patches(batch)
        with quick_precision(self.device):
            made = self.network.reconstruct(_channels_last(sampling.corrupt(patches, self.recipe)))
        return functional.mse_loss(made.float(), sampling.standardised(patches))


class ClassTask(PatchTask):
    """The network learns the classes of patches. The last item of a batch is the classes' shares, (B, P, 5)."""

    phase = "classes"

    def __init__(
        self, training: Training, recipe: PatchRecipe, network: PatchNetwork, faces: FaceSet, prior: Prior
    ) -> None:
        super().__init__(training, recipe, network, faces)
        self.peak, self.prior = recipe.lr, prior
        self.points = _points(faces)

    def drawn(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        points = self.points[rows]
        centres = sampling.class_centres(points, self.recipe, rng)
        cuts = sampling.varied(centres, self.recipe, rng)
        shares = sampling.class_shares(centres, points, self.recipe.softness)
        return *vars(cuts).values(), sampling.mirrored_shares(shares, cuts.mirrored)

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy between the classes' shares and the network's probabilities."""
        patches = self.patches(batch)
        with quick_precision(self.device):
            logits = self.network(_channels_last(patches))
        return functional.cross_entropy(logits.float().flatten(1), to_device(batch[-1], self.device).flatten(0, 1))

    def evaluate(self) -> float:
        """RMSE in pixels of raw readings of some held-out faces, without each point's mean error in each subset."""
        some = self.training.held.sample(EVALUATED)
        errors = read_faces(self.network, some.images, self.prior)[0] - _points(some)
        return pooled(np.concatenate([_about_mean(errors[some.subset == s]) ** 2 for s in SUBSETS]))


def train(training: Training) -> None:
    """Train to the end, or on from the last finished epoch, and write weights, settings, reading and history.

    UserError if fewer than two training faces have a label for any of the four points.
    """
    recipe = training.recipe
    assert isinstance(recipe, PatchRecipe)
    faces = _labelled(training)
    prior = Prior.learnt(_points(faces))
    torch.manual_seed(seed_for(recipe.name, training.fold, recipe.seed, "weights"))
    network = PatchNetwork(recipe).to(training.device)
    fit(
        DenoisingTask(training, recipe, network, faces),
        Epochs(recipe.pretrain_epochs),
        training.folder,
        training.training,
    )
    # A new optimiser: the autoencoder's gradients are unrelated to those of the classes.
    classes = ClassTask(training, recipe, network, faces, prior)
    records = fit(classes, Epochs(recipe.epochs), training.folder, training.training)
    training.save_weights(network.state_dict())
    write_json(training.folder / SETTINGS, recipe.settings())
    write_json(training.folder / READING, _learnt_reading(network, recipe, faces, prior).settings())
    write_history(training.folder / HISTORY, history_of(records))


def _labelled(training: Training) -> FaceSet:
    """The training faces with a label for any of the four points."""
    rows = (~np.isnan(_points(training.train)).any(2)).any(1)
    if rows.sum() < 2:
        raise UserError(
            f"{training.title}: expected 2 or more training rows with one of {', '.join(POINTS)} labelled, "
            f"got {rows.sum()}. Give more faces, or make fewer folds."
        )
    return training.train.take(rows)


def _points(faces: FaceSet) -> np.ndarray:
    """Labels of the four points, (N, 4, 2)."""
    return faces.coords[:, faces.schema.index(POINTS)]


def _one_cycle(done: float, warm_up: float) -> float:
    """Share of the peak rate: a cosine up over the share `warm_up` of a phase, and one down over the rest."""
    turn = done / warm_up - 1 if done < warm_up else (done - warm_up) / (1 - warm_up)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * turn)) / 2


def _channels_last(patches: Tensor) -> Tensor:
    return patches.contiguous(memory_format=torch.channels_last)


def _about_mean(errors: np.ndarray) -> np.ndarray:
    """Errors (N, 4, 2) less the mean of each point and axis; NaN stays NaN."""
    known = ~np.isnan(errors)
    return errors - np.where(known, errors, 0).sum(0) / np.maximum(known.sum(0), 1)


def _learnt_reading(network: PatchNetwork, recipe: PatchRecipe, faces: FaceSet, prior: Prior) -> Reading:
    """The label bias of both subsets, from up to `fit_faces` training faces evenly over the file."""
    some = faces.sample(recipe.fit_faces)
    points, uncertainty = read_faces(network, some.images, prior)
    labels, biases = _points(some), {}
    for s in SUBSETS:
        rows = some.subset == s
        biases[s] = LabelBias.learnt(points[rows], uncertainty[rows], labels[rows])
    return Reading(prior, biases)
