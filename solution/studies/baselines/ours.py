"""This project's own networks in the comparison: their recipes, with a schedule that follows the time."""

from dataclasses import dataclass, replace
from typing import Any

from solution.recipe import LandmarkRecipe
from solution.recipes import timm_all, unet_all
from solution.studies.ablations import ABLATIONS
from solution.studies.baselines.baseline import Family

SCALE = "cpu"  # the scale whose settings are compared, at any scale of the run: the earlier systems have that size
EPOCHS = 30  # the time ends a training. The schedule has as many steps as these epochs would have had


@dataclass(frozen=True, kw_only=True)
class OurSystem:
    """One of our networks; the fields are those of `System`."""

    name: str
    title: str
    idea: str

    recipe: LandmarkRecipe  # at SCALE, for all subsets

    @property
    def family(self) -> Family:
        return "ours"

    def settings(self) -> dict[str, Any]:
        """The recipe's settings as JSON values."""
        return self.recipe.settings()


def our_systems() -> tuple[OurSystem, ...]:
    """Our joint networks from random weights, and a cascade, which an earlier system had planned."""
    unet, timm = (replace(module.RECIPE.at(SCALE), init_from=None, epochs=EPOCHS) for module in (unet_all, timm_all))
    cascade = ABLATIONS["cascade"].recipe(unet)
    shared = "maps read as the mean of their softmax, Huber loss on coordinates, a head a subset, offset learnt"
    return (
        OurSystem(name="unet_all", title="Our U-Net", idea=f"U-Net of residual blocks; {shared}", recipe=unet),
        OurSystem(
            name="timm_all", title="Our timm network", idea=f"ResNet-D from timm as the way down; {shared}", recipe=timm
        ),
        OurSystem(name="cascade", title="Cascade", idea="our U-Net, then fine networks on crops", recipe=cascade),
    )
