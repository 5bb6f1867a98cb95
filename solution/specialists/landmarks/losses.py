"""Masked losses over pixel coordinates. Unlabelled cells (NaN) do not count; without labelled cells the loss is 0."""

from collections.abc import Callable

import torch
from torch import Tensor

from solution.runtime.errors import UserError

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""coords (B, K, 2), sigma (B, K) and labels (B, K, 2) with NaN, all in pixels, to a scalar."""


def squared(coords: Tensor, sigma: Tensor, labels: Tensor) -> Tensor:
    """Mean squared error, the competition's own measure."""
    error, known = _error(coords, labels)
    return _mean(error**2, known)


def huber(coords: Tensor, sigma: Tensor, labels: Tensor, bend: float = 3.0) -> Tensor:
    """Squared error up to `bend` pixels, linear beyond, so that outliers count less (Huber, 1964)."""
    error, known = _error(coords, labels)
    size = error.abs()
    return _mean(torch.where(size < bend, size**2, 2 * bend * size - bend**2), known)


def likelihood(coords: Tensor, sigma: Tensor, labels: Tensor) -> Tensor:
    """Gaussian negative log-likelihood under the network's own sigma, which is learnt, too.

    The floor of 0.39 px keeps single cells with a tiny sigma from dominating the gradient.
    """
    error, known = _error(coords, labels)
    variance = _variance(sigma, known)
    return _mean(error**2 / variance + torch.log(variance), known)


def heavy_tailed(coords: Tensor, sigma: Tensor, labels: Tensor, freedom: float = 4.0) -> Tensor:
    """Student-t negative log-likelihood under the network's own sigma: outliers count less than in `likelihood`."""
    error, known = _error(coords, labels)
    variance = _variance(sigma, known)
    return _mean((freedom + 1) * torch.log1p(error**2 / variance / freedom) + torch.log(variance), known)


LOSSES: dict[str, Loss] = {f.__name__: f for f in (squared, huber, likelihood, heavy_tailed)}


def pick_loss(name: str) -> Loss:
    """The loss of that name. UserError, with the known names, if there is none."""
    if name not in LOSSES:
        raise UserError(f"loss {name!r}: expected one of {', '.join(sorted(LOSSES))}")
    return LOSSES[name]


def _error(coords: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Error with 0 where unlabelled (so that no NaN enters a gradient), and which cells are labelled."""
    known = ~torch.isnan(labels)
    return torch.where(known, coords - torch.nan_to_num(labels), 0.0), known


def _variance(sigma: Tensor, known: Tensor) -> Tensor:
    """Variance of each cell, px², with a floor. Sigma is NaN where the subset has no such point."""
    return torch.where(known, sigma[..., None], 1.0) ** 2 + 0.15


def _mean(cells: Tensor, known: Tensor) -> Tensor:
    return (cells * known).sum() / known.sum().clamp(min=1)
