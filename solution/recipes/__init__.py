"""The specialists, one a file, found by file name. Each file has a `RECIPE` of its own name."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from solution.recipe import Recipe
from solution.runtime.errors import UserError, suggestion


@cache
def names() -> tuple[str, ...]:
    """Every specialist's name, sorted."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def load(name: str) -> Recipe:
    """The recipe of that name. UserError with the nearest name if there is none."""
    if name not in names():
        hint = suggestion(name, names()) or f"There are: {', '.join(names())}."
        raise UserError(f"recipe {name!r}: expected a file solution/recipes/{name}.py, found none. {hint}")
    recipe = import_module(f"{__name__}.{name}").RECIPE
    if recipe.name != name:
        raise UserError(f"solution/recipes/{name}.py: expected a recipe of that name, got {recipe.name!r}")
    return recipe


def load_all() -> list[Recipe]:
    """Every recipe, each after the one it starts from."""
    waiting = {name: load(name) for name in names()}
    ordered: list[Recipe] = []
    while waiting:
        placed = {recipe.name for recipe in ordered}
        ready = [r for r in waiting.values() if r.parent is None or r.parent in placed]
        if not ready:
            raise UserError(f"recipes {', '.join(waiting)}: parent names no recipe, or the parents form a circle")
        for recipe in ready:
            ordered.append(waiting.pop(recipe.name))
    return ordered
