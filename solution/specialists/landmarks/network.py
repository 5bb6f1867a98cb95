"""A recipe's network with its preprocessing: grey pictures in, coordinates and sigma in pixels out."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from solution.keypoints import POINTS
from solution.models import build
from solution.recipe import LandmarkRecipe
from solution.runtime.errors import UserError

HEAD = "body.decoder.head."
"""Names of the only tensors that depend on which points are learnt, in networks that give heatmaps, start so."""


class LandmarkNet(nn.Module):
    """The recipe's architecture with a head for each subset.

    It takes pictures (B, H, W) uint8 and their subsets (B,). It gives offset-free coords (B, K, 2) and sigma (B, K),
    both in pixels, for the K points of the recipe's schema; NaN where the subset has no such point. Only the trunk is
    shared: the two sources label nose and lip at different places, and one head for both costs 0.1 to 0.8 px.
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
        routes = self.route[(subset == 4).long()]  # (B, K): the output index of each point, -1 for none
        rows, chosen = torch.arange(len(images), device=images.device)[:, None], routes.clamp(min=0)
        none = routes < 0
        coords = coords[rows, chosen].masked_fill(none[..., None], torch.nan)
        return coords, sigma[rows, chosen].masked_fill(none, torch.nan)

    def load_parent(self, earlier: Mapping[str, Tensor], subsets: tuple[int, ...]) -> None:
        """Load the tensors of the recipe that this one starts from; of its heads, the rows of this recipe's subsets.

        subsets: those of the earlier network, in its order. A cascade loads a single network as its coarse part.
        UserError if a tensor does not fit.
        """
        tensors = self.state_dict()
        rows = _head_rows(self.subsets, subsets)
        points = sum(len(POINTS[s]) for s in subsets)
        for earlier_name, value in earlier.items():
            name = earlier_name if earlier_name in tensors else earlier_name.replace("body.", "body.coarse.", 1)
            fits = name in tensors and tensors[name].shape[1:] == value.shape[1:]
            if fits and tensors[name].shape == value.shape:
                tensors[name] = value
            elif fits and len(value) == points and len(tensors[name]) == len(rows):
                tensors[name] = value[rows]
            else:
                raise UserError(f"{name} {tuple(value.shape)}: expected the architecture of the recipe it starts from")
        self.load_state_dict(tensors)

    def init_from(self, other: Mapping[str, Tensor]) -> None:
        """Load a network that has learnt other points, without its head.

        UserError if any other tensor is missing or has another shape.
        """
        tensors = {name: value for name, value in self.state_dict().items() if not name.startswith(HEAD)}
        fitting = {n: value for n, value in other.items() if n in tensors and tensors[n].shape == value.shape}
        missing = [name for name in tensors if name not in fitting]
        if missing:
            raise UserError(f"{missing[0]}: expected it in the initial weights, which are of another network")
        self.load_state_dict(self.state_dict() | fitting)


def _head_rows(wanted: tuple[int, ...], subsets: tuple[int, ...]) -> list[int]:
    """Rows of an earlier network's head that give the points of the wanted subsets."""
    if not set(wanted) <= set(subsets):
        raise UserError(f"a recipe for {wanted} cannot start from one for {subsets}")
    starts, start = {}, 0
    for subset in subsets:
        starts[subset] = start
        start += len(POINTS[subset])
    return [starts[subset] + i for subset in wanted for i in range(len(POINTS[subset]))]


def standardise(images: Tensor) -> Tensor:
    """Each picture with mean 0 and a standard deviation of about 1, (B, 1, H, W) float32; finite if it is flat."""
    pixels = images[:, None].float()
    mean, deviation = pixels.mean((1, 2, 3), keepdim=True), pixels.std((1, 2, 3), keepdim=True)
    return ((pixels - mean) / (deviation + 8)).contiguous(memory_format=torch.channels_last)


def _routes(subsets: tuple[int, ...], points: int) -> Tensor:
    """The output index of each of the schema's points, -1 for none: (2, K), 4-keypoint rows second."""
    routes = torch.full((2, points), -1, dtype=torch.long)
    start = 0
    for subset in subsets:
        points_of_subset = POINTS[subset]
        routes[int(subset == 4), points_of_subset] = torch.arange(start, start + len(points_of_subset))
        start += len(points_of_subset)
    return routes
