"""Training tasks of the comparison: an earlier system's network in its own way, and our networks by their recipes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from solution.codecs import Heatmap
from solution.faces import FaceSet
from solution.keypoints import SIZE, mirror
from solution.recipe import LandmarkRecipe
from solution.runtime.device import generator, prepared, quick_precision, seed_for, to_device
from solution.runtime.errors import UserError
from solution.specialists.fit import Batch
from solution.specialists.landmarks.predict import predict_with
from solution.specialists.landmarks.train import LandmarkTask
from solution.specialists.training import Training
from solution.studies.baselines.baseline import System
from solution.studies.baselines.timed_training import TimedTask

BATCH = 64  # pictures predicted at once: maps of the picture's own size are large


class SystemTask(TimedTask):
    """Trains on the rows with a label for any of `points` (indices into the faces' schema), and predicts these points.

    One set of outputs serves both subsets, as in the original systems; cells without a label do not count. Batches hold
    pictures (B, side, side) and labels (B, k, 2) as the system's frame shows them.
    """

    remedy = "Lower its rate in solution/studies/baselines/systems/."

    def __init__(
        self, system: System, points: np.ndarray, train: FaceSet, watched: FaceSet, device: torch.device
    ) -> None:
        self.system, self.points, self.device, self.watched = system, points, device, watched
        self.key = ("baselines", system.name, int(points[0]))
        self.train = train.take((~np.isnan(train.coords[:, points])).any(axis=(1, 2)))
        if len(self.train) < 2:
            raise UserError(
                f"{system.name}: expected two or more training rows with a label for "
                f"{', '.join(train.schema.points[point] for point in points)}, got {len(self.train)}. Give more faces."
            )
        self.batch = min(system.batch, len(self.train))
        self.readings = system.output.readings
        torch.manual_seed(seed_for(*self.key, "init"))
        net = system.network(len(points)).to(device).to(memory_format=torch.channels_last)
        optimiser = system.rule.optimiser(net.parameters())
        super().__init__(system.name, net, optimiser, len(self.train) // self.batch)

    def batches(self, epoch: int) -> Iterator[Batch]:
        torch.manual_seed(seed_for(*self.key, "torch", epoch))
        rng = generator(*self.key, "pass", epoch)
        order = rng.permutation(len(self.train))
        parts = np.split(order[: self.steps_per_epoch * self.batch], self.steps_per_epoch)
        yield from prepared(lambda rows: self._varied(rows, rng), parts, self.device)

    def _varied(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        images, coords = self.train.images[rows], self.train.coords[rows]
        if self.system.mirror:
            flip = rng.random(len(rows)) < 0.5
            images = np.where(flip[:, None, None], images[..., ::-1], images)
            coords = np.where(flip[:, None, None], mirror(coords, self.train.schema), coords)
        return self.system.frame.vary(images, coords[:, self.points], rng)

    def cells(self, batch: Batch) -> int:
        return int((~np.isnan(batch[1])).sum())

    def loss(self, batch: Batch) -> Tensor:
        images, coords = batch
        with quick_precision(self.device):
            raw = self.net(self._pixels(images))
        return self.system.output.loss(raw, to_device(coords, self.device))

    @torch.inference_mode()
    def predict(self, faces: FaceSet) -> np.ndarray:
        self.net.eval()
        coords = np.full((len(self.readings), *faces.coords.shape), np.nan, np.float32)
        for start in range(0, len(faces), BATCH):
            rows = slice(start, start + BATCH)
            with quick_precision(self.device):
                raw = self.net(self._pixels(self.system.frame.still(faces.images[rows])))
            for reading, found in enumerate(self.system.output.read(raw).values()):
                coords[reading, rows][:, self.points] = self.system.frame.back(found.cpu().numpy())
        return coords

    def cost(self) -> tuple[int, int]:
        side = self.system.frame.side
        return cost(self.net, torch.zeros(1, 1, side, side, device=self.device))

    def _pixels(self, images: np.ndarray) -> Tensor:
        """Pictures (B, H, W) uint8 as (B, 1, H, W) from 0 to 1."""
        pixels = to_device(np.ascontiguousarray(images), self.device)[:, None].float() / 255
        return pixels.contiguous(memory_format=torch.channels_last)


class OurTask(TimedTask, LandmarkTask):
    """A recipe of ours, trained as it always is; the time that is spent turns its learning rate."""

    def __init__(
        self, recipe: LandmarkRecipe, train: FaceSet, watched: FaceSet, folder: Path, device: torch.device
    ) -> None:
        super().__init__(Training(recipe, 0, folder, train, train.take(np.arange(0)), device, {}))
        self.batch, self.watched = min(recipe.batch, len(train)), watched
        self.readings = ("softmax mean" if isinstance(recipe.codec, Heatmap) else "direct",)

    def predict(self, faces: FaceSet) -> np.ndarray:
        return predict_with(self.average.module, self.offset, faces, self.training.device).coords[None]

    def cost(self) -> tuple[int, int]:
        subset = torch.full((1,), self.recipe.subsets[0], device=self.training.device)
        return cost(self.average.module, torch.zeros(1, SIZE, SIZE, device=self.training.device), subset)


def cost(net: nn.Module, *inputs: Tensor) -> tuple[int, int]:
    """A network's parameters, and the multiply-adds of its convolutions and matrix products for these inputs."""
    net.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(*inputs)
    return sum(parameter.numel() for parameter in net.parameters()), counter.get_total_flops() // 2
