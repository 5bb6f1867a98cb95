"""How a run was made: data, settings and their digests, training times, and the versions and machine of the report."""

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from solution.ensemble.config import CONFIG
from solution.ensemble.selection import inputs_of
from solution.kaggle.submission import code_version
from solution.recipe import Recipe
from solution.run import Run
from solution.runtime.artifacts import Workspace, digest_of, manifest

LIBRARIES = (
    "torch",
    "timm",
    "lightgbm",
    "scikit-learn",
    "scipy",
    "numpy",
    "pandas",
    "opencv-python-headless",
    "plotly",
)
CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Trainings:
    """The trainings of one recipe."""

    name: str
    digest: str
    settings: Mapping[str, Any]
    """Every setting; those within settings are named by path: optimiser.lr."""

    seconds: tuple[float, ...]
    """Training time of each fold."""

    device: str
    """Where they ran."""

    parent: str | None
    """The recipe whose weights they start from."""


@dataclass(frozen=True)
class Provenance:
    """How a run was made."""

    dataset: Mapping[str, Any]
    """Facts about the data."""

    recipes: tuple[Trainings, ...]
    """Every specialist."""

    stack: Mapping[str, Any]
    """The stack's digest and settings."""

    versions: Mapping[str, str]
    """Of the report; those of the trainings may be others."""

    machine: Mapping[str, Any]
    """Of the report; the trainings may have run elsewhere."""

    @property
    def minutes(self) -> float:
        """Time of all trainings, one after another."""
        return sum(sum(recipe.seconds) for recipe in self.recipes) / 60


def provenance_of(run: Run) -> Provenance:
    """Gather it from the settings, the manifests of the trainings, and this machine."""
    workspace, competition, table = run.workspace, run.competition, run.table
    train, test = competition.train, competition.test
    dataset = {
        "name": workspace.dataset,
        "scale": run.scale,
        "drawn": competition.drawn,
        "digest": competition.digest,
        "folds_digest": digest_of(table.fold.tolist()),
        "folds": table.k,
        "labelled_15": int((train.subset == 15).sum()),
        "labelled_4": int((train.subset == 4).sum()),
        "test": len(test),
        "cells_asked": len(competition.lookup.row_id),
        "share_15": round(competition.weights[15], 4),
    }
    trained = tuple(_made(workspace, recipe, table.k) for recipe in run.recipes)
    return Provenance(dataset, trained, _stack(run), _versions(), _machine())


def _stack(run: Run) -> dict[str, Any]:
    return {"digest": digest_of(inputs_of(run)), **dict(_flat(asdict(CONFIG)))}


def _made(workspace: Workspace, recipe: Recipe, folds: int) -> Trainings:
    manifests = [manifest(workspace.fold(recipe.name, fold)) or {} for fold in range(folds)]
    devices = sorted({str(content.get("device", "unknown")) for content in manifests})
    return Trainings(
        name=recipe.name,
        digest=recipe.digest(),
        settings=dict(_flat(recipe.settings())),
        seconds=tuple(float(content.get("seconds", 0.0)) for content in manifests),
        device=", ".join(devices),
        parent=recipe.parent,
    )


def _flat(settings: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """Settings with those within settings named by path: optimiser.lr."""
    flat: list[tuple[str, Any]] = []
    for key, value in settings.items():
        flat += _flat(value, f"{above}{key}.") if isinstance(value, Mapping) else [(f"{above}{key}", value)]
    return flat


def _versions() -> dict[str, str]:
    code = code_version()
    commit = f", commit {code['commit'][:12]}" if code["commit"] else ""
    version_ = f"{code['version']}{commit}{' with changes' if code['dirty'] else ''}"
    return {"solution": version_, "python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
    }


def _processor() -> str:
    """The processor's name, if the system knows it."""
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"
