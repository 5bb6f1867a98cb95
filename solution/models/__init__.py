"""The architectures, one a file, found by file name. Each has `build(points, codec, **model_args) -> nn.Module`.

The module takes standardised pictures (B, 1, 96, 96) and gives the codec's raw output for `points` points.
"""

from importlib import import_module
from pkgutil import iter_modules

from torch import nn

from solution.recipe import LandmarkRecipe
from solution.runtime.errors import UserError


def names() -> list[str]:
    """Every architecture's name."""
    return sorted(module.name for module in iter_modules(__path__))


def build(recipe: LandmarkRecipe, points: int) -> nn.Module:
    """The recipe's architecture for a number of points, freshly initialised."""
    if recipe.model not in names():
        raise UserError(f"recipe {recipe.name}: model {recipe.model!r}: expected one of {', '.join(names())}")
    return import_module(f"{__name__}.{recipe.model}").build(points, recipe.codec, **recipe.model_args)
