import json

import pytest
import torch

from solution import recipes
from solution.codecs import CODECS
from solution.keypoints import POINTS
from solution.models import build
from solution.models import names as models
from solution.recipe import SCALES, Landmark68Recipe, LandmarkRecipe, PatchRecipe, Recipe
from solution.runtime.errors import UserError
from solution.specialists.landmarks.losses import LOSSES
from solution.specialists.landmarks.predict import recipe_from

ALL = recipes.load_all()
LANDMARKS = [recipe for recipe in ALL if isinstance(recipe, LandmarkRecipe)]
by_name = pytest.mark.parametrize("recipe", ALL, ids=lambda recipe: recipe.name)


@by_name
def test_a_recipe_has_its_files_name(recipe: Recipe):
    assert recipes.load(recipe.name) is recipe
    assert bool(recipe.runs_at) != isinstance(recipe, Landmark68Recipe)  # trained by its own verb, on other pictures


@by_name
@pytest.mark.parametrize("scale", SCALES)
def test_settings_survive_json_at_every_scale(recipe: Recipe, scale: str):
    here = recipe.at(scale)
    settings = json.loads(json.dumps(here.settings()))
    restored = PatchRecipe.restored(settings) if isinstance(recipe, PatchRecipe) else recipe_from(settings)
    assert restored.digest() == here.digest()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("recipe", LANDMARKS, ids=lambda recipe: recipe.name)
def test_a_network_is_built_at_every_scale(recipe: LandmarkRecipe, scale: str):
    here = recipe.at(scale)
    points = sum(len(POINTS[s]) for s in here.subsets)
    with torch.device("meta"):  # shapes alone: the large ones would take long to fill
        net = build(here, points)
    assert sum(p.numel() for p in net.parameters()) > 10_000
    assert here.loss in LOSSES
    assert here.codec.kind in CODECS


def test_each_recipe_comes_after_the_one_it_starts_from():
    placed: set[str] = set()
    for recipe in ALL:
        assert recipe.parent is None or recipe.parent in placed
        placed.add(recipe.name)
    assert placed == set(recipes.names())


@pytest.mark.parametrize("scale", SCALES)
def test_what_runs_at_a_scale_covers_both_subsets_and_what_it_starts_from(scale: str):
    running = [recipe for recipe in ALL if scale in recipe.runs_at]
    assert {s for recipe in running if isinstance(recipe, LandmarkRecipe) for s in recipe.subsets} == {15, 4}
    assert {r.parent for r in running} - {None} <= {r.name for r in running}


def test_an_unknown_name_suggests_the_nearest():
    name = recipes.names()[-1]
    with pytest.raises(UserError, match=f"Did you mean {name}"):
        recipes.load(f"{name}x")
    with pytest.raises(UserError, match=f"There are: .*{name}"):
        recipes.load("qqqqqq")


def test_an_unknown_architecture_names_those_there_are():
    wrong = LandmarkRecipe(**{**vars(LANDMARKS[0]), "model": "transformer"})
    with pytest.raises(UserError, match=f"expected one of {', '.join(models())}"):
        build(wrong, 15)
