"""The labels' offset from the mirror-symmetric place, learnt during training from training rows alone.

Labels are not symmetric about the picture's centre: they are to the right of it, by about 0.5 px in the 15-keypoint
rows and 1.15 to 1.35 px in the 4-keypoint rows. A network that is trained on mirrored pictures with x → 95 − x learns
the mean of two different answers. Training therefore removes the offset from the labels, and prediction adds it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from solution.keypoints import FACE15, Schema


@dataclass(frozen=True)
class LabelOffsetConfig:
    """How the offset is learnt."""

    clip: float = 4.0  # the largest residual that counts, px: an outlier does not show the offset
    step: float = 0.7  # share of the estimate that an epoch adds: the network changes at the same time


CONFIG = LabelOffsetConfig()


class LabelOffset:
    """Offset in x of each subset and point. `values`: (2, K) float32 px, 4-keypoint rows second, all others first."""

    def __init__(self, values: np.ndarray | None = None, schema: Schema = FACE15) -> None:
        self.schema = schema
        self.values = np.zeros((2, schema.size), np.float32) if values is None else values.astype(np.float32)
        self._clear()

    def state_dict(self) -> dict[str, Tensor]:
        """What a checkpoint keeps of it, between two epochs."""
        return {"values": torch.from_numpy(self.values.copy())}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue from `state_dict()`."""
        self.values = state["values"].numpy().copy()
        self._clear()

    def _clear(self) -> None:
        self._sum = np.zeros((2, 2, self.schema.size))  # subset × mirrored × point
        self._count = np.zeros((2, 2, self.schema.size))

    def remove(self, coords: np.ndarray, subset: np.ndarray) -> np.ndarray:
        """Labels (N, K, 2) in offset-free pixels, a new array."""
        return self._shift(coords, subset, -1)

    def restore(self, coords: np.ndarray, subset: np.ndarray) -> np.ndarray:
        """Offset-free coordinates (N, K, 2) back in the labels' pixels, a new array."""
        return self._shift(coords, subset, 1)

    def _shift(self, coords: np.ndarray, subset: np.ndarray, sign: int) -> np.ndarray:
        shifted = coords.copy()
        shifted[..., 0] += sign * self.values[(subset == 4).astype(int)]
        return shifted

    def watch(self, residual: np.ndarray, subset: np.ndarray, mirrored: np.ndarray) -> None:
        """Add a batch's residuals in x, label minus prediction, (B, K) px with NaN where unlabelled."""
        known = ~np.isnan(residual)
        clipped = np.clip(np.nan_to_num(residual), -CONFIG.clip, CONFIG.clip)
        for s, of_kind in enumerate((subset != 4, subset == 4)):
            for m in (0, 1):
                rows = of_kind & (mirrored == bool(m))
                self._sum[s, m] += (clipped[rows] * known[rows]).sum(axis=0)
                self._count[s, m] += known[rows].sum(axis=0)

    def update(self) -> None:
        """End an epoch: add half the difference of the mirrored and plain mean residuals, equal for mirror partners."""
        mean = self._sum / np.maximum(self._count, 1)
        missing = (mean[:, 0] - mean[:, 1][:, self.schema.mirror]) / 2
        missing[(self._count == 0).any(axis=1)] = 0.0
        self.values += (CONFIG.step * (missing + missing[:, self.schema.mirror]) / 2).astype(np.float32)
        self._clear()
