"""The contract that every architecture keeps, by way of every recipe that uses one; and the choice of heads."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from solution import recipes
from solution.keypoints import POINTS
from solution.models import names as models
from solution.recipe import SCALES, LandmarkRecipe
from solution.runtime.errors import UserError
from solution.specialists.landmarks.losses import pick_loss
from solution.specialists.landmarks.network import LandmarkNet, standardise
from solution.studies.ablations import ABLATIONS
from tests.tiny_recipes import BASE, CHILD, OTHER

REAL = [
    recipe.at("cpu")
    for recipe in recipes.load_all()
    if isinstance(recipe, LandmarkRecipe) and "cpu" in recipe.runs_at  # tests/test_gpu.py has those of a GPU alone
]
UNET = next(recipe for recipe in REAL if recipe.name == "unet_all")
TRIED = {
    name: ABLATIONS[name].recipe(UNET)
    for name in ("cascade", "cascade_timm", "simcc", "fine", "places", "attention", "antialias")
}
ALL = {recipe.name: recipe for recipe in [*REAL, BASE, CHILD, OTHER]} | TRIED
every = pytest.mark.parametrize("recipe", ALL.values(), ids=ALL.keys())


def batch(subsets: tuple[int, ...], size: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Random pictures, and the subsets in turn."""
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (size, 96, 96), dtype=np.uint8))
    return images, torch.tensor([subsets[i % len(subsets)] for i in range(size)], dtype=torch.int8)


def made(recipe: LandmarkRecipe) -> LandmarkNet:
    torch.manual_seed(0)
    return LandmarkNet(recipe)


def test_every_architecture_is_used_by_a_recipe_or_an_ablation():
    assert {recipe.model for recipe in [*REAL, *TRIED.values()]} == set(models())


def test_a_cascade_starts_from_its_coarse_estimate():
    images, subset = batch((15, 4))
    cascade, coarse = made(replace(TRIED["cascade"], seed=1)).eval(), made(UNET).eval()
    cascade.load_parent(coarse.state_dict(), (15, 4))
    with torch.inference_mode():
        for found, expected in zip(cascade(images, subset), coarse(images, subset), strict=True):
            torch.testing.assert_close(found, expected, equal_nan=True, atol=1e-3, rtol=0)


def test_a_cascades_crop_is_what_lies_around_the_point():
    net = made(TRIED["cascade"]).body
    x = torch.arange(96.0)[None, :] + 100 * torch.arange(96.0)[:, None]
    crops = net._crops(x[None, None], torch.tensor([[[40.5, 40.5], [60.5, 39.5]]]))
    assert crops.shape == (2, 3, 16, 16)
    torch.testing.assert_close(crops[0, 0], x[33:49, 33:49], atol=0.05, rtol=0)
    torch.testing.assert_close(crops[1, 0], x[32:48, 53:69], atol=0.05, rtol=0)
    wide = crops[0, 1]  # every other pixel: the same centre, twice as far
    torch.testing.assert_close(wide[:, 1:] - wide[:, :-1], torch.full((16, 15), 2.0), atol=0.05, rtol=0)
    torch.testing.assert_close(wide.mean(), x[33:49, 33:49].mean(), atol=0.05, rtol=0)


@every
def test_shapes_and_which_points_are_answered(recipe: LandmarkRecipe):
    images, subset = batch((15, 4))
    coords, sigma = made(recipe)(images, subset)
    assert coords.shape == (6, 15, 2)
    assert sigma.shape == (6, 15)
    for row, s in enumerate(subset.tolist()):
        answered = np.isin(np.arange(15), POINTS[s]) & (s in recipe.subsets)
        np.testing.assert_array_equal(coords[row].isfinite().all(1).numpy(), answered)
        np.testing.assert_array_equal(coords[row].isnan().all(1).numpy(), ~answered)
        assert sigma[row][torch.from_numpy(~answered)].isnan().all()


@every
def test_a_gradient_reaches_every_parameter(recipe: LandmarkRecipe):
    net = made(recipe)
    with torch.no_grad():
        for parameter in net.parameters():  # residual branches may start at zero, which hides all that is in them
            parameter += 0.01 * torch.randn_like(parameter)
    images, subset = batch(recipe.subsets)
    labels = torch.rand(6, 15, 2) * 95
    labels[subset == 4] = labels[subset == 4].masked_fill(
        ~torch.isin(torch.arange(15), torch.tensor(POINTS[4]))[:, None], torch.nan
    )
    pick_loss(recipe.loss)(*net(images, subset), labels).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@every
def test_a_batch_of_one_is_answered_as_in_a_larger_one(recipe: LandmarkRecipe):
    net = made(recipe).eval()
    images, subset = batch(recipe.subsets)
    with torch.inference_mode():
        many, one = net(images, subset)[0], net(images[2:3], subset[2:3])[0]
    torch.testing.assert_close(one[0], many[2], equal_nan=True, atol=1e-3, rtol=0)


@every
def test_a_flat_picture_is_answered_finitely(recipe: LandmarkRecipe):
    images, subset = batch(recipe.subsets)
    coords, _ = made(recipe).eval()(torch.full_like(images, 7), subset)
    assert coords[0][POINTS[recipe.subsets[0]]].isfinite().all()


def test_pictures_are_standardised_each_by_itself():
    images, _ = batch((15,))
    images[1] = 30
    pixels = standardise(images)
    assert pixels.shape == (6, 1, 96, 96)
    assert pixels[1].abs().max() == 0
    assert pixels[0].mean().abs() < 1e-4
    assert pixels[0].std() == pytest.approx(0.9, abs=0.1)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", [recipe.name for recipe in REAL if recipe.parent])
def test_a_recipe_can_start_from_the_one_it_names(name: str, scale: str):
    recipe = recipes.load(name).at(scale)
    earlier = recipes.load(recipe.parent or "").at(scale)
    assert isinstance(recipe, LandmarkRecipe)
    assert isinstance(earlier, LandmarkRecipe)
    made(recipe).load_parent(made(earlier).state_dict(), earlier.subsets)


@pytest.mark.parametrize("rows", ["15", "4"])
def test_a_head_taken_over_answers_as_before(rows: str):
    joint, single = made(BASE).eval(), LandmarkNet(replace(BASE, rows=rows)).eval()
    images, subset = batch((int(rows),))
    before = single(images, subset)[0]
    single.load_parent(joint.state_dict(), BASE.subsets)
    torch.testing.assert_close(single(images, subset)[0], joint(images, subset)[0], equal_nan=True)
    assert not torch.equal(before.nan_to_num(), single(images, subset)[0].nan_to_num())


def test_heads_that_are_not_there_cannot_be_taken_over():
    with pytest.raises(UserError, match=r"cannot start from one for \(15,\)"):
        made(BASE).load_parent(made(CHILD).state_dict(), CHILD.subsets)


def test_another_architecture_cannot_be_taken_over():
    with pytest.raises(UserError, match="expected the architecture of the recipe it starts from"):
        made(CHILD).load_parent(
            made(replace(BASE, model_args={"widths": (4, 8, 16), "depth": 1, "stride": 4})).state_dict(), BASE.subsets
        )
