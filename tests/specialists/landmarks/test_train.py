import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from solution.data.competition import Competition
from solution.recipe import Augmentation, Optimiser
from solution.runtime import checkpoint
from solution.runtime.errors import UserError
from solution.specialists.landmarks import train as training
from solution.specialists.landmarks.predict import OFFSET
from solution.specialists.training import HISTORY, SETTINGS, WEIGHTS, Training
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


def stop_after(patch: pytest.MonkeyPatch, epochs: int) -> None:
    """Press Ctrl-C after this many saved epochs, once."""
    save, saved = checkpoint.save, []

    def save_and_stop(*arguments: object) -> None:
        save(*arguments)
        saved.append(1)
        if len(saved) == epochs:
            raise KeyboardInterrupt

    patch.setattr(checkpoint, "save", save_and_stop)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / HISTORY).open(newline="") as handle:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(handle)]


def test_a_stopped_training_goes_on_to_the_same_bytes(
    job: Callable[..., Training], whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    stopped = job("stopped")
    stop_after(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        training.train(stopped)
    assert not (stopped.folder / WEIGHTS).exists()
    epochs: list[int] = []
    epoch = training.Trainer.epoch
    monkeypatch.setattr(training.Trainer, "epoch", lambda self, number: (epochs.append(number), epoch(self, number))[1])
    training.train(stopped)
    assert epochs == [2, 3]
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


def test_a_loss_that_is_no_number_stops_the_training(job: Callable[..., Training], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training, "pick_loss", lambda _: lambda coords, sigma, labels: coords.sum() * torch.nan)
    with pytest.raises(UserError, match=r"base fold 0: the loss became nan\. Lower the recipe's lr"):
        training.train(job("wild"))
    assert list(job("wild").folder.iterdir()) == []


def test_a_training_starts_from_the_earlier_weights(job: Callable[..., Training], whole: dict[str, bytes]):
    later = job("later", recipe=replace(CHILD, epochs=1))
    later = replace(later, train=later.train.take(later.train.subset == 15), parent=job("whole").folder)
    trainer, fresh = training.Trainer(later), training.Trainer(replace(later, parent=None))
    earlier = training.Trainer(replace(later, recipe=BASE, parent=job("whole").folder))
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
