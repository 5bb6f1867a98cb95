"""A specialist's settings as typed, frozen values, checked when made. `digest()` names what was made from them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

from solution.artefacts import digest_of
from solution.codecs import Codec
from solution.keypoints import FACE15, FACE68, SUBSETS, Schema

Rows = Literal["15", "4", "all"]
SCALES = ("smoke", "cpu", "full")


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How a training picture is varied. Ranges are symmetric: rotation in degrees, shift as a share of the width.

    elastic: how far half of the pictures are bent, pixels rms an axis.
    """

    mirror: bool = True
    rotation: float = 15.0
    scale: float = 0.12
    shift: float = 0.06
    elastic: float = 0.0
    light: float = 0.2

    def __post_init__(self) -> None:
        require(0 <= self.rotation <= 180, "rotation: 0 to 180 degrees", self.rotation)
        require(0 <= self.scale < 1, "scale: 0 to below 1", self.scale)
        require(0 <= self.shift < 1, "shift: 0 to below 1", self.shift)
        require(self.elastic >= 0, "elastic: 0 or more pixels", self.elastic)
        require(0 <= self.light < 1, "light: 0 to below 1", self.light)


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """AdamW under a one-cycle schedule, with an exponential moving average of the weights for evaluation."""

    lr: float = 2e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.15
    average: float = 0.99
    clip: float = 50.0

    def __post_init__(self) -> None:
        require(self.lr > 0, "lr: above 0", self.lr)
        require(0 < self.warm_up < 1, "warm_up: a share between 0 and 1", self.warm_up)
        require(0 <= self.average < 1, "average: 0 to below 1", self.average)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every specialist has. `method` names the trainer that runs it.

    rows: the subset it is trained on and predicts. scales: fields that differ at a scale, by name of the scale.
    start_from: a recipe whose weights of the same fold this one starts from. runs_at: the scales it is part of.
    """

    method: ClassVar[str]

    name: str
    rows: Rows
    epochs: int = 30
    batch: int = 64
    seed: int = 0
    start_from: str | None = None
    runs_at: tuple[str, ...] = SCALES
    scales: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(self.rows in ("15", "4", "all"), 'rows: "15", "4" or "all"', self.rows)
        require(self.epochs >= 1, "epochs: 1 or more", self.epochs)
        require(self.batch >= 2, "batch: 2 or more (batch normalisation needs two)", self.batch)
        require(set(self.scales) <= set(SCALES), f"scales: names out of {SCALES}", sorted(self.scales))
        require(set(self.runs_at) <= set(SCALES), f"runs_at: names out of {SCALES}", self.runs_at)
        for scale in self.scales:
            self.at(scale)

    def at(self, scale: str) -> Self:
        """This recipe at a scale: the scale's fields put in, and no scales left. TypeError on a misspelt field."""
        return replace(self, **{**self.scales.get(scale, {}), "scales": {}})

    @property
    def subsets(self) -> tuple[int, ...]:
        """The subsets it predicts: (15,), (4,) or both."""
        return SUBSETS if self.rows == "all" else (int(self.rows),)

    def settings(self) -> dict[str, Any]:
        """Every setting as JSON values."""
        return {"method": self.method, **asdict(self)}

    def digest(self) -> str:
        """Sixteen hex digits that change with any setting."""
        return digest_of(self.settings())


@dataclass(frozen=True, kw_only=True)
class LandmarkRecipe(Recipe):
    """A network that sees the whole picture and gives coordinates. See models/ for the architectures.

    warm_start: a folder of solution/weights/ whose network, trained on other faces, is where a fresh one starts, heads
    excepted.
    """

    method: ClassVar[str] = "landmarks"
    schema: ClassVar[Schema] = FACE15

    model: str
    codec: Codec
    model_args: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Augmentation = field(default_factory=Augmentation)
    optimiser: Optimiser = field(default_factory=Optimiser)
    loss: str = "huber"
    warm_start: str | None = None

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "codec": {"kind": type(self.codec).__name__, **asdict(self.codec)}}


@dataclass(frozen=True, kw_only=True)
class Landmark68Recipe(LandmarkRecipe):
    """The same for the 68-point scheme. It learns from other pictures: no scale of the competition's run has it."""

    method: ClassVar[str] = "landmarks68"
    schema: ClassVar[Schema] = FACE68

    rows: Rows = "all"
    runs_at: tuple[str, ...] = ()

    @property
    def subsets(self) -> tuple[int, ...]:
        return (68,)


def require(holds: bool, expected: str, got: object) -> None:
    """ValueError where a setting is not what is expected."""
    if not holds:
        raise ValueError(f"expected {expected}, got {got!r}")
