"""A training batch in as many pieces as the GPU's memory asks for, with the gradient of the whole."""

import numpy as np
import torch
from torch import nn

from solution.runtime.device import LOG, quick_precision, to_device
from solution.runtime.errors import UserError
from solution.specialists.landmarks.losses import Loss

SMALLEST = 2
"""Rows of a piece, at least: batch normalisation needs two."""


class MicroBatches:
    """Forward and backward of a batch, all at once; in twice as many pieces each time the GPU runs out of memory.

    Each piece's loss, a mean over its labelled cells, is weighted by its share of the batch's labelled cells: summed
    over the pieces, loss and gradient are the whole batch's. But batch normalisation sees a piece, not the batch: its
    statistics are then those of fewer rows.
    """

    def __init__(self, net: nn.Module, loss: Loss, device: torch.device, title: str) -> None:
        self.net, self.loss, self.device, self.title = net, loss, device, title
        self.pieces = 1
        self.refusals = 0

    def backward(self, images: np.ndarray, subset: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
        """Leave the batch's gradient in the network; the loss, and what is left of the labels, (B, K, 2) pixels.

        images (B, H, W) uint8, subset (B,), labels (B, K, 2) with NaN. UserError where even the smallest pieces do not
        fit into memory.
        """
        while True:
            self.net.zero_grad()
            try:
                return self._in_pieces(images, subset, labels)
            except torch.cuda.OutOfMemoryError as error:
                refused = str(error).split("\n")[0]
            # Out of the except block: the error's traceback would hold the tensors that must go.
            self._split_further(len(images), refused)

    def _in_pieces(self, images: np.ndarray, subset: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
        cells = max(1, int((~np.isnan(labels)).sum()))
        total, residuals = 0.0, []
        for rows in np.array_split(np.arange(len(images)), self.pieces):
            expected = to_device(labels[rows], self.device)
            with quick_precision(self.device):
                coords, sigma = self.net(to_device(images[rows], self.device), to_device(subset[rows], self.device))
            share = int((~np.isnan(labels[rows])).sum()) / cells
            loss = self.loss(coords, sigma, expected) * share
            loss.backward()
            total += loss.item()
            residuals.append((expected - coords.detach()).cpu().numpy())
        return total, np.concatenate(residuals)

    def _split_further(self, rows: int, refused: str) -> None:
        self.refusals += 1
        size = -(-rows // self.pieces)
        most = rows // SMALLEST
        if self.pieces >= most:
            raise UserError(
                f"{self.title}: expected GPU memory for {size} pictures at once, got: {refused} "
                "Lower --jobs, end what else runs on this GPU, or make the recipe's network smaller."
            )
        self.pieces = min(2 * self.pieces, most)
        torch.cuda.empty_cache()
        LOG.warning(
            "%s: out of GPU memory with %d pictures at once (%d so far): a step now takes %d pieces of about %d",
            *(self.title, size, self.refusals, self.pieces, rows // self.pieces),
        )
