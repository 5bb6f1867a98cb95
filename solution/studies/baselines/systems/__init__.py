"""The earlier systems, one a file, found by file name. Each file has a `SYSTEM` of that name."""

from importlib import import_module
from pkgutil import iter_modules

from solution.studies.baselines.baseline import System


def names() -> list[str]:
    """Every earlier system's name, sorted."""
    return sorted(module.name for module in iter_modules(__path__))


def load(name: str) -> System:
    """The earlier system of that name."""
    return import_module(f"{__name__}.{name}").SYSTEM
