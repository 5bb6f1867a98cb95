"""How time and memory grow with the number of faces, of folds, and of trainings at the same time."""

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
from rich.console import Console
from rich.text import Text
from scipy.stats import linregress

from solution import pipeline
from solution.data.folds import make_folds
from solution.data.reader import read_competition
from solution.recipe import Recipe
from solution.runtime.artifacts import write_json
from solution.runtime.device import cores
from solution.runtime.workers import local
from solution.specialists.job import METHODS
from solution.specialists.training import Training
from solution.studies.benchmarks.parts import open_setup
from solution.studies.benchmarks.results import plain_table, wide_console
from solution.studies.benchmarks.setup import BenchmarkSetup, Size, remove_stack, silenced, stacked
from solution.studies.benchmarks.timer import TreeMemory, peak_memory


@dataclass(frozen=True)
class Sizes:
    """The sizes that are measured."""

    faces: tuple[int, ...] = (750, 1500, 3000, 6000)
    folds: tuple[int, ...] = (2, 3, 5, 10)
    rows: int = 1500
    """Number of faces where folds or trainings are varied."""
    trainings: int | None = None
    """Number of trainings, by 1, 2, 4 … workers. None: twice the cores."""


QUICK = Sizes(faces=(60, 120), folds=(2, 3), rows=60, trainings=2)


@dataclass(frozen=True)
class Point:
    """One size with its time and memory."""

    size: int
    seconds: float
    memory: float
    """MiB."""


@dataclass(frozen=True)
class Curve:
    """Time and memory of one thing by size."""

    what: str
    against: str
    """What the size counts: "faces", "folds" or "trainings at once"."""
    points: tuple[Point, ...]

    @property
    def exponent(self) -> float:
        """The time grows as the size to this power."""
        return _slope([point.size for point in self.points], [point.seconds for point in self.points])

    @property
    def memory_exponent(self) -> float:
        """The memory grows as the size to this power."""
        return _slope([point.size for point in self.points], [point.memory for point in self.points])

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        points = [vars(point) for point in self.points]
        exponents = {"exponent": self.exponent, "memory_exponent": self.memory_exponent}
        return {"what": self.what, "against": self.against, "points": points, **exponents}


def _slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the regression line through the logarithms."""
    least = 1e-3 * max(values) or 1.0  # memory may be 0, which has no logarithm
    return float(linregress(np.log(sizes), np.log(np.maximum(values, least))).slope)


def measure_scaling(scale: str, device: torch.device, quick: bool = False) -> tuple[Curve, ...]:
    """Measure all curves. quick: with very few faces, as a test."""
    sizes = QUICK if quick else Sizes()
    with open_setup(scale, device, None, quick) as setup:
        small = _resized(setup, replace(setup.size, rows=sizes.rows))
        return (*by_faces(setup, sizes.faces), *by_folds(small, sizes.folds), _by_workers(small, sizes.trainings))


def _resized(setup: BenchmarkSetup, size: Size) -> BenchmarkSetup:
    """The same setup for another size, in its own folder, with artificial files."""
    return replace(setup, size=size, folder=setup.folder / f"{size.rows}-{size.folds}", data=None)


def by_faces(setup: BenchmarkSetup, sizes: Sequence[int]) -> Iterator[Curve]:
    """The curves by number of faces."""
    setups = [_resized(setup, replace(setup.size, rows=rows)) for rows in sizes]
    parts = {"reading": _read, "folds": _fold, "training, one epoch": _train, "stack": _stack, "report": _report}
    for what, prepare in parts.items():
        yield Curve(what, "faces", tuple(_point(each.size.rows, prepare(each), each) for each in setups))


def by_folds(setup: BenchmarkSetup, counts: Sequence[int]) -> Iterator[Curve]:
    """The curves by number of folds."""
    setups = [_resized(setup, replace(setup.size, folds=folds)) for folds in counts]
    for what, prepare in {"training, one epoch of all folds": _train_folds, "stack": _stack}.items():
        yield Curve(what, "folds", tuple(_point(each.size.folds, prepare(each), each) for each in setups))


def _point(size: int, call: Callable[[], object], setup: BenchmarkSetup) -> Point:
    with peak_memory(setup.device) as peak:
        seconds = setup.meter.seconds(call)
    return Point(size, seconds, peak.mib)


# Each of these prepares a measurement and returns the call to measure.


def _read(setup: BenchmarkSetup) -> Callable[[], object]:
    cache = setup.folder / "cold"
    shutil.rmtree(cache, ignore_errors=True)
    return partial(read_competition, setup.files, cache)


def _fold(setup: BenchmarkSetup) -> Callable[[], object]:
    return partial(make_folds, setup.fake_data.train)


def _train(setup: BenchmarkSetup) -> Callable[[], object]:
    recipe = setup.joint_recipe.shortened(1)
    return partial(setup.train, setup.training(recipe, setup.fake_data.train, "epoch"))


def _train_folds(setup: BenchmarkSetup) -> Callable[[], object]:
    recipe, faces = setup.joint_recipe.shortened(1), setup.fake_data.train
    fold = make_folds(faces, setup.size.folds).fold
    trainings = [setup.training(recipe, faces.take(fold != k), f"epoch{k}") for k in range(setup.size.folds)]
    return lambda: [setup.train(training) for training in trainings]


def _stack(setup: BenchmarkSetup) -> Callable[[], object]:
    remove_stack(setup.run)
    return partial(stacked, setup.run)


def _report(setup: BenchmarkSetup) -> Callable[[], object]:
    stacked(setup.run)
    return partial(silenced, pipeline.report, setup.run)


def _by_workers(setup: BenchmarkSetup, trainings: int | None) -> Curve:
    """The same trainings by 1, 2, 4 … workers. The start of the workers is not in the time."""
    trainings = trainings or 2 * cores()
    read_competition(setup.files, setup.folder / "cache")
    counts = [2**power for power in range(trainings.bit_length()) if 2**power <= trainings]
    points = [_with_workers(setup, count, trainings) for count in counts]
    return Curve(f"{trainings} trainings of one epoch", "trainings at once", tuple(points))


def _with_workers(setup: BenchmarkSetup, workers: int, trainings: int) -> Point:
    """The time from the first training's start to the last one's end, and the memory of all processes."""
    folder, recipe = setup.folder / f"workers{workers}", setup.joint_recipe.shortened(1)
    cache = setup.folder / "cache"
    jobs = [EpochJob(f"epoch/{i}", setup.files, cache, recipe, folder / str(i)) for i in range(trainings)]
    with TreeMemory() as memory:
        local.run(jobs, [str(setup.device)] * workers)
    spans = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/span.json")]
    return Point(workers, max(end for _, end in spans) - min(began for began, _ in spans), memory.mib)


@dataclass(frozen=True)
class EpochJob:
    """One epoch on all labelled faces. It writes when it began and ended."""

    name: str
    files: Path
    cache: Path
    recipe: Recipe
    folder: Path
    after: frozenset[str] = frozenset()

    def is_complete(self) -> bool:
        """Never complete, because the training itself is measured."""
        return False

    def run(self, device: torch.device) -> float:
        """Train. Returns the seconds."""
        faces = read_competition(self.files, self.cache).train
        self.folder.mkdir(parents=True, exist_ok=True)
        began = time.time()
        none = faces.take(slice(0, 0))
        METHODS[self.recipe.method].train(Training(self.recipe, 0, self.folder, faces, none, device, {}))
        ended = time.time()
        write_json(self.folder / "span.json", [began, ended])
        return ended - began


def show(curves: Sequence[Curve], console: Console | None = None) -> None:
    """Print time and memory by size, and the fitted powers."""
    console = console or wide_console()
    for curve in curves:
        table = plain_table(
            f"{curve.what}, by {curve.against}", *(f"{point.size:,}" for point in curve.points), "power"
        )
        table.add_row("seconds", *(f"{point.seconds:.2f}" for point in curve.points), f"{curve.exponent:.2f}")
        memory = [f"{point.memory:.0f}" for point in curve.points]
        table.add_row("memory, MiB", *memory, f"{curve.memory_exponent:.2f}")
        console.print(table)
    console.print(Text("power: the value grows as the size to this power. 1: in proportion to it. 0: not at all."))
