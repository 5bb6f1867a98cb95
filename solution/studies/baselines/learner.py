"""An earlier system's network in training: its own loss, optimiser, frame and mirroring, on the rows that it is
given.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from solution.faces import FaceSet
from solution.keypoints import mirror
from solution.runtime.device import generator, quick_precision, seed_for, to_device
from solution.runtime.errors import UserError
from solution.studies.baselines.baseline import System

BATCH = 64
"""Pictures predicted at once: maps of the picture's own size are large."""


class SystemLearner:
    """Trains on the rows with a label for any of `points` (indices into the faces' schema), and predicts these points.

    There is one set of outputs for both kinds of rows, as there was then; what a row has no label for does not count.
    """

    def __init__(self, system: System, points: np.ndarray, train: FaceSet, device: torch.device) -> None:
        self.system, self.points, self.device = system, points, device
        self.name = system.name
        self.key = ("baselines", system.name, int(points[0]))
        self.train = train.take((~np.isnan(train.coords[:, points])).any(axis=(1, 2)))
        if len(self.train) < 2:
            raise UserError(
                f"{self.name}: expected two or more training rows with a label for "
                f"{', '.join(train.schema.points[point] for point in points)}, got {len(self.train)}. Give more faces."
            )
        self.batch = min(system.batch, len(self.train))
        self.readings = system.output.readings
        torch.manual_seed(seed_for(*self.key, "init"))
        self.net = system.network(len(points)).to(device).to(memory_format=torch.channels_last)
        self.optimiser = system.rule.optimiser(self.net.parameters())
        self.rng = generator(*self.key)
        self.rows = self._in_passes()

    def _in_passes(self) -> Iterator[np.ndarray]:
        """Rows of one batch after the other, in passes over all, each pass shuffled anew; what is over is left out."""
        batches = len(self.train) // self.batch
        for number in count():
            torch.manual_seed(seed_for(*self.key, "torch", number))
            self.rng = generator(*self.key, "pass", number)
            order = self.rng.permutation(len(self.train))
            yield from np.split(order[: batches * self.batch], batches)

    def step(self, share: float) -> float:
        images, coords = self._varied(next(self.rows))
        self.net.train()
        self.optimiser.zero_grad()
        with quick_precision(self.device):
            raw = self.net(self._pixels(images))
        loss = self.system.output.loss(raw, to_device(coords, self.device))
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def _varied(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pictures and points (B, k, 2) of these rows as the frame shows them, some mirrored."""
        images, coords = self.train.images[rows], self.train.coords[rows]
        if self.system.mirror:
            flip = self.rng.random(len(rows)) < 0.5
            images = np.where(flip[:, None, None], images[..., ::-1], images)
            coords = np.where(flip[:, None, None], mirror(coords, self.train.schema), coords)
        return self.system.frame.vary(images, coords[:, self.points], self.rng)

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


def cost(net: nn.Module, *inputs: Tensor) -> tuple[int, int]:
    """A network's parameters, and the multiply-adds of its convolutions and matrix products for these inputs."""
    net.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(*inputs)
    return sum(parameter.numel() for parameter in net.parameters()), counter.get_total_flops() // 2
