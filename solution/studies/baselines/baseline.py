"""An earlier system as a frozen value: its network, frame, output, optimiser and augmentation."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from solution.recipe import require
from solution.studies.baselines.crops import Cropped, Whole
from solution.studies.baselines.heads import Maps, Output, Points

Family = Literal["coordinates", "heatmaps", "ours"]
"""Networks that give coordinates, networks that give heatmaps, and this project's own networks."""

RULES = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An optimiser with a constant rate: adam, rmsprop, or sgd with Nesterov's momentum."""

    kind: str = "adam"
    lr: float = 1e-3
    momentum: float = 0.0

    def __post_init__(self) -> None:
        require(self.kind in RULES, f"kind: one of {', '.join(RULES)}", self.kind)
        require(self.lr > 0, "lr: above 0", self.lr)
        require(0 <= self.momentum < 1, "momentum: 0 to below 1", self.momentum)
        require(self.momentum == 0 or self.kind == "sgd", "momentum: with sgd alone", self.kind)

    def optimiser(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser over these parameters."""
        more: dict[str, Any] = {} if self.kind == "rmsprop" else {"fused": True}  # the same arithmetic, faster
        if self.kind == "sgd":
            more |= {"momentum": self.momentum, "nesterov": self.momentum > 0}
        return RULES[self.kind](parameters, lr=self.lr, **more)


@dataclass(frozen=True, kw_only=True)
class System:
    """How one earlier system goes from pictures, with pixels from 0 to 1, to points."""

    name: str

    title: str  # its name in tables
    idea: str  # one line for the reader
    network: Callable[[int], nn.Module]  # makes a freshly initialised network for a number of points
    output: Output = field(default_factory=Points)
    frame: Whole | Cropped = field(default_factory=Whole)
    rule: Rule = field(default_factory=Rule)
    batch: int = 64

    mirror: bool = False  # half of the training pictures are mirrored, points by x → 95 − x
    each_point: bool = False  # each point has a network of its own; the networks share the time

    def __post_init__(self) -> None:
        require(self.batch >= 2, "batch: 2 or more (batch normalisation needs two)", self.batch)

    @property
    def family(self) -> Family:
        return "heatmaps" if isinstance(self.output, Maps) else "coordinates"

    def settings(self) -> dict[str, Any]:
        """Every setting except the network, as JSON values."""
        kinds = {key: type(value).__name__ for key, value in vars(self).items() if key in ("output", "frame")}
        return {key: value for key, value in asdict(self).items() if key != "network"} | {"kinds": kinds}
