"""The parts of a benchmark. Each calls what a run calls, and yields its rows."""

import logging
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import solution
from solution import pipeline
from solution.data.reader import read_competition
from solution.faces import FaceSet, Predictions
from solution.recipe import LandmarkRecipe, Recipe
from solution.runtime.device import LOG, cores, set_threads, take_device
from solution.runtime.errors import UserError, suggestion
from solution.specialists.job import METHODS
from solution.specialists.landmarks.augment import Augmenter
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.landmarks.predict import CONFIG, QUICK, PredictionConfig, predict_with
from solution.specialists.training import HISTORY
from solution.studies.benchmarks.results import MATMUL, PYTHON, Measured, Row
from solution.studies.benchmarks.setup import SMALL, BenchmarkSetup, Size, remove_stack, silenced, stacked
from solution.studies.benchmarks.timer import core_seconds, machine, multiply_adds, peak_memory

Predict = Callable[[FaceSet], Predictions]

AUGMENTED = 256
"""Faces that are augmented in one call."""

ALL_VIEWS = replace(CONFIG, crop_search=None)
"""The six views of a run. `QUICK` has two: the plain and the mirrored picture."""


def check_parts(names: Sequence[str]) -> tuple[str, ...]:
    """The parts of these names, all if there is no name. UserError if there is no such part."""
    for name in names:
        if name not in PARTS:
            hint = suggestion(name, PARTS)
            raise UserError(f"--only {name}: expected one of {', '.join(PARTS)}. {hint}".strip())
    return tuple(name for name in PARTS if not names or name in names)


def measure(
    scale: str, device: torch.device, names: Sequence[str] = (), data: Path | None = None, quick: bool = False
) -> Measured:
    """Measure the named parts, or all. Ctrl-C ends it with the rows until then.

    data: a folder with the competition's files, which are read instead of artificial ones.
    """
    parts = check_parts(names)
    with open_setup(scale, device, data, quick) as setup:
        facts = {**machine(setup.device), "scale": scale, "quick": quick, "data": str(data) if data else "tiled"}
        rows: list[Row] = []
        facts["stopped_in"] = None
        for part in parts:
            LOG.warning("Benchmark: %s", part)
            try:
                rows.extend(PARTS[part](setup))  # a list keeps what came before an exception
            except KeyboardInterrupt:
                facts["stopped_in"] = part
                break
    return Measured(facts, tuple(rows))


@contextmanager
def open_setup(scale: str, device: torch.device, data: Path | None, quick: bool) -> Iterator[BenchmarkSetup]:
    """A setup in a temporary folder, with one thread as in a training, and without the log lines of trainings."""
    before = LOG.level, torch.get_num_threads()
    set_threads(1)
    taken = take_device("cuda:0" if device.type == "cuda" and device.index is None else str(device))
    LOG.setLevel(logging.WARNING)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield BenchmarkSetup(Path(folder), scale, taken, SMALL if quick else Size(), data)
    finally:
        LOG.setLevel(before[0])
        set_threads(before[1])


def start(setup: BenchmarkSetup) -> Iterator[Row]:
    """`--help`: the time that every command takes before it does anything."""
    command = [sys.executable, "-m", "solution", "--help"]
    folder = Path(solution.__file__).parents[1]
    call = partial(subprocess.run, command, cwd=folder, check=True, capture_output=True)
    yield _timed(setup, call, setup.size.repeats, part="start", name="python -m solution --help", items=1)


def reading(setup: BenchmarkSetup) -> Iterator[Row]:
    """The competition's files, without and with the cache that the first reading leaves."""
    numbers = iter(range(sys.maxsize))
    caches = setup.folder / "caches"
    call = lambda: read_competition(setup.files, caches / str(next(numbers)))  # noqa: E731 - a new cache every time
    with peak_memory(setup.device) as peak:
        competition = call()
    rows = len(competition.train) + len(competition.test)
    cold = _timed(setup, call, setup.size.slow_repeats, part="read", name="files, cold", items=rows)
    yield replace(cold, memory=peak.mib)
    shutil.rmtree(caches)
    warm = partial(read_competition, setup.files, caches / "warm")
    warm()
    yield _timed(setup, warm, setup.size.repeats, part="read", name="cache", items=rows)


def augmentation(setup: BenchmarkSetup) -> Iterator[Row]:
    """Augmentation, once for each different setting of the recipes."""
    users: dict[Any, list[Recipe]] = {}
    for recipe in setup.recipes:
        if recipe.landmarks:
            users.setdefault(recipe.landmarks.augmentation, []).append(recipe)
    for settings, (first, *others) in users.items():
        faces = setup.faces(first, min(AUGMENTED, setup.size.rows))
        augment = Augmenter(settings)
        augment.seed(0)
        call = partial(augment, faces.images, faces.coords)
        call()
        name = f"as {first.name}" + (f" and {len(others)} more" if others else "")
        yield _timed(setup, call, setup.size.repeats, part="augment", name=name, items=len(faces))


def training(setup: BenchmarkSetup) -> Iterator[Row]:
    """The epochs of each recipe, as the history of a training times them. The first epoch warms up."""
    for recipe in setup.recipes:
        faces = setup.faces(recipe, setup.size.batches * recipe.batch)
        epochs = setup.size.repeats + 1
        timed = setup.training(recipe.shortened(epochs, epochs), faces, f"{recipe.name}-timed")
        speed, began, worked = setup.meter.speed(MATMUL), time.perf_counter(), core_seconds()
        with peak_memory(setup.device) as peak:
            setup.train(timed)
        busy = (core_seconds() - worked) / (time.perf_counter() - began)
        speed = (speed + setup.meter.speed(MATMUL)) / 2
        history = pd.read_csv(timed.folder / HISTORY)
        phases = history["phase"].fillna("") if "phase" in history else pd.Series("", history.index)
        for phase, seconds in history.groupby(phases, sort=False)["seconds"]:
            yield Row(
                part="train",
                name=f"{recipe.name} {phase}".strip(),
                seconds=tuple(seconds.tolist()[1:]),
                items=len(faces),
                reference=MATMUL,
                speed=speed,
                busy=busy,
                multiply_adds=_of_a_batch(setup, recipe, recipe.phases[str(phase)]) * setup.size.batches,
                memory=peak.mib,
            )


def _of_a_batch(setup: BenchmarkSetup, recipe: Recipe, setting: str) -> int:
    """Multiply-adds of an epoch of one batch: those of two epochs minus those of one. What follows them cancels out."""
    faces, counts = setup.faces(recipe, recipe.batch), []
    for epochs in (1, 2):
        changed = recipe.shortened(1, epochs) if setting == "pretrain_epochs" else recipe.shortened(epochs)
        counted = setup.training(changed, faces, f"{recipe.name}-{setting}{epochs}")
        counts.append(multiply_adds(partial(setup.train, counted)))
    return counts[1] - counts[0]


def predicting(setup: BenchmarkSetup) -> Iterator[Row]:
    """Each recipe on one thread: from a trained folder with all views as in a run, and with two views."""
    for recipe in setup.recipes:
        faces, folder = setup.faces(recipe, setup.size.faces), setup.trained(recipe)
        views = 2 * len(CONFIG.tta_shifts) if recipe.landmarks else 2
        calls = {views: partial(METHODS[recipe.method].predict, folder, faces, setup.device)}
        if recipe.landmarks:
            calls[2] = partial(_network(setup, recipe.landmarks, QUICK), faces)
        for number, call in calls.items():
            with peak_memory(setup.device) as peak:
                call()
            timing, counted = setup.meter.time(call, setup.size.repeats, MATMUL), multiply_adds(call)
            name = f"{recipe.name}, {number} views"
            yield Row(part="predict", name=name, items=len(faces), multiply_adds=counted, memory=peak.mib, **timing)


def _network(setup: BenchmarkSetup, recipe: LandmarkRecipe, config: PredictionConfig) -> Predict:
    """A network with random weights, which is as slow as a trained one."""
    net = LandmarkNet(recipe).to(setup.device).to(memory_format=torch.channels_last)
    return lambda faces: predict_with(net, LabelOffset(), faces, setup.device, recipe.name, config)


def ensemble_speed(setup: BenchmarkSetup) -> Iterator[Row]:
    """All networks of one fold, and of all folds, on all cores. As in a run, each predicts the faces of its subsets.

    Each core has one thread and an equal share of the faces.
    """
    faces = setup.faces(setup.joint_recipe, setup.size.faces)
    threads = 1 if setup.device.type == "cuda" else cores()
    for config in (QUICK, ALL_VIEWS):
        networks = [(recipe, _predict_of(setup, recipe, config)) for recipe in setup.recipes]
        for folds in (1, setup.size.folds):
            call = partial(_predict_all, networks * folds, faces, threads)
            call()
            timing = setup.meter.time(call, setup.size.slow_repeats, MATMUL, threads)
            views, title = 2 * len(config.tta_shifts), "one fold" if folds == 1 else f"all {folds} folds"
            name = f"{title}, {views} views, {threads} threads"
            yield Row(part="ensemble", name=name, items=len(faces), **timing)


def _predict_of(setup: BenchmarkSetup, recipe: Recipe, config: PredictionConfig) -> Predict:
    if recipe.landmarks:
        return _network(setup, recipe.landmarks, config)
    folder = setup.trained(recipe)
    return lambda faces: METHODS[recipe.method].predict(folder, faces, setup.device)


def _predict_all(networks: list[tuple[Recipe, Predict]], faces: FaceSet, threads: int) -> None:
    def predict_share(rows: np.ndarray) -> None:
        share = faces.take(rows)
        for recipe, predict in networks:
            chosen = share.take(np.isin(share.subset, recipe.subsets))
            if len(chosen):
                predict(chosen)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(predict_share, filter(len, np.array_split(np.arange(len(faces)), threads))))


def stack(setup: BenchmarkSetup) -> Iterator[Row]:
    """The stack stage on all rows (blend, trees, baselines, label drift) and the evaluation."""
    silenced(pipeline.data, setup.run)

    def call() -> None:
        remove_stack(setup.run)
        stacked(setup.run)

    yield _stage(setup, call, "stack", "stack stage")


def report(setup: BenchmarkSetup) -> Iterator[Row]:
    """The stages after the stack: the submission and the report."""
    stacked(setup.run)
    for name, stage in (("submission stage", pipeline.submission), ("report stage", pipeline.report)):
        yield _stage(setup, partial(silenced, stage, setup.run), "report", name)


def _stage(setup: BenchmarkSetup, call: Callable[[], object], part: str, name: str) -> Row:
    with peak_memory(setup.device) as peak:
        row = _timed(setup, call, setup.size.slow_repeats, part=part, name=name, items=setup.size.rows)
    return replace(row, memory=peak.mib)


def _timed(setup: BenchmarkSetup, call: Callable[[], object], repeats: int, **names: Any) -> Row:  # noqa: ANN401 - Row's
    return Row(**setup.meter.time(call, repeats, PYTHON), **names)


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
