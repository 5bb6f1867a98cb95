import math

import pytest
import torch

from solution.runtime.errors import UserError
from solution.specialists.landmarks.losses import LOSSES, huber, likelihood, pick_loss, squared

every = pytest.mark.parametrize("name", sorted(LOSSES))


def case(missing: bool = True) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Coordinates and sigma with gradients, and labels; NaN in all three where a row has no such point."""
    torch.manual_seed(0)
    labels = torch.rand(6, 15, 2) * 95
    coords, sigma = labels + torch.randn(6, 15, 2), torch.rand(6, 15) + 0.5
    if missing:
        labels[:3, 4:] = coords[:3, 4:] = sigma[:3, 4:] = torch.nan
        labels[4, 2] = labels[5, 3, 1] = torch.nan
    return coords.requires_grad_(), sigma.requires_grad_(), labels


@every
def test_missing_labels_put_no_nan_anywhere(name: str):
    coords, sigma, labels = case()
    loss = LOSSES[name](coords, sigma, labels)
    loss.backward()
    assert loss.isfinite()
    assert coords.grad.isfinite().all()
    assert coords.grad[:3, 4:].abs().max() == 0
    assert coords.grad[4, 2].abs().max() == 0
    assert (coords.grad[~labels.isnan()] != 0).all()
    assert sigma.grad is None or sigma.grad.isfinite().all()


@every
def test_missing_labels_count_nothing(name: str):
    coords, sigma, labels = case(missing=False)
    half = labels.clone()
    half[3:] = torch.nan
    torch.testing.assert_close(LOSSES[name](coords, sigma, half), LOSSES[name](coords[:3], sigma[:3], labels[:3]))


@every
def test_a_batch_without_labels_has_a_loss_of_zero(name: str):
    coords, sigma, labels = case()
    loss = LOSSES[name](coords, sigma, torch.full_like(labels, torch.nan))
    loss.backward()
    assert loss.item() == 0
    assert coords.grad.abs().max() == 0


def test_squared_is_the_mean_square():
    coords, sigma, labels = case()
    known = ~labels.isnan()
    torch.testing.assert_close(squared(coords, sigma, labels), ((coords - labels)[known] ** 2).mean())


@pytest.mark.parametrize(("error", "want"), [(1.0, 1.0), (2.999, 2.999**2), (3.0, 9.0), (10.0, 2 * 3 * 10 - 9)])
def test_huber_bends_at_three_pixels(error: float, want: float):
    labels = torch.zeros(1, 1, 2)
    assert huber(labels + error, torch.ones(1, 1), labels).item() == pytest.approx(want, rel=1e-5)


def test_hubers_gradient_is_capped():
    coords = torch.tensor([[[100.0, 2.0]]], requires_grad=True)
    huber(coords, torch.ones(1, 1), torch.zeros(1, 1, 2)).backward()
    assert coords.grad[0, 0].tolist() == pytest.approx([3.0, 2.0])


def test_the_likelihood_is_best_at_the_true_sigma():
    labels = torch.zeros(4000, 1, 2)
    coords = torch.randn(4000, 1, 2, generator=torch.Generator().manual_seed(0)) * 2
    losses = {s: likelihood(coords, torch.full((4000, 1), s), labels).item() for s in (1.0, 1.5, 2.0, 2.6, 4.0)}
    assert min(losses, key=losses.get) == 2.0
    assert losses[2.0] == pytest.approx(1 + math.log(4.15), abs=0.1)


def test_an_unknown_loss_names_those_there_are():
    with pytest.raises(UserError, match="heavy_tailed, huber, likelihood, squared"):
        pick_loss("hubert")
