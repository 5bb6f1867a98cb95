"""The training loop: budgets, guards, batches in pieces, and checkpoints."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from solution.keypoints import POINTS
from solution.recipe import LandmarkRecipe
from solution.runtime import checkpoint
from solution.runtime.errors import UserError
from solution.specialists.budget import Epochs, Seconds, Steps
from solution.specialists.fit import Batch, Record, Task, _Training, fit, history_of
from solution.specialists.landmarks import train
from solution.specialists.landmarks.losses import LOSSES
from solution.specialists.training import Training
from tests.small import small_faces
from tests.tiny_recipes import BASE, OTHER

CPU = torch.device("cpu")
FACES = small_faces(5, 8)


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class SlowTask(Task):
    """Steps that take a time of their own on `clock`, evaluations that take 50 s and give the number of steps."""

    def __init__(self, clock: Clock | None = None, step: float = 1.0, steps_per_epoch: int = 4) -> None:
        torch.manual_seed(0)
        net = nn.Linear(1, 1)
        super().__init__("slow", net, torch.optim.SGD(net.parameters(), lr=0.1), steps_per_epoch)
        self.clock, self.seconds = clock or Clock(), step
        self.shares: list[float] = []
        self.epochs: list[int] = []

    def batches(self, epoch: int) -> Iterator[Batch]:
        self.epochs.append(epoch)
        rng = np.random.default_rng(epoch)
        for _ in range(self.steps_per_epoch):
            yield (rng.random((8, 1)).astype(np.float32),)

    def loss(self, batch: Batch) -> Tensor:
        self.clock.now += self.seconds
        return (self.net(torch.from_numpy(batch[0])) ** 2).mean()

    def set_rate(self, share: float) -> None:
        self.shares.append(share)

    def evaluate(self) -> float:
        self.clock.now += 50
        return float(len(self.shares))


def test_epochs_have_a_record_each_and_an_evaluation_now_and_then():
    task = SlowTask()
    records = fit(task, Epochs(5, every=2), clock=task.clock)
    assert task.shares == [i / 20 for i in range(20)]
    assert [record.value for record in records] == [None, 8.0, None, 16.0, 20.0]
    assert [record.seconds for record in records] == [4, 8, 12, 16, 20]
    lines = history_of([Record(1.0, 9, 7.0, 0.5, phase="pretrain"), *records])
    assert [line["seconds"] for line in lines] == [7, 4, 54, 4, 54, 54]
    assert [(line["epoch"], line["phase"], line["held_rmse"]) for line in lines[:3]] == [
        (1, "pretrain", None),
        (2, "", None),
        (3, "", 8.0),
    ]


def test_only_steps_count_as_time():
    task = SlowTask()
    shares = (0.1, 0.5, 1.0)
    records = fit(task, Seconds(1000, shares), clock=task.clock)
    assert task.shares == pytest.approx([i / 1000 for i in range(1000)])
    assert [(r.share, r.seconds, r.steps, r.value) for r in records] == [
        (s, 1000 * s, 1000 * s, 1000 * s) for s in shares
    ]


def test_a_step_beyond_several_shares_gives_each_its_record():
    task = SlowTask(step=35.0)
    records = fit(task, Seconds(100, (0.02, 0.3, 0.4, 0.7, 0.85, 1.0)), clock=task.clock)
    assert [record.steps for record in records] == [1, 1, 2, 2, 3, 3]
    assert records[-1].seconds == 105


def test_a_number_of_steps_ends_in_the_middle_of_an_epoch():
    records = fit(SlowTask(), Steps(6, (0.01, 0.5, 1.0)))
    assert [record.steps for record in records] == [1, 3, 6]


def test_a_loss_that_is_not_finite_stops_the_training():
    task = SlowTask()
    task.net.weight.data.fill_(torch.nan)
    with pytest.raises(UserError, match=r"slow: the loss became nan\. Lower the recipe's lr"):
        fit(task, Steps(3))


def stopped(folder: Path, budget: Epochs, epochs: int) -> None:
    """A training that ends in the epoch after this many."""
    task = SlowTask()
    batches = task.batches

    def until(epoch: int) -> Iterator[Batch]:
        if epoch == epochs:
            raise KeyboardInterrupt
        return batches(epoch)

    task.batches = until  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        fit(task, budget, folder, {"of": "this"})


def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    whole, task = SlowTask(), SlowTask()
    fit(whole, Epochs(4))
    stopped(tmp_path, Epochs(4), 2)
    records = fit(task, Epochs(4), tmp_path, {"of": "this"})
    assert task.epochs == [2, 3]
    assert "slow: goes on after epoch 2" in caplog.messages
    assert [record.share for record in records] == [0.25, 0.5, 0.75, 1.0]
    assert torch.equal(task.net.weight, whole.net.weight)


def test_a_checkpoint_of_an_earlier_version_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    checkpoint.save(tmp_path, {"of": "this"}, {"net": {}, "history": []})
    task = SlowTask()
    fit(task, Epochs(2), tmp_path, {"of": "this"})
    assert task.epochs == [0, 1]
    assert "slow: the checkpoint of an earlier version is discarded" in caplog.messages


class Plain(nn.Module):
    """A network without batch statistics, in float64, on a GPU that holds `fits` pictures at once."""

    def __init__(self, fits: int = 1000) -> None:
        super().__init__()
        self.fits, self.sizes = fits, []
        torch.manual_seed(0)
        self.dense = nn.Linear(96, 45).double()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        self.sizes.append(len(images))
        if len(images) > self.fits:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore of it")
        made = self.dense(images.double().mean(1) / 255).unflatten(1, (15, 3))
        return made[..., :2] * 40 + 48, made[..., 2].exp()


class PlainTask(Task):
    """One batch of 13 faces, with labels missing here and there."""

    def __init__(self, net: Plain, loss: str) -> None:
        super().__init__("some fold 0", net, torch.optim.SGD(net.parameters(), lr=0.1), 1)
        self.loss_of = LOSSES[loss]

    def batches(self, epoch: int) -> list[Batch]:
        labels = FACES.coords.copy()
        labels[np.random.default_rng(0).random(labels.shape) < 0.4] = np.nan
        return [(FACES.images, labels)]

    def cells(self, batch: Batch) -> int:
        return int((~np.isnan(batch[1])).sum())

    def loss(self, batch: Batch) -> Tensor:
        images, labels = map(torch.from_numpy, batch)
        return self.loss_of(*self.net(images), labels)


def backward(task: Task, batch: Batch, pieces: int = 1) -> tuple[_Training, float, list[Tensor]]:
    """The loss and the gradients of a batch in pieces."""
    training = _Training(task, Epochs(1), Clock(), pieces=pieces)
    value = training._backward(batch)
    return training, value, [p.grad.clone() for p in task.net.parameters() if p.grad is not None]


def plain_backward(net: nn.Module, loss: str, pieces: int = 1) -> tuple[_Training, float, list[Tensor]]:
    task = PlainTask(net, loss)
    return backward(task, task.batches(0)[0], pieces)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("pieces", [2, 4, 6])
def test_pieces_have_the_gradient_of_the_whole_batch(loss: str, pieces: int):
    _, value, gradients = plain_backward(Plain(), loss)
    net = Plain()
    _, value_too, gradients_too = plain_backward(net, loss, pieces)
    assert len(net.sizes) == pieces
    assert sum(net.sizes) == 13
    assert min(net.sizes) >= 2
    assert value_too == pytest.approx(value, rel=1e-12)
    torch.testing.assert_close(gradients_too, gradients, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("recipe", [BASE, OTHER], ids=lambda recipe: recipe.name)
def test_a_real_network_has_it_too_if_its_statistics_are_fixed(
    recipe: LandmarkRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(train, "quick_precision", lambda _: nullcontext())
    task = train.LandmarkTask(
        Training(replace(recipe, rows="all"), 0, tmp_path, FACES, FACES.take(np.arange(0)), CPU, {})
    )
    task.net.eval()
    batch = next(task.batches(0))
    _, value, gradients = backward(task, batch)
    whole = np.concatenate(task.residuals)
    _, value_too, gradients_too = backward(task, batch, 4)
    residual = np.concatenate(task.residuals)
    assert value_too == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(residual, whole, atol=1e-3)
    missing = np.setdiff1d(np.arange(15), POINTS[4])
    assert np.isnan(residual[FACES.subset[batch[0]] == 4][:, missing]).all()
    for ours, expected in zip(gradients_too, gradients, strict=True):
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-4 * float(expected.abs().max()) + 1e-6)


def test_out_of_memory_doubles_the_pieces_with_a_warning(caplog: pytest.LogCaptureFixture):
    _, value, gradients = plain_backward(Plain(), "huber")
    net = Plain(fits=4)
    training, value_too, gradients_too = plain_backward(net, "huber")
    assert net.sizes == [13, 7, 4, 3, 3, 3]
    assert (training.pieces, training.refusals) == (4, 2)
    assert value_too == pytest.approx(value)
    torch.testing.assert_close(gradients_too, gradients)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert caplog.messages[1] == (
        "some fold 0: out of GPU memory with 7 pictures at once (2 so far): a step now takes 4 pieces of about 3"
    )
    net.sizes.clear()
    training._backward(training.task.batches(0)[0])
    assert net.sizes == [4, 3, 3, 3]  # the larger pieces are not tried again


def test_what_a_refused_attempt_has_left_is_dropped():
    class Later(Plain):
        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
            if len(self.sizes) == 1:  # the first piece has left its gradient when the second is refused
                self.sizes.append(len(images))
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return super().forward(images)

    net = Later()
    training, value, gradients = plain_backward(net, "squared", pieces=2)
    assert net.sizes == [7, 6, 4, 3, 3, 3]
    assert training.refusals == 1
    _, expected, whole = plain_backward(Plain(), "squared")
    assert value == pytest.approx(expected)
    torch.testing.assert_close(gradients, whole)


def test_pieces_of_two_that_do_not_fit_are_a_user_error():
    net = Plain(fits=1)
    with pytest.raises(
        UserError, match=r"some fold 0: expected GPU memory for 3 pictures at once, got: CUDA"
    ) as caught:
        plain_backward(net, "huber")
    assert net.sizes == [13, 7, 4, 3]  # whole, then the first of 2, of 4 and of 6 pieces: of 3 and five times 2
    assert "2 GiB. Lower --jobs" in str(caught.value)
    assert "\n" not in str(caught.value)
