"""A specialist's settings as typed, frozen values, which are checked when made."""

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
    """How a training picture is varied. Every range is symmetric around no change."""

    mirror: bool = True
    rotation: float = 15.0  # degrees
    scale: float = 0.12  # share of the size
    shift: float = 0.06  # share of the width
    elastic: float = 0.0  # elastic deformation of half of the pictures, px rms an axis
    light: float = 0.2  # share of the contrast and brightness

    def __post_init__(self) -> None:
        require(0 <= self.rotation <= 180, "rotation: 0 to 180 degrees", self.rotation)
        require(self.elastic >= 0, "elastic: 0 or more pixels", self.elastic)
        require_shares(self, "scale", "shift", "light")


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """AdamW under a one-cycle schedule, with an exponential moving average of the weights for evaluation."""

    lr: float = 2e-3  # at the peak
    weight_decay: float = 1e-2
    warm_up: float = 0.15  # share of the steps before the peak
    average: float = 0.99  # share of the average that a step keeps
    clip: float = 50.0  # the largest norm of the gradient

    def __post_init__(self) -> None:
        require(self.lr > 0, "lr: above 0", self.lr)
        require(0 < self.warm_up < 1, "warm_up: a share between 0 and 1", self.warm_up)
        require_shares(self, "average")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of every specialist. `digest()` changes with any of them."""

    method: ClassVar[str]
    """Names the functions that train it and predict: `METHODS` in specialists/job.py."""

    name: str
    rows: Rows  # the subset that it is trained on and predicts
    epochs: int = 30
    batch: int = 64
    seed: int = 0
    parent: str | None = None  # the recipe whose weights of the same fold this one starts from
    runs_at: tuple[str, ...] = SCALES
    scales: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # fields that differ, by scale

    def __post_init__(self) -> None:
        require(self.rows in ("15", "4", "all"), 'rows: "15", "4" or "all"', self.rows)
        require(self.epochs >= 1, "epochs: 1 or more", self.epochs)
        require(self.batch >= 2, "batch: 2 or more (batch normalisation needs two)", self.batch)
        require(set(self.scales) <= set(SCALES), f"scales: names out of {SCALES}", sorted(self.scales))
        require(set(self.runs_at) <= set(SCALES), f"runs_at: names out of {SCALES}", self.runs_at)
        for scale in self.scales:
            self.at(scale)

    def at(self, scale: str) -> Self:
        """This recipe with the fields of a scale, and without `scales`. TypeError if a field is misspelt."""
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
        """The subsets that it predicts: (15,), (4,) or both."""
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
    """A network that reads coordinates from the whole picture."""

    method: ClassVar[str] = "landmarks"
    schema: ClassVar[Schema] = FACE15

    model: str  # an architecture: a file of models/
    codec: Codec
    model_args: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Augmentation = field(default_factory=Augmentation)
    optimiser: Optimiser = field(default_factory=Optimiser)
    loss: str = "huber"
    init_from: str | None = None  # a folder of solution/weights/: a network of other faces, taken without its heads

    @property
    def landmarks(self) -> "LandmarkRecipe":
        return self

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "codec": {"kind": self.codec.kind, **asdict(self.codec)}}


@dataclass(frozen=True, kw_only=True)
class Landmark68Recipe(LandmarkRecipe):
    """The same for the 68-point schema. It learns from other pictures, so no scale of the competition's run has it."""

    method: ClassVar[str] = "landmarks68"
    schema: ClassVar[Schema] = FACE68

    rows: Rows = "all"
    runs_at: tuple[str, ...] = ()

    @property
    def subsets(self) -> tuple[int, ...]:
        return (68,)


def require(holds: bool, expected: str, got: object) -> None:
    """ValueError if a setting is not as expected."""
    if not holds:
        raise ValueError(f"expected {expected}, got {got!r}")


def require_shares(settings: object, *names: str) -> None:
    """ValueError if one of these fields is not from 0 to below 1."""
    for name in names:
        require(0 <= getattr(settings, name) < 1, f"{name}: 0 to below 1", getattr(settings, name))


POINTS = FACE4.points
"""The points that are classes, in order. "Elsewhere" is the last class."""

SMALLEST_PATCH = 17
"""The receptive field of two strided layers and the head, in pixels. Each layer between them adds `PATCH_STEP`."""

PATCH_STEP = 8


@dataclass(frozen=True, kw_only=True)
class PatchRecipe(Recipe):
    """A classifier of patches: left eye, right eye, nose, mouth or elsewhere.

    Its encoder is first trained as a denoising autoencoder. A patch d pixels off a point is of that point's class with
    probability exp(-d²/2 softness²). Both phases use AdamW with one cycle of the learning rate.
    """

    method: ClassVar[str] = "patches"

    patch: int = 41  # side in pixels; it sets the depth
    channels: tuple[int, int] = (16, 48)  # of the first layer and of all later ones
    masked: float = 0.25  # share of the autoencoder's 4x4 squares that are set to the mean
    noise: float = 0.1  # standard deviation of the noise on its input; 1 is the picture's contrast
    pretrain_epochs: int = 2
    pretrain_patches: int = 4  # patches of a face and epoch, anywhere
    pretrain_lr: float = 1e-3  # at the peak
    softness: float = 3.0  # px
    jitter: float = 2.0  # px; the patch at each of the four points is moved by up to this
    near: int = 3  # patches of a face and epoch up to `miss` pixels off a point
    miss: float = 14.0
    far: int = 3  # patches of a face and epoch anywhere
    mirror: bool = True
    rotation: float = 12.0  # degrees
    scale: float = 0.1  # share of the size
    light: float = 0.2  # share of the contrast and brightness
    lr: float = 4e-3  # at the peak
    weight_decay: float = 1e-2
    warm_up: float = 0.15  # share of the steps before the peak
    fit_faces: int = 2000  # faces, about, on which the correction and sigma are fitted

    def __post_init__(self) -> None:
        depth, rest = divmod(self.patch - SMALLEST_PATCH, PATCH_STEP)
        require(depth >= 0 and rest == 0, f"patch: {SMALLEST_PATCH} plus a multiple of {PATCH_STEP}", self.patch)
        require(min(self.channels) >= 1, "channels: two counts of 1 or more", self.channels)
        require_shares(self, "masked", "scale", "light")
        for name in ("noise", "pretrain_epochs", "jitter", "near", "far"):
            require(getattr(self, name) >= 0, f"{name}: 0 or more", getattr(self, name))
        for name in ("pretrain_patches", "fit_faces"):
            require(getattr(self, name) >= 1, f"{name}: 1 or more", getattr(self, name))
        for name in ("softness", "miss", "lr", "pretrain_lr"):
            require(getattr(self, name) > 0, f"{name}: above 0", getattr(self, name))
        require(0 <= self.rotation <= 180, "rotation: 0 to 180 degrees", self.rotation)
        require(0 < self.warm_up < 1, "warm_up: a share between 0 and 1", self.warm_up)
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
        """The recipe of these `settings()`. TypeError if they are of another kind."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
        del fields["method"]
        return cls(**fields)
