"""The settings of the patch classifier."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from solution.keypoints import FACE4
from solution.recipe import Recipe, require

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

    @classmethod
    def restored(cls, settings: dict[str, Any]) -> Self:
        """The recipe that `settings()` described. TypeError where it described another kind."""
        given: dict[str, Any] = {name: value for name, value in settings.items() if name != "method"}
        given |= {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
        return cls(**given)
