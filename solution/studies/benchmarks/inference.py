"""Speed of predictions: each recipe's alone, and of the ensemble's whole set of networks."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch

from solution.faces import FaceSet, Predictions
from solution.recipe import LandmarkRecipe, Recipe
from solution.runtime.device import cores
from solution.specialists.job import METHODS
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.landmarks.predict import TTA_SHIFTS, predict_with
from solution.specialists.patches.predict import predict as predict_patches
from solution.studies.benchmarks.results import MATMUL, Row
from solution.studies.benchmarks.setup import BenchmarkSetup, of_both
from solution.studies.benchmarks.timer import multiply_adds, peak_memory

Reader = Callable[[FaceSet], Predictions]

MIRRORED = (0,)
"""The picture where it lies, as it is and mirrored: two views. A run takes `TTA_SHIFTS`, six views."""


def predicting(shop: BenchmarkSetup) -> Iterator[Row]:
    """Each recipe on one thread: with all views from the trained folder as a run does, and with two views."""
    for recipe in shop.recipes:
        faces = shop.faces(recipe, shop.size.faces)
        job = shop.trained(recipe)
        views = 2 * len(TTA_SHIFTS) if recipe.landmarks else 2
        predict = partial(METHODS[recipe.method].predict, job.folder, faces, job.device)
        yield _row(shop, predict, f"{recipe.name}, {views} views", len(faces))
        if recipe.landmarks:
            yield _row(
                shop, partial(_reader(shop, recipe.landmarks, MIRRORED), faces), f"{recipe.name}, 2 views", len(faces)
            )


def _row(shop: BenchmarkSetup, call: Callable[[], object], name: str, faces: int) -> Row:
    with peak_memory(shop.device) as peak:
        call()
    timing, counted = shop.meter.time(call, shop.size.repeats, MATMUL), multiply_adds(call)
    return Row(part="predict", name=name, items=faces, multiply_adds=counted, memory=peak.mib, **timing)


def _reader(shop: BenchmarkSetup, recipe: LandmarkRecipe, tta_shifts: tuple[int, ...]) -> Reader:
    """A network of random weights, which is as slow as a trained one, with these shifts."""
    net = LandmarkNet(recipe).to(shop.device).to(memory_format=torch.channels_last)
    return lambda faces: predict_with(net, LabelOffset(), faces, shop.device, recipe.name, tta_shifts, again=False)


def ensemble_speed(shop: BenchmarkSetup) -> Iterator[Row]:
    """Every network that predicts a face, of one fold and of all five, on all cores.

    Faces are of both kinds as in a run; each is shown to the specialists of its own kind only, as a run does it. A
    core has a thread and an equal share of the faces.
    """
    faces = shop.faces(of_both(shop.recipes), shop.size.faces)
    threads = 1 if shop.device.type == "cuda" else cores()
    for views, tta_shifts in ((2, MIRRORED), (2 * len(TTA_SHIFTS), TTA_SHIFTS)):
        readers = [_reader_of(shop, recipe, tta_shifts) for recipe in shop.recipes]
        for folds in (1, shop.size.folds):
            call = partial(_predict_all, list(zip(shop.recipes, readers, strict=True)) * folds, faces, threads)
            call()
            timing = shop.meter.time(call, shop.size.few, MATMUL, threads)
            name = f"{'one fold' if folds == 1 else f'all {folds} folds'}, {views} views, {threads} threads"
            yield Row(part="ensemble", name=name, items=len(faces), **timing)


def _reader_of(shop: BenchmarkSetup, recipe: Recipe, tta_shifts: tuple[int, ...]) -> Reader:
    if recipe.landmarks:
        return _reader(shop, recipe.landmarks, tta_shifts)
    folder = shop.trained(recipe).folder
    return lambda faces: predict_patches(folder, faces, shop.device)


def _predict_all(readers: list[tuple[Recipe, Reader]], faces: FaceSet, threads: int) -> None:
    shares = [rows for rows in np.array_split(np.arange(len(faces)), threads) if len(rows)]
    with ThreadPoolExecutor(threads) as pool:
        for done in pool.map(partial(_predict_share, readers), [faces.take(rows) for rows in shares]):
            assert done


def _predict_share(readers: list[tuple[Recipe, Reader]], faces: FaceSet) -> bool:
    for recipe, reader in readers:
        own = faces.take(np.isin(faces.subset, recipe.subsets))
        if len(own):
            reader(own)
    return True
