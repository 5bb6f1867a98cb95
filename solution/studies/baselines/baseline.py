"""An earlier system's method as a frozen value: its own network, frame, output, optimiser and augmentation."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from solution.recipe import require
from solution.studies.baselines.crops import Cropped, Whole
from solution.studies.baselines.heads import Maps, Output, Points

Family = Literal["coordinates", "heatmaps", "ours"]
"""Coordinates straight from the network, coordinates read off its maps, or this project's own networks."""

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
        more: dict[str, Any] = {} if self.kind == "rmsprop" else {"fused": True}  # the same arithmetic in one go
        if self.kind == "sgd":
            more |= {"momentum": self.momentum, "nesterov": self.momentum > 0}
        return RULES[self.kind](parameters, lr=self.lr, **more)


@dataclass(frozen=True, kw_only=True)
class System:
    """How one earlier system goes from pictures to points. All see pixels from 0 to 1.

    title: what tables call it. idea: one line for the reader. network: makes it, freshly initialised, for a number of
    points. mirror: half of the training pictures are mirrored, points by x → 95 − x. each_point: one network a point,
    which share the time.
    """

    name: str
    title: str
    idea: str
    network: Callable[[int], nn.Module]
    output: Output = field(default_factory=Points)
    frame: Whole | Cropped = field(default_factory=Whole)
    rule: Rule = field(default_factory=Rule)
    batch: int = 64
    mirror: bool = False
    each_point: bool = False

    def __post_init__(self) -> None:
        require(self.batch >= 2, "batch: 2 or more (batch normalisation needs two)", self.batch)

    @property
    def family(self) -> Family:
        return "heatmaps" if isinstance(self.output, Maps) else "coordinates"

    def settings(self) -> dict[str, Any]:
        """Every setting but the network as JSON values."""
        kinds = {key: type(value).__name__ for key, value in vars(self).items() if key in ("output", "frame")}
        return {key: value for key, value in asdict(self).items() if key != "network"} | {"kinds": kinds}
