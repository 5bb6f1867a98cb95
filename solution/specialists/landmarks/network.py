"""A recipe's network with its preprocessing inside: grey pictures in, pixel coordinates and spread out."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from solution.keypoints import POINTS
from solution.models import build
from solution.recipe import LandmarkRecipe
from solution.runtime.errors import UserError

HEAD = "body.decoder.head."
"""The only tensors that depend on which points are learnt, in networks that give maps."""


class LandmarkNet(nn.Module):
    """The recipe's architecture with one head a subset.

    Takes pictures (B, H, W) uint8 and each one's subset (B,), gives coords (B, K, 2) in offset-free pixels and spread
    (B, K) in pixels for the K points of the recipe's schema, both NaN where the subset has no such point. The trunk is
    shared; a head's points are not: the two sources put nose and lip at different places (mixing them costs 0.1 to 0.8
    px).
    """

    route: Tensor

    def __init__(self, recipe: LandmarkRecipe) -> None:
        super().__init__()
        self.subsets = recipe.subsets
        self.codec = recipe.codec
        self.body = build(recipe, sum(len(POINTS[s]) for s in self.subsets))
        self.register_buffer("route", _routes(self.subsets, recipe.schema.size), persistent=False)

    def forward(self, images: Tensor, subset: Tensor) -> tuple[Tensor, Tensor]:
        coords, sigma = self.codec.decode(self.body(standardise(images)))
        routes = self.route[(subset == 4).long()]  # (B, K): which output answers each point, -1 for none
        rows, chosen = torch.arange(len(images), device=images.device)[:, None], routes.clamp(min=0)
        none = routes < 0
        coords = coords[rows, chosen].masked_fill(none[..., None], torch.nan)
        return coords, sigma[rows, chosen].masked_fill(none, torch.nan)

    def load_parent(self, earlier: Mapping[str, Tensor], subsets: tuple[int, ...]) -> None:
        """Take an earlier network's tensors: equal shapes whole, its heads' rows by subset.

        subsets: those of the earlier network, in its order. A cascade takes those of a single network as its coarse
        part's. UserError where a tensor fits in neither way.
        """
        own = self.state_dict()
        rows = _head_rows(self.subsets, subsets)
        points = sum(len(POINTS[s]) for s in subsets)
        for given, value in earlier.items():
            name = given if given in own else given.replace("body.", "body.coarse.", 1)
            fits = name in own and own[name].shape[1:] == value.shape[1:]
            if fits and own[name].shape == value.shape:
                own[name] = value
            elif fits and len(value) == points and len(own[name]) == len(rows):
                own[name] = value[rows]
            else:
                raise UserError(f"{name} {tuple(value.shape)}: expected the architecture of the recipe it starts from")
        self.load_state_dict(own)

    def init_from(self, other: Mapping[str, Tensor]) -> None:
        """Take a network's tensors that learnt other points; the head's stay as they are.

        UserError where any other tensor is missing or has another shape.
        """
        own = self.state_dict()
        fitting = {name: value for name, value in other.items() if name in own and own[name].shape == value.shape}
        missing = [name for name in own if name not in fitting and not name.startswith(HEAD)]
        if missing:
            raise UserError(f"{missing[0]}: expected it in the weights of a warm start, which are of another network")
        self.load_state_dict(own | {name: value for name, value in fitting.items() if not name.startswith(HEAD)})


def _head_rows(wanted: tuple[int, ...], subsets: tuple[int, ...]) -> list[int]:
    """Rows of an earlier network's head that answer the wanted subsets' points."""
    if not set(wanted) <= set(subsets):
        raise UserError(f"a recipe for {wanted} cannot start from one for {subsets}")
    starts, start = {}, 0
    for subset in subsets:
        starts[subset] = start
        start += len(POINTS[subset])
    return [starts[subset] + i for subset in wanted for i in range(len(POINTS[subset]))]


def standardise(images: Tensor) -> Tensor:
    """Each picture to mean 0 and about standard deviation 1, (B, 1, H, W) float32; flat pictures stay finite."""
    pixels = images[:, None].float()
    mean, deviation = pixels.mean((1, 2, 3), keepdim=True), pixels.std((1, 2, 3), keepdim=True)
    return ((pixels - mean) / (deviation + 8)).contiguous(memory_format=torch.channels_last)


def _routes(subsets: tuple[int, ...], points: int) -> Tensor:
    """The output index that answers each of the schema's points, -1 for none: (2, K), 4-keypoint rows second."""
    routes = torch.full((2, points), -1, dtype=torch.long)
    start = 0
    for subset in subsets:
        own = POINTS[subset]
        routes[int(subset == 4), own] = torch.arange(start, start + len(own))
        start += len(own)
    return routes
