import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from solution.data.competition import Competition
from solution.recipe import Augmentation, Optimiser
from solution.runtime import checkpoint
from solution.specialists.landmarks import train as training
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.landmarks.predict import OFFSET
from solution.specialists.training import HISTORY, SETTINGS, WEIGHTS, Training
from tests.specialists.stopping import stop_after
from tests.tiny_recipes import BASE, CHILD

RECIPE = replace(BASE, epochs=4, batch=8, augmentation=Augmentation(elastic=1.0))
INPUTS = {"of": "this test"}


@pytest.fixture
def job(drawn: Competition, tmp_path: Path) -> Callable[..., Training]:
    """A job on 40 drawn faces in a folder of that name."""
    rows = np.arange(len(drawn.train)) % 5 != 0
    train, held = drawn.train.take(np.flatnonzero(rows)[::2]), drawn.train.take(~rows)

    def make(name: str, **changes: object) -> Training:
        (tmp_path / name).mkdir(exist_ok=True)
        whole = Training(RECIPE, 0, tmp_path / name, train, held, torch.device("cpu"), INPUTS)
        return replace(whole, **changes)

    return make


@pytest.fixture
def whole(job: Callable[..., Training]) -> dict[str, bytes]:
    """What an unbroken training writes."""
    one = job("whole")
    training.train(one)
    return result(one.folder)


def result(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (WEIGHTS, OFFSET, SETTINGS)}


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / HISTORY).open(newline="") as handle:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(handle)]


def test_a_stopped_training_goes_on_to_the_same_bytes(
    job: Callable[..., Training],
    whole: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level("INFO")
    stopped = job("stopped")
    stop_after(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        training.train(stopped)
    assert not (stopped.folder / WEIGHTS).exists()
    training.train(stopped)
    assert "base fold 0: goes on after epoch 2" in caplog.messages
    assert result(stopped.folder) == whole
    assert history(stopped.folder) == history(stopped.folder.parent / "whole")


@pytest.mark.parametrize("flaw", ["other inputs", "cut off", "garbage"])
def test_a_checkpoint_that_does_not_fit_is_not_used(
    job: Callable[..., Training], whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, flaw: str
):
    inputs = {"of": "another"} if flaw == "other inputs" else INPUTS
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            training.train(job("flawed", inputs=inputs))
    path = job("flawed").folder / checkpoint.FILE
    if flaw == "cut off":
        path.write_bytes(path.read_bytes()[:-500])
    if flaw == "garbage":
        path.write_bytes(b"no checkpoint")
    assert checkpoint.load(path.parent, INPUTS) is None
    training.train(job("flawed"))
    assert result(path.parent) == whole


def test_the_history_has_a_line_an_epoch(job: Callable[..., Training], whole: dict[str, bytes]):
    lines = history(job("whole").folder)
    assert [line["epoch"] for line in lines] == ["1", "2", "3", "4"]
    assert all(float(line["loss"]) > 0 and float(line["held_rmse"]) > 0 for line in lines)


def test_a_training_learns(job: Callable[..., Training]):
    longer = job("longer", recipe=replace(RECIPE, epochs=12, optimiser=Optimiser(lr=1e-2), loss="squared"))
    training.train(longer)
    losses = [float(line["loss"]) for line in history(longer.folder)]
    assert losses[-1] < 0.5 * losses[0]


def test_a_training_starts_from_the_earlier_weights(job: Callable[..., Training], whole: dict[str, bytes]):
    later = job("later", recipe=replace(CHILD, epochs=1))
    later = replace(later, train=later.train.take(later.train.subset == 15), parent=job("whole").folder)
    trainer, fresh = training.LandmarkTask(later), training.LandmarkTask(replace(later, parent=None))
    earlier = training.LandmarkTask(replace(later, recipe=BASE, parent=job("whole").folder))
    for name in ("body.stem.0.weight", "body.decoder.up.0.first.weight"):
        ours = trainer.net.state_dict()[name]
        torch.testing.assert_close(ours, earlier.net.state_dict()[name])
        assert not torch.equal(ours, fresh.net.state_dict()[name])
    np.testing.assert_array_equal(trainer.offset.values, earlier.offset.values)
    assert np.abs(trainer.offset.values).max() > 0


def test_without_held_out_rows_there_is_nothing_to_watch(job: Callable[..., Training]):
    alone = job("alone", recipe=replace(RECIPE, epochs=1))
    alone = replace(alone, held=alone.held.take(np.zeros(len(alone.held), bool)))
    training.train(alone)
    assert history(alone.folder)[0]["held_rmse"] == "nan"


def test_a_training_goes_on_in_pieces(
    job: Callable[..., Training], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    forward: Callable[..., tuple[Tensor, Tensor]] = LandmarkNet.forward

    def tight(net: LandmarkNet, images: Tensor, subset: Tensor) -> tuple[Tensor, Tensor]:
        if net.training and len(images) > 3:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return forward(net, images, subset)

    monkeypatch.setattr(LandmarkNet, "forward", tight)
    tight_job = job("tight", recipe=replace(RECIPE, epochs=2))
    training.train(tight_job)
    assert all(value.isfinite().all() for value in load_file(tight_job.folder / WEIGHTS).values())
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 2
