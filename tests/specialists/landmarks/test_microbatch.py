"""A batch in pieces has the whole batch's gradient; running out of memory makes the pieces smaller."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from solution.data.competition import Competition
from solution.keypoints import POINTS
from solution.recipe import LandmarkRecipe
from solution.runtime.errors import UserError
from solution.specialists.landmarks import microbatch, train
from solution.specialists.landmarks.losses import LOSSES
from solution.specialists.landmarks.microbatch import MicroBatches
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.training import WEIGHTS, Training
from tests.small import small_faces
from tests.tiny_recipes import BASE, OTHER

CPU = torch.device("cpu")
FACES = small_faces(5, 8)


class Plain(nn.Module):
    """A network without batch statistics, in float64, on a GPU that holds `fits` pictures at once."""

    def __init__(self, fits: int = 1000) -> None:
        super().__init__()
        self.fits, self.sizes = fits, []
        torch.manual_seed(0)
        self.dense = nn.Linear(96, 45).double()

    def forward(self, images: Tensor, subset: Tensor) -> tuple[Tensor, Tensor]:
        self.sizes.append(len(images))
        if len(images) > self.fits:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore of it")
        made = self.dense(images.double().mean(1) / 255).unflatten(1, (15, 3))
        return made[..., :2] * 40 + 48, made[..., 2].exp()


def backward(net: nn.Module, loss: str, pieces: int = 1) -> tuple[MicroBatches, float, np.ndarray, list[Tensor]]:
    """One batch of 13 faces with labels missing here and there: what comes of it, and the gradients."""
    labels = FACES.coords.copy()
    labels[np.random.default_rng(0).random(labels.shape) < 0.4] = np.nan
    one = MicroBatches(net, LOSSES[loss], CPU, "some fold 0")
    one.pieces = pieces
    value, residual = one.backward(FACES.images, FACES.subset, labels)
    return one, value, residual, [p.grad.clone() for p in net.parameters() if p.grad is not None]


@pytest.fixture
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microbatch, "quick_precision", lambda _: nullcontext())


@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("pieces", [2, 4, 6])
def test_pieces_have_the_gradient_of_the_whole(loss: str, pieces: int):
    _, value, residual, gradients = backward(Plain(), loss)
    net = Plain()
    _, value_too, residual_too, gradients_too = backward(net, loss, pieces)
    assert len(net.sizes) == pieces
    assert sum(net.sizes) == 13
    assert min(net.sizes) >= 2
    assert value_too == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(residual_too, residual, rtol=1e-12)
    torch.testing.assert_close(gradients_too, gradients, rtol=1e-10, atol=1e-12)


@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize("recipe", [BASE, OTHER], ids=lambda recipe: recipe.name)
def test_a_real_network_has_it_too_where_its_statistics_stand_still(recipe: LandmarkRecipe):
    torch.manual_seed(0)
    net = LandmarkNet(replace(recipe, rows="all")).eval()
    _, value, residual, gradients = backward(net, recipe.loss)
    _, value_too, residual_too, gradients_too = backward(net, recipe.loss, 4)
    assert value_too == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(residual_too, residual, atol=1e-3)
    assert np.isnan(residual_too[FACES.subset == 4][:, np.setdiff1d(np.arange(15), POINTS[4])]).all()
    for ours, whole in zip(gradients_too, gradients, strict=True):
        torch.testing.assert_close(ours, whole, rtol=0, atol=1e-4 * float(whole.abs().max()) + 1e-6)


@pytest.mark.usefixtures("full_precision")
def test_out_of_memory_doubles_the_pieces_and_is_said_each_time(caplog: pytest.LogCaptureFixture):
    _, value, residual, gradients = backward(Plain(), "huber")
    net = Plain(fits=4)
    one, value_too, residual_too, gradients_too = backward(net, "huber")
    assert net.sizes == [13, 7, 4, 3, 3, 3]
    assert (one.pieces, one.refusals) == (4, 2)
    assert value_too == pytest.approx(value)
    np.testing.assert_allclose(residual_too, residual)
    torch.testing.assert_close(gradients_too, gradients)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert caplog.messages[1] == (
        "some fold 0: out of GPU memory with 7 pictures at once (2 so far): a step now takes 4 pieces of about 3"
    )
    net.sizes.clear()
    one.backward(FACES.images, FACES.subset, FACES.coords)
    assert net.sizes == [4, 3, 3, 3]  # it does not try the larger ones again


@pytest.mark.usefixtures("full_precision")
def test_what_a_refused_attempt_left_behind_is_dropped():
    class Later(Plain):
        def forward(self, images: Tensor, subset: Tensor) -> tuple[Tensor, Tensor]:
            if len(self.sizes) == 1:  # the first piece has left its gradient when the second is refused
                self.sizes.append(len(images))
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return super().forward(images, subset)

    net = Later()
    one, value, _, gradients = backward(net, "squared", pieces=2)
    assert net.sizes == [7, 6, 4, 3, 3, 3]
    assert one.refusals == 1
    _, expected, _, whole = backward(Plain(), "squared")
    assert value == pytest.approx(expected)
    torch.testing.assert_close(gradients, whole)


def test_pieces_of_two_that_do_not_fit_are_a_user_error():
    net = Plain(fits=1)
    with pytest.raises(
        UserError, match=r"some fold 0: expected GPU memory for 3 pictures at once, got: CUDA"
    ) as caught:
        backward(net, "huber")
    assert net.sizes == [13, 7, 4, 3]  # whole, then the first of 2, of 4 and of 6 pieces: of 3 and five times 2
    assert "2 GiB. Lower --jobs" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_training_goes_on_in_pieces(drawn: Competition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    forward: Callable[..., tuple[Tensor, Tensor]] = LandmarkNet.forward

    def tight(net: LandmarkNet, images: Tensor, subset: Tensor) -> tuple[Tensor, Tensor]:
        if net.training and len(images) > 5:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return forward(net, images, subset)

    monkeypatch.setattr(LandmarkNet, "forward", tight)
    job = Training(replace(BASE, epochs=2), 0, tmp_path, drawn.train, drawn.train, CPU, {})
    train.train(job)
    assert all(value.isfinite().all() for value in load_file(tmp_path / WEIGHTS).values())
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 2
