"""Recipes that train in a fraction of a second: a U-Net, one that starts from it, and a regressor."""

from collections.abc import Sequence

import pytest

from solution import recipes
from solution.codecs import Direct, Heatmap
from solution.ensemble import selection
from solution.ensemble.config import EnsembleConfig, StackerConfig
from solution.recipe import LandmarkRecipe, Recipe

UNET = {"widths": (4, 8, 8), "depth": 1, "stride": 4}

BASE = LandmarkRecipe(
    name="base", model="unet", rows="all", codec=Heatmap(size=24), model_args=UNET, epochs=1, batch=16
)
CHILD = LandmarkRecipe(
    name="child",
    model="unet",
    rows="15",
    codec=Heatmap(size=24),
    model_args=UNET,
    parent="base",
    epochs=1,
    batch=16,
)
OTHER = LandmarkRecipe(
    name="other",
    model="regressor",
    rows="4",
    codec=Direct(),
    model_args={"widths": (4, 8), "hidden": 8},
    loss="huber",
    epochs=1,
    batch=16,
)
ALL = (BASE, CHILD, OTHER)


def stand_in(patch: pytest.MonkeyPatch, chosen: Sequence[Recipe]) -> None:
    """Let these recipes be all there are, and keep the stack's trees few."""
    by_name = {recipe.name: recipe for recipe in chosen}
    real = recipes.load
    patch.setattr(recipes, "names", lambda: tuple(sorted(by_name)))
    patch.setattr(recipes, "load", lambda name: by_name[name] if name in by_name else real(name))
    patch.setattr(selection, "CONFIG", EnsembleConfig(stacker=StackerConfig(rounds=10)))
