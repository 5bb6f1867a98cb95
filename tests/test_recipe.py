from dataclasses import replace

import pytest

from solution.codecs import Direct, Heatmap
from solution.recipe import Augmentation, LandmarkRecipe, Optimiser
from solution.runtime.errors import UserError
from solution.specialists.landmarks.predict import recipe_from

RECIPE = LandmarkRecipe(
    name="one",
    model="unet",
    rows="15",
    codec=Heatmap(size=24),
    model_args={"widths": (4, 8)},
    scales={"smoke": {"epochs": 2}, "full": {"epochs": 90, "model_args": {"widths": (8, 16)}}},
)


def test_a_misspelt_setting_is_a_type_error():
    with pytest.raises(TypeError, match="epoch"):
        LandmarkRecipe(name="one", model="unet", rows="15", codec=Direct(), epoch=3)
    with pytest.raises(TypeError, match="rotations"):
        Augmentation(rotations=3)
    with pytest.raises(TypeError):
        replace(RECIPE, scales={"smoke": {"epoch": 3}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": "5"},
        {"epochs": 0},
        {"batch": 1},
        {"scales": {"huge": {}}},
        {"scales": {"smoke": {"epochs": 0}}},
        {"runs_at": ("huge",)},
    ],
)
def test_a_setting_out_of_range_is_a_value_error(wrong: dict):
    with pytest.raises(ValueError, match="expected"):
        replace(RECIPE, **wrong)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (Augmentation, {"rotation": 181}),
        (Augmentation, {"scale": 1}),
        (Augmentation, {"shift": -0.1}),
        (Augmentation, {"elastic": -1}),
        (Augmentation, {"light": 1}),
        (Optimiser, {"lr": 0}),
        (Optimiser, {"warm_up": 0}),
        (Optimiser, {"average": 1}),
    ],
)
def test_the_parts_are_checked_too(kind: type, wrong: dict):
    with pytest.raises(ValueError, match="expected"):
        kind(**wrong)


CHANGES = [
    {"name": "two"},
    {"model": "regressor"},
    {"rows": "all"},
    {"codec": Heatmap(size=48)},
    {"codec": Direct()},
    {"model_args": {"widths": (4, 9)}},
    {"epochs": 31},
    {"batch": 32},
    {"seed": 1},
    {"parent": "two"},
    {"runs_at": ("cpu",)},
    {"loss": "squared"},
    {"init_from": "unet_68"},
    {"augmentation": Augmentation(elastic=1.0)},
    {"optimiser": Optimiser(clip=1.0)},
    {"scales": {}},
]


def test_the_digest_changes_with_every_field():
    digests = {RECIPE.digest(), *(replace(RECIPE, **change).digest() for change in CHANGES)}
    assert len(digests) == len(CHANGES) + 1
    assert {key for change in CHANGES for key in change} == set(RECIPE.settings()) - {"method"}


def test_a_scale_puts_its_fields_in():
    full, smoke, cpu = (RECIPE.at(scale) for scale in ("full", "smoke", "cpu"))
    assert (full.epochs, full.model_args) == (90, {"widths": (8, 16)})
    assert (smoke.epochs, smoke.model_args) == (2, {"widths": (4, 8)})
    assert cpu == replace(RECIPE, scales={})
    assert {full.scales == {}, smoke.scales == {}} == {True}


def test_rows_name_the_subsets():
    assert [replace(RECIPE, rows=rows).subsets for rows in ("15", "4", "all")] == [(15,), (4,), (15, 4)]


def test_a_recipe_is_restored_from_its_settings():
    for recipe in (RECIPE.at("full"), replace(RECIPE, codec=Direct(), optimiser=Optimiser(lr=0.5)).at("cpu")):
        again = recipe_from(recipe.settings())
        assert again.settings() == recipe.settings()
        assert again.digest() == recipe.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"forgotten": 1},
        {"augmentation": {"forgotten": 1}},
        {"optimiser": {"forgotten": 1}},
        {"codec": {"kind": "forgotten"}},
        {"method": "forgotten"},
    ],
)
def test_settings_of_another_version_are_refused_by_name(change: dict):
    with pytest.raises(UserError, match=r"one: expected settings of this version.*forgotten.* Train it again"):
        recipe_from(RECIPE.at("cpu").settings() | change)
