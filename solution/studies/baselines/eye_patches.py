"""Patches of eyes and of other places, and a denoising autoencoder of one layer that pre-trains their classifier.

After Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008: one hidden
layer learns to reconstruct patches from corrupted ones, and a classifier starts from it. The patch classifier of
specialists/patches/ has developed from this.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from solution.faces import FaceSet
from solution.recipe import PatchRecipe, require
from solution.runtime.device import generator, seed_for
from solution.specialists.budget import Steps
from solution.specialists.fit import Batch, Task, fit
from solution.specialists.patches import sampling
from solution.specialists.patches.network import normalised

Key = tuple[str | int, ...]  # what a training's random numbers are seeded by
EYES = ("left_eye_center", "right_eye_center")
CANDIDATES = 8  # places drawn for one that must be off both eyes. If none is, which is rare, the last one is taken
EVALUATED = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)  # when the classifier is evaluated, as shares of its steps


@dataclass(frozen=True, kw_only=True)
class Study:
    """The study's settings."""

    patch: int = 25  # side, px
    hidden: int = 256  # units of the hidden layer
    masked: float = 0.25
    noise: float = 0.3  # how the autoencoder's input is corrupted, as in PatchRecipe
    jitter: float = 1.5  # standard deviation of an eye patch's distance from the eye's centre, px
    nearest: float = 6.0  # least distance of the other patches from both eyes, px
    farthest: float = 14.0  # largest distance from an eye of half of the other patches, px. The other half is anywhere
    labels: tuple[int | None, ...] = (100, 300, 1000, None)  # numbers of labelled patches for the classifier; None: all
    batch: int = 64
    pretrain_steps: int = 4000
    steps: int = 1500
    lr: float = 1e-3

    def __post_init__(self) -> None:
        require(0 < self.nearest < self.farthest, "nearest: between 0 and farthest", self.nearest)
        require(self.steps >= len(EVALUATED), f"steps: {len(EVALUATED)} or more", self.steps)
        self.corruption()

    def corruption(self) -> PatchRecipe:
        """The settings that `sampling.corrupt` reads."""
        return PatchRecipe(name="autoencoder", rows="all", patch=self.patch, masked=self.masked, noise=self.noise)

    def settings(self) -> dict[str, Any]:
        """Every setting as JSON values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Patches:
    """Patches of faces with their classes."""

    pixels: Tensor  # (P, 1, patch, patch) float32, each with mean 0 and standard deviation 1
    eye: Tensor  # 1 for an eye, else 0, (P,) float32
    face: np.ndarray  # the id of the face that each was cut from, (P,) int64

    def take(self, rows: np.ndarray) -> "Patches":
        """The patches of these rows."""
        chosen = torch.from_numpy(rows)
        return Patches(self.pixels[chosen], self.eye[chosen], self.face[rows])


def cut_patches(faces: FaceSet, study: Study, rng: np.random.Generator) -> Patches:
    """Four patches of each face with both eyes labelled: one of each eye, one beside an eye, one anywhere else."""
    eyes = faces.coords[:, faces.schema.index(EYES)]
    faces = faces.take(~np.isnan(eyes).any(axis=(1, 2)))
    eyes = faces.coords[:, faces.schema.index(EYES)]
    centres = np.concatenate(
        [eyes + rng.normal(0, study.jitter, eyes.shape), _beside(eyes, study, rng), _elsewhere(eyes, study, rng)],
        axis=1,
    ).astype(np.float32)
    cut = sampling.cut(normalised(torch.from_numpy(faces.images)), sampling.plain(centres), study.patch)
    eye = torch.tensor([1.0, 1.0, 0.0, 0.0]).repeat(len(faces))
    return Patches(sampling.standardised(cut), eye, np.repeat(faces.ids, centres.shape[1]))


def _beside(eyes: np.ndarray, study: Study, rng: np.random.Generator) -> np.ndarray:
    """A place a face between `nearest` and `farthest` from one of its eyes, in any direction, (N, 1, 2) pixels."""
    shape = (len(eyes), CANDIDATES)
    angle = rng.uniform(0, 2 * np.pi, shape)
    distance = rng.uniform(study.nearest, study.farthest, shape)
    anchor = np.take_along_axis(eyes, rng.integers(0, 2, shape)[..., None], axis=1)
    return _off_eyes(anchor + np.stack([np.cos(angle), np.sin(angle)], -1) * distance[..., None], eyes, study)


def _elsewhere(eyes: np.ndarray, study: Study, rng: np.random.Generator) -> np.ndarray:
    return _off_eyes(sampling.anywhere(rng, len(eyes), CANDIDATES), eyes, study)


def _off_eyes(places: np.ndarray, eyes: np.ndarray, study: Study) -> np.ndarray:
    """The first of each face's candidates (N, C, 2) that is far enough from both eyes (N, 2, 2), (N, 1, 2)."""
    distance = np.linalg.norm(places[:, :, None] - eyes[:, None], axis=-1)
    good = (distance >= study.nearest - 1e-6).all(axis=2)
    good[:, -1] = True
    return np.take_along_axis(places, good.argmax(axis=1)[:, None, None], axis=1)


class Autoencoder(nn.Module):
    """One hidden layer: patches (P, 1, patch, patch) to the same shape."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(study.patch**2, study.hidden), nn.Sigmoid())
        self.decoder = nn.Sequential(
            nn.Linear(study.hidden, study.patch**2), nn.Unflatten(1, (1, study.patch, study.patch))
        )

    def forward(self, patches: Tensor) -> Tensor:
        return self.decoder(self.encoder(patches))


class _PatchTask(Task):
    """Steps on batches of patches that are drawn again each time; a batch holds their rows."""

    logged = False

    def __init__(self, purpose: str, study: Study, patches: Patches, net: nn.Module, key: Key) -> None:
        super().__init__(f"{key[0]} {purpose}", net, torch.optim.Adam(net.parameters(), lr=study.lr), study.steps)
        self.study, self.patches, self.rng = study, patches, generator(*key, purpose)
        self.device = next(net.parameters()).device

    def batches(self, epoch: int) -> Iterator[Batch]:
        count = len(self.patches.face)
        while True:
            yield (self.rng.integers(0, count, min(self.study.batch, count)),)

    def pixels(self, batch: Batch) -> Tensor:
        return self.patches.pixels[torch.from_numpy(batch[0])].to(self.device)


class _DenoisingTask(_PatchTask):
    def loss(self, batch: Batch) -> Tensor:
        target = self.pixels(batch)
        return functional.mse_loss(self.net(sampling.corrupt(target, self.study.corruption())), target)


class _EyeTask(_PatchTask):
    held: Patches

    def loss(self, batch: Batch) -> Tensor:
        wanted = self.patches.eye[torch.from_numpy(batch[0])].to(self.device)
        return functional.binary_cross_entropy_with_logits(self.net(self.pixels(batch)).flatten(), wanted)

    @torch.inference_mode()
    def evaluate(self) -> np.ndarray:
        """Which held-out patches are put into the wrong class, bool (P,)."""
        says_eye = self.net(self.held.pixels.to(self.device)).flatten().cpu() > 0
        return (says_eye != (self.held.eye > 0.5)).numpy()


def pretrained(study: Study, patches: Patches, device: torch.device, key: Key) -> Autoencoder:
    """An autoencoder that has learnt to give back corrupted patches, without their labels."""
    torch.manual_seed(seed_for(*key, "autoencoder"))
    net = Autoencoder(study).to(device)
    fit(_DenoisingTask("autoencoder", study, patches, net, key), Steps(study.pretrain_steps))
    return net


def classified(
    study: Study, patches: Patches, held: Patches, start: Autoencoder | None, device: torch.device, key: Key
) -> np.ndarray:
    """Which held-out patches are put into the wrong class at each of EVALUATED, bool (L, P).

    The classifier is the autoencoder's layer and one output. start: an autoencoder whose layer it begins with; None: a
    random layer. All of it is trained, on the same batches with and without.
    """
    torch.manual_seed(seed_for(*key, "classifier"))
    net = nn.Sequential(Autoencoder(study).encoder, nn.Linear(study.hidden, 1)).to(device)
    if start is not None:
        net[0].load_state_dict(start.encoder.state_dict())
    task = _EyeTask("classifier", study, patches, net, key)
    task.held = held
    return np.stack([record.value for record in fit(task, Steps(study.steps, EVALUATED))])
