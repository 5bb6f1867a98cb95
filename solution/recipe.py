"""A specialist's settings as typed, frozen values, checked when made. `digest()` names what was made from them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np

from solution.codecs import Codec
from solution.keypoints import FACE4, FACE15, FACE68, IN_FOUR, SUBSETS, Schema
from solution.keypoints import POINTS as POINTS_OF
from solution.runtime.artifacts import digest_of

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
    parent: a recipe whose weights of the same fold this one starts from. runs_at: the scales it is part of.
    """

    method: ClassVar[str]

    name: str
    rows: Rows
    epochs: int = 30
    batch: int = 64
    seed: int = 0
    parent: str | None = None
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
    def landmarks(self) -> "LandmarkRecipe | None":
        """This recipe if it is a network that sees the whole picture, else None."""
        return None

    @property
    def phases(self) -> dict[str, str]:
        """The setting that counts the epochs of each phase, by the phase's name in the history."""
        return {"": "epochs"}

    def shortened(self, epochs: int, pretrain: int = 1) -> Self:
        """The recipe with fewer epochs, for measurements of speed. pretrain: of a phase before, if there is one."""
        return replace(self, epochs=epochs)

    @property
    def subsets(self) -> tuple[int, ...]:
        """The subsets it predicts: (15,), (4,) or both."""
        return SUBSETS if self.rows == "all" else (int(self.rows),)

    def points(self, subset: int) -> np.ndarray:
        """The numbers of the points that its network predicts for faces of this subset."""
        return POINTS_OF[subset]

    def settings(self) -> dict[str, Any]:
        """Every setting as JSON values."""
        return {"method": self.method, **asdict(self)}

    def digest(self) -> str:
        """Sixteen hex digits that change with any setting."""
        return digest_of(self.settings())


@dataclass(frozen=True, kw_only=True)
class LandmarkRecipe(Recipe):
    """A network that sees the whole picture and gives coordinates. See models/ for the architectures.

    init_from: a folder of solution/weights/ whose network, trained on other faces, is where a fresh one starts, heads
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
    init_from: str | None = None

    @property
    def landmarks(self) -> "LandmarkRecipe":
        return self

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "codec": {"kind": self.codec.kind, **asdict(self.codec)}}


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


POINTS = FACE4.points
"""The points with a class of their own, in the order of the classes; "elsewhere" comes last."""

SMALLEST_PATCH = 17
"""What two strided layers and the head see, in pixels; each layer between them adds `PATCH_STEP`."""

PATCH_STEP = 8


@dataclass(frozen=True, kw_only=True)
class PatchRecipe(Recipe):
    """A denoising autoencoder on patches, whose encoder then tells five classes of patches apart.

    patch: side in pixels, which sets the depth. channels: of the first layer and of all later ones. masked, noise: how
    the autoencoder's input is spoilt (share of 4x4 squares put to the mean; standard deviation of the added noise, 1 =
    the picture's contrast). softness: a patch d pixels off a point is that point's class with probability
    exp(-d²/2 softness²). Patches cut from a face in an epoch: `pretrain_patches` anywhere; for the classes, one at
    each of the four points (give or take `jitter` pixels), `near` near misses up to `miss` pixels off, and `far`
    anywhere. rotation in degrees, scale and light as shares. pretrain_lr, lr: peaks of one cycle each, with AdamW,
    `warm_up` the share spent rising. fit_faces: about how many faces teach the correction and the spread.
    """

    method: ClassVar[str] = "patches"

    patch: int = 41
    channels: tuple[int, int] = (16, 48)
    masked: float = 0.25
    noise: float = 0.1
    pretrain_epochs: int = 2
    pretrain_patches: int = 4
    pretrain_lr: float = 1e-3
    softness: float = 3.0
    jitter: float = 2.0
    near: int = 3
    miss: float = 14.0
    far: int = 3
    mirror: bool = True
    rotation: float = 12.0
    scale: float = 0.1
    light: float = 0.2
    lr: float = 4e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.15
    fit_faces: int = 2000

    def __post_init__(self) -> None:
        depth, rest = divmod(self.patch - SMALLEST_PATCH, PATCH_STEP)
        require(depth >= 0 and rest == 0, f"patch: {SMALLEST_PATCH} plus a multiple of {PATCH_STEP}", self.patch)
        require(min(self.channels) >= 1, "channels: two counts of 1 or more", self.channels)
        require(0 <= self.masked < 1, "masked: 0 to below 1", self.masked)
        require(self.noise >= 0, "noise: 0 or more", self.noise)
        require(self.pretrain_epochs >= 0, "pretrain_epochs: 0 or more", self.pretrain_epochs)
        require(self.pretrain_patches >= 1, "pretrain_patches: 1 or more", self.pretrain_patches)
        require(self.softness > 0, "softness: above 0 pixels", self.softness)
        require(self.jitter >= 0, "jitter: 0 or more pixels", self.jitter)
        require(min(self.near, self.far) >= 0, "near and far: 0 or more patches", (self.near, self.far))
        require(self.miss > 0, "miss: above 0 pixels", self.miss)
        require(0 <= self.rotation <= 180, "rotation: 0 to 180 degrees", self.rotation)
        require(0 <= self.scale < 1, "scale: 0 to below 1", self.scale)
        require(0 <= self.light < 1, "light: 0 to below 1", self.light)
        require(min(self.lr, self.pretrain_lr) > 0, "lr and pretrain_lr: above 0", (self.lr, self.pretrain_lr))
        require(0 < self.warm_up < 1, "warm_up: a share between 0 and 1", self.warm_up)
        require(self.fit_faces >= 1, "fit_faces: 1 or more", self.fit_faces)
        super().__post_init__()

    @property
    def depth(self) -> int:
        """Number of 3x3 layers of stride 1 in the encoder."""
        return (self.patch - SMALLEST_PATCH) // PATCH_STEP

    @property
    def phases(self) -> dict[str, str]:
        return {"pretrain": "pretrain_epochs", "classes": "epochs"}

    def shortened(self, epochs: int, pretrain: int = 1) -> Self:
        return replace(self, epochs=epochs, pretrain_epochs=pretrain, fit_faces=1)

    def points(self, subset: int) -> np.ndarray:
        return IN_FOUR

    @classmethod
    def restored(cls, settings: dict[str, Any]) -> Self:
        """The recipe that `settings()` described. TypeError where it described another kind."""
        given: dict[str, Any] = {name: value for name, value in settings.items() if name != "method"}
        given |= {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
        return cls(**given)
