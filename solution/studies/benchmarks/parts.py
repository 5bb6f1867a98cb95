"""The parts of a bench. Each yields its rows; what is timed is what a run calls, not a copy of it."""

import csv
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import solution
from solution import pipeline
from solution.data.reader import read_competition
from solution.ensemble import selection
from solution.recipe import Recipe
from solution.specialists.landmarks.augment import Augmenter
from solution.specialists.training import HISTORY
from solution.studies.benchmarks.inference import ensemble_speed, predicting
from solution.studies.benchmarks.results import MATMUL, PYTHON, Row
from solution.studies.benchmarks.setup import BenchmarkSetup, silence, stacked
from solution.studies.benchmarks.timer import core_seconds, multiply_adds, peak_memory

AUGMENTED = 256


def start(shop: BenchmarkSetup) -> Iterator[Row]:
    """`--help`: what every command costs before it does anything."""
    command = [sys.executable, "-m", "solution", "--help"]
    place = Path(solution.__file__).parents[1]
    call = partial(subprocess.run, command, cwd=place, check=True, capture_output=True)
    yield _timed(shop, call, shop.size.repeats, part="start", name="python -m solution --help", items=1)


def reading(shop: BenchmarkSetup) -> Iterator[Row]:
    """The competition's files: the first time, which leaves a cache, and from then on."""
    caches = iter(range(sys.maxsize))
    folder, parent = shop.files, shop.folder / "caches"
    call = lambda: read_competition(folder, parent / str(next(caches)))  # noqa: E731 - a cold cache every time
    with peak_memory(shop.device) as peak:
        found = call()
    rows = len(found.train) + len(found.test)
    cold = _timed(shop, call, shop.size.few, part="read", name="files, cold", items=rows)
    yield replace(cold, memory=peak.mib)
    shutil.rmtree(parent)
    warm = partial(read_competition, folder, parent / "warm")
    warm()
    yield _timed(shop, warm, shop.size.repeats, part="read", name="cache", items=rows)


def augmentation(shop: BenchmarkSetup) -> Iterator[Row]:
    """Moving, turning and lighting pictures: once for each kind that a recipe asks for."""
    kinds: dict[Any, list[Recipe]] = {}
    for recipe in shop.recipes:
        if recipe.landmarks:
            kinds.setdefault(recipe.landmarks.augmentation, []).append(recipe)
    for settings, users in kinds.items():
        faces = shop.faces(users[0], min(AUGMENTED, shop.size.rows))
        augment = Augmenter(settings)
        augment.seed(0)
        call = partial(augment, faces.images, faces.coords)
        call()
        name = f"as {users[0].name}" + (f" and {len(users) - 1} more" if len(users) > 1 else "")
        yield _timed(shop, call, shop.size.repeats, part="augment", name=name, items=len(faces))


def training(shop: BenchmarkSetup) -> Iterator[Row]:
    """Each recipe's epochs, augmentation and all, by the history that a training writes. The first warms up."""
    for recipe in shop.recipes:
        faces = shop.faces(recipe, shop.size.batches * recipe.batch)
        epochs = shop.size.repeats + 1
        job = shop.job(recipe.shortened(epochs, epochs), faces, f"{recipe.name}-timed")
        before, began, worked = shop.meter.speed(MATMUL), time.perf_counter(), core_seconds()
        with peak_memory(shop.device) as peak:
            shop.train(job)
        busy = (core_seconds() - worked) / (time.perf_counter() - began)
        speed = float(np.mean([before, shop.meter.speed(MATMUL)]))
        for phase, seconds in _epochs(job.folder / HISTORY).items():
            yield Row(
                part="train",
                name=f"{recipe.name} {phase}".strip(),
                seconds=tuple(seconds[1:]),
                items=len(faces),
                reference=MATMUL,
                speed=speed,
                busy=busy,
                multiply_adds=_of_an_epoch(shop, recipe, recipe.phases[phase]) * shop.size.batches,
                memory=peak.mib,
            )


def _epochs(history: Path) -> dict[str, list[float]]:
    """Seconds of each epoch by phase."""
    found: dict[str, list[float]] = {}
    with history.open(encoding="utf-8", newline="") as handle:
        for line in csv.DictReader(handle):
            found.setdefault(line.get("phase", ""), []).append(float(line["seconds"]))
    return found


def _of_an_epoch(shop: BenchmarkSetup, recipe: Recipe, setting: str) -> int:
    """Multiply-adds of one batch: those of two epochs less those of one, so that what comes after them is left out."""
    faces = shop.faces(recipe, recipe.batch)
    counts = [
        multiply_adds(partial(shop.train, shop.job(changed, faces, f"{recipe.name}-{setting}{epochs}")))
        for epochs in (1, 2)
        for changed in [recipe.shortened(1, epochs) if setting == "pretrain_epochs" else recipe.shortened(epochs)]
    ]
    return counts[1] - counts[0]


def stack(shop: BenchmarkSetup) -> Iterator[Row]:
    """The stack stage on all rows: blend, trees, baselines, drift."""
    run = shop.run
    with silence():
        pipeline.data(run)

    def call() -> None:
        shutil.rmtree(selection.folder_of(run), ignore_errors=True)
        stacked(run)

    yield _stage(shop, call, "stack", "stack stage")


def report(shop: BenchmarkSetup) -> Iterator[Row]:
    """What comes after the stack: the checked submissions, and the report."""
    run = shop.run
    stacked(run)
    for name, stage in (("submission stage", pipeline.submission), ("report stage", pipeline.report)):
        yield _stage(shop, partial(_silenced, partial(stage, run)), "report", name)


def _silenced(call: Callable[[], object]) -> None:
    with silence():
        call()


def _stage(shop: BenchmarkSetup, call: Callable[[], object], part: str, name: str) -> Row:
    with peak_memory(shop.device) as peak:
        row = _timed(shop, call, shop.size.few, part=part, name=name, items=shop.size.rows)
    return replace(row, memory=peak.mib)


def _timed(shop: BenchmarkSetup, call: Callable[[], object], repeats: int, **names: Any) -> Row:  # noqa: ANN401 - Row's
    return Row(**shop.meter.time(call, repeats, PYTHON), **names)


PARTS: dict[str, Callable[[BenchmarkSetup], Iterator[Row]]] = {
    "start": start,
    "read": reading,
    "augment": augmentation,
    "train": training,
    "predict": predicting,
    "ensemble": ensemble_speed,
    "stack": stack,
    "report": report,
}
