"""What a GPU needs, as far as it can be tried without one: pretended devices, and tensors of no content ("meta")."""

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from solution import recipes
from solution.recipe import Augmentation, LandmarkRecipe, PatchRecipe
from solution.runtime.device import prepared, take_device, to_device
from solution.runtime.workers import local
from solution.specialists.landmarks.augment import Augmenter
from solution.specialists.landmarks.losses import LOSSES
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.patches import train as patch_training
from solution.specialists.patches.decoding import Prior
from solution.specialists.patches.network import PatchNetwork
from solution.specialists.patches.train import ClassTask, DenoisingTask
from solution.specialists.training import Training
from tests.jobs import Meet
from tests.small import small_faces

CPU, GPU, META = torch.device("cpu"), torch.device("cuda"), torch.device("meta")
FULL = [recipe.at("full") for recipe in recipes.load_all() if "full" in recipe.runs_at]
LANDMARKS = [recipe for recipe in FULL if isinstance(recipe, LandmarkRecipe)]
PATCHES = [recipe for recipe in FULL if isinstance(recipe, PatchRecipe)]


def test_arrays_go_to_a_gpu_from_pinned_memory_without_waiting(monkeypatch: pytest.MonkeyPatch):
    calls: list[tuple] = []
    monkeypatch.setattr(Tensor, "pin_memory", lambda self: (calls.append(("pin",)), self)[1])
    monkeypatch.setattr(Tensor, "to", lambda self, *args, **more: (calls.append((*args, more)), self)[1])
    array = np.arange(3)
    assert to_device(array, GPU).tolist() == [0, 1, 2]
    assert calls == [("pin",), (GPU, {"non_blocking": True})]
    calls.clear()
    to_device(array, CPU)
    assert calls == [(CPU, {})]


def test_a_process_keeps_to_its_gpu(monkeypatch: pytest.MonkeyPatch):
    taken: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    assert take_device("cpu") == CPU
    assert taken == []
    assert take_device("cuda:1") == torch.device("cuda", 1)
    assert taken == [torch.device("cuda", 1)]


@pytest.mark.parametrize("batches", [0, 1, 2, 7])
def test_batches_made_ahead_are_the_same_in_the_same_order(batches: int):
    faces = small_faces(20, 20)
    augment = Augmenter(Augmentation(elastic=1.0))
    threads: set[int] = set()

    def make(rows: np.ndarray) -> tuple[np.ndarray, ...]:
        threads.add(threading.get_ident())
        return rows, *augment(faces.images[rows], faces.coords[rows])

    def epoch(device: torch.device) -> list[tuple[np.ndarray, ...]]:
        augment.seed(5)
        parts = [np.arange(i, i + 4) for i in range(batches)]
        return list(prepared(make, parts, device))

    here, ahead = epoch(CPU), epoch(GPU)
    assert len(here) == len(ahead) == batches
    assert len(threads) == (2 if batches else 0)
    for ours, theirs in zip(here, ahead, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


def test_two_batches_are_made_ahead_and_no_more():
    asked: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(6):
            asked.append(part)
            yield part

    made = prepared(lambda part: part * 10, parts(), GPU)
    assert next(made) == 0
    assert asked == [0, 1, 2]
    assert next(made) == 10
    assert asked == [0, 1, 2, 3]


def test_an_error_comes_with_its_batch():
    made = prepared(lambda part: 1 // part, [1, 2, 0, 1], GPU)
    assert [next(made), next(made)] == [1, 0]
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_each_worker_keeps_its_device(tmp_path: Path):
    devices = ["cpu:0", "cpu:1"]  # torch takes both for the CPU: two devices, as far as the queue can tell
    first = [Meet(f"a/{i}", tmp_path) for i in range(2)]
    later = [Meet(f"b/{i}", tmp_path, frozenset([f"a/{i % 2}"])) for i in range(4)]
    local.run([*later, *first], devices)
    notes = {path.name: path.read_text().split() for path in tmp_path.iterdir() if path.suffix != ".here"}
    assert set(notes) == {"a0", "a1", "b0", "b1", "b2", "b3"}
    assert {notes["a0"][3], notes["a1"][3]} == set(devices)
    by_process = {process: {n[3] for n in notes.values() if n[2] == process} for *_, process, _ in notes.values()}
    assert sorted(map(sorted, by_process.values())) == [["cpu:0"], ["cpu:1"]]
    for i in range(4):
        assert float(notes[f"b{i}"][0]) >= float(notes[f"a{i % 2}"][1])


@pytest.mark.parametrize("recipe", LANDMARKS, ids=lambda recipe: recipe.name)
def test_a_step_at_full_makes_nothing_on_the_cpu(recipe: LandmarkRecipe):
    with META:
        net = LandmarkNet(recipe)
    images = torch.zeros(4, 96, 96, dtype=torch.uint8, device=META)
    subset = torch.zeros(4, dtype=torch.int8, device=META)
    coords, sigma = net(images, subset)
    assert coords.shape == (4, 15, 2)
    assert sigma.shape == (4, 15)
    LOSSES[recipe.loss](coords, sigma, torch.zeros(4, 15, 2, device=META)).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.device == META, name


@pytest.mark.parametrize("recipe", PATCHES, ids=lambda recipe: recipe.name)
def test_nor_does_one_of_the_patch_classifier(recipe: PatchRecipe, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(patch_training, "quick_precision", lambda _: nullcontext())
    with META:
        net = PatchNetwork(recipe)
    faces = small_faces(2, 2)
    training = Training(recipe, 0, Path(), faces, faces, META, {})
    for task in (DenoisingTask(training, recipe, net, faces), ClassTask(training, recipe, net, faces, Prior([], []))):
        loss = task.loss(next(task.batches(0)))
        assert loss.device == META
        loss.backward()
    assert {p.grad.device for p in net.parameters() if p.grad is not None} == {META}


def test_no_two_recipes_at_full_are_the_same_training():
    kinds = {(str(r.model_args), r.model, r.codec, r.rows, r.seed, r.parent) for r in LANDMARKS}
    assert len(kinds) == len(LANDMARKS)
    assert {r.runs_at for r in LANDMARKS} > {("full",)}
