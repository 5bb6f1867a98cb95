"""The earlier systems, one a file, found by file name: each file holds an `ANCESTOR` of its own name."""

from importlib import import_module
from pkgutil import iter_modules

from solution.studies.baselines.baseline import Ancestor


def names() -> list[str]:
    """Every ancestor's name, sorted."""
    return sorted(module.name for module in iter_modules(__path__))


def load(name: str) -> Ancestor:
    """The ancestor of that name."""
    return import_module(f"{__name__}.{name}").ANCESTOR
