"""How time and memory grow: with the number of faces, of folds, and of trainings at once; and by what power."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solution import pipeline
from solution.data.folds import make_folds
from solution.data.reader import read_competition
from solution.ensemble import selection
from solution.recipe import Recipe
from solution.runtime.artifacts import write_json
from solution.runtime.device import cores
from solution.runtime.workers import local
from solution.specialists.job import METHODS
from solution.specialists.training import Training
from solution.studies.benchmarks.setup import BenchmarkSetup, Size, of_both, silence, stacked
from solution.studies.benchmarks.timer import FamilyMemory, peak_memory

FACES = (750, 1500, 3000, 6000)
FOLDS = (2, 3, 5, 10)
ROWS = 1500
"""Faces where it is not their number that changes."""

QUICK_FACES, QUICK_FOLDS, QUICK_ROWS = (60, 120), (2, 3), 60


@dataclass(frozen=True)
class Point:
    """One size, and the seconds and MiB that it took."""

    size: int
    seconds: float
    memory: float


@dataclass(frozen=True)
class Curve:
    """One thing against sizes. against: "faces", "folds" or "trainings at once"."""

    what: str
    against: str
    points: tuple[Point, ...]

    @property
    def exponent(self) -> float:
        """The power of the size that the time grows by: the slope of a straight line through both logarithms."""
        return _slope([point.size for point in self.points], [point.seconds for point in self.points])

    @property
    def memory_exponent(self) -> float:
        """The same of the memory."""
        return _slope([point.size for point in self.points], [point.memory for point in self.points])

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        points = [vars(point) for point in self.points]
        exponents = {"exponent": self.exponent, "memory_exponent": self.memory_exponent}
        return {"what": self.what, "against": self.against, "points": points, **exponents}


def _slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    least = 1e-3 * max(values) or 1.0  # a small one may take no memory to speak of, which has no logarithm
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, least)), 1)[0])


def scaling(shop: BenchmarkSetup, quick: bool) -> Iterator[Curve]:
    """All curves. quick: on next to nothing, to show that it runs."""
    yield from _with_faces(shop, QUICK_FACES if quick else FACES)
    rows = QUICK_ROWS if quick else ROWS
    yield from _with_folds(_sized(shop, replace(shop.size, rows=rows)), QUICK_FOLDS if quick else FOLDS)
    yield _with_jobs(_sized(shop, replace(shop.size, rows=rows)), quick)


def _sized(shop: BenchmarkSetup, size: Size) -> BenchmarkSetup:
    """The same bench with other sizes, in a folder of its own, always on tiled faces."""
    return replace(shop, size=size, folder=shop.folder / f"{size.rows}-{size.folds}", data=None)


def _with_faces(shop: BenchmarkSetup, sizes: Sequence[int]) -> Iterator[Curve]:
    shops = [_sized(shop, replace(shop.size, rows=rows)) for rows in sizes]
    for what, measure in {
        "reading": _read,
        "folds": _deal,
        "training, one epoch": _train,
        "stack": _stack,
        "report": _report,
    }.items():
        yield Curve(what, "faces", tuple(_point(one.size.rows, measure(one), one) for one in shops))


def _with_folds(shop: BenchmarkSetup, counts: Sequence[int]) -> Iterator[Curve]:
    shops = [_sized(shop, replace(shop.size, folds=folds)) for folds in counts]
    for what, measure in {"training, one epoch of all folds": _train_all, "stack": _stack}.items():
        yield Curve(what, "folds", tuple(_point(one.size.folds, measure(one), one) for one in shops))


def _point(size: int, call: Callable[[], object], shop: BenchmarkSetup) -> Point:
    with peak_memory(shop.device) as peak:
        seconds = shop.meter.seconds(call)
    return Point(size, seconds, peak.mib)


def _read(shop: BenchmarkSetup) -> Callable[[], object]:
    cache = shop.folder / "cold"
    shutil.rmtree(cache, ignore_errors=True)
    return partial(read_competition, shop.files, cache)


def _deal(shop: BenchmarkSetup) -> Callable[[], object]:
    return partial(make_folds, shop.fake_data.train)


def _train(shop: BenchmarkSetup) -> Callable[[], object]:
    recipe = of_both(shop.recipes).shortened(1)
    return partial(shop.train, shop.job(recipe, shop.fake_data.train, "epoch"))


def _train_all(shop: BenchmarkSetup) -> Callable[[], object]:
    recipe, faces = of_both(shop.recipes).shortened(1), shop.fake_data.train
    fold = make_folds(faces, shop.size.folds).fold
    jobs = [shop.job(recipe, faces.take(fold != k), f"epoch{k}") for k in range(shop.size.folds)]

    def train_each() -> None:
        for job in jobs:
            shop.train(job)

    return train_each


def _stack(shop: BenchmarkSetup) -> Callable[[], object]:
    shutil.rmtree(selection.folder_of(shop.run), ignore_errors=True)
    return partial(stacked, shop.run)


def _report(shop: BenchmarkSetup) -> Callable[[], object]:
    stacked(shop.run)

    def call() -> None:
        with silence():
            pipeline.report(shop.run)

    return call


def _with_jobs(shop: BenchmarkSetup, quick: bool) -> Curve:
    """The same trainings by one, two, … workers, up to twice the cores. Their start is not in the time."""
    most = 2 if quick else 2 * cores()
    read_competition(shop.files, shop.folder / "cache")
    counts = [2**power for power in range(most.bit_length()) if 2**power <= most]
    points = [_at_once(shop, count, most) for count in counts]
    return Curve(f"{most} trainings of one epoch", "trainings at once", tuple(points))


def _at_once(shop: BenchmarkSetup, workers: int, trainings: int) -> Point:
    """From the first training's beginning to the last one's end; memory of all processes together."""
    spots = shop.folder / f"spots{workers}"
    recipe = of_both(shop.recipes).shortened(1)
    jobs = [EpochJob(str(i), shop.files, shop.folder / "cache", recipe, spots / str(i)) for i in range(trainings)]
    with FamilyMemory() as memory:
        local.run(jobs, [str(shop.device)] * workers)
    spans = [json.loads(path.read_text(encoding="utf-8")) for path in spots.glob("*/span.json")]
    return Point(workers, max(end for _, end in spans) - min(begin for begin, _ in spans), memory.mib)


@dataclass(frozen=True)
class EpochJob:
    """One epoch on all labelled faces, and a file that says when it began and ended."""

    name: str
    files: Path
    cache: Path
    recipe: Recipe
    folder: Path
    kind: str = "epoch"
    after: frozenset[str] = frozenset()

    def is_complete(self) -> bool:
        """Never: what it measures is the training."""
        return False

    def run(self, device: torch.device) -> float:
        """Train; the seconds that it took."""
        faces = read_competition(self.files, self.cache).train
        self.folder.mkdir(parents=True, exist_ok=True)
        began = time.time()
        none = faces.take(slice(0, 0))
        METHODS[self.recipe.method].train(Training(self.recipe, 0, self.folder, faces, none, device, {}))
        ended = time.time()
        write_json(self.folder / "span.json", [began, ended])
        return ended - began
