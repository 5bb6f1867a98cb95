"""Ablations: a recipe with one change, trained on the same folds and compared with the recipe.

`python -m solution ablate RECIPE/ABLATION` trains an ablation and compares it with the recipe's finished trainings.
docs/experiments.md has the results.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from solution import recipes
from solution.codecs import Coordinates, Heatmap, SimCC
from solution.recipe import Augmentation, LandmarkRecipe, Optimiser
from solution.recipes.timm_all import RECIPE as TIMM_ALL
from solution.runtime.errors import UserError, suggestion

WIDER = Augmentation(rotation=25.0, scale=0.2, shift=0.1)
ELASTIC = Augmentation(elastic=1.0)
TIMM = TIMM_ALL.model_args
NEAR = {"crop": 24, "steps": (1.0,)}


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """One change of a recipe."""

    asks: str
    """The change, in words."""
    change: Mapping[str, Any] = field(default_factory=dict)
    """New values for fields of the recipe."""
    rows: str = "as_given"
    """The row filter: a name out of ROW_FILTERS in study.py."""
    of: tuple[str, ...] = ()
    """The architectures (names of models/) that it can be applied to. None: all."""

    def recipe(self, base: LandmarkRecipe) -> LandmarkRecipe:
        """The changed recipe. It keeps its name and so its seeds, so that all other random choices stay the same."""
        return replace(base, **self.change)


COLD = {"init_from": None}
"""Start from random weights. Another architecture has to, so compare it with the ablation `cold`."""

MAPS = ("unet", "timm_unet")
"""Architectures that end in heatmaps. They and the cascades on them predict sigma."""


def _cascade(**settings: Any) -> dict[str, Any]:  # noqa: ANN401 - arguments of the model
    return {"model": "cascade", "codec": Coordinates(), "model_args": settings, **COLD}


def _variant(part: str) -> dict[str, Any]:
    return {"model": "unet_variant", "model_args": {part: True}, **COLD}


ABLATIONS: Mapping[str, Ablation] = {
    "seed": Ablation(asks="the recipe itself with another seed: how much two trainings differ", change={"seed": 1}),
    "sane": Ablation(asks="without training rows whose labels are outliers for the parent's network", rows="sane"),
    "duplicates": Ablation(asks="identical pictures all have the mean of their labels", rows="duplicates"),
    "pseudo": Ablation(asks="with test pictures, labelled by the same fold's specialists", rows="pseudo"),
    "squared": Ablation(asks="squared error throughout", change={"loss": "squared"}),
    "heavy_tailed": Ablation(
        asks="Student-t likelihood with the network's own sigma",
        change={"loss": "heavy_tailed"},
        of=(*MAPS, "cascade"),
    ),
    "wider": Ablation(asks="stronger rotation, scale and shift", change={"augmentation": WIDER}),
    "elastic": Ablation(asks="elastically bent pictures, 1 px rms", change={"augmentation": ELASTIC}),
    "long": Ablation(asks="16 epochs", change={"epochs": 16}),
    "cold": Ablation(asks="from random weights instead of a network of 68 points", change=COLD),
    "gentle": Ablation(asks="a learning rate of 0.0005", change={"optimiser": Optimiser(lr=5e-4)}),
    "cascade": Ablation(
        asks="fine networks on crops around the first estimate, at three scales", change=_cascade(), of=("unet",)
    ),
    "cascade_near": Ablation(asks="the same with the nearest 24 pixels alone", change=_cascade(**NEAR), of=("unet",)),
    "cascade_32": Ablation(asks="the nearest 32 pixels alone", change=_cascade(**NEAR | {"crop": 32}), of=("unet",)),
    "cascade_two": Ablation(
        asks="24 samples a side at two scales", change=_cascade(**NEAR | {"steps": (1.0, 2.0)}), of=("unet",)
    ),
    "cascade_wide": Ablation(
        asks="three scales, wider fine networks", change=_cascade(fine=(24, 48, 96)), of=("unet",)
    ),
    "cascade_timm": Ablation(asks="three scales on a timm backbone", change=_cascade(**TIMM), of=("timm_unet",)),
    "cascade_timm_near": Ablation(
        asks="the nearest 24 pixels, on a timm backbone", change=_cascade(**NEAR, **TIMM), of=("timm_unet",)
    ),
    "simcc": Ablation(
        asks="1-D distributions of x and of y instead of a map",
        change={"model": "simcc", "codec": SimCC(bins=192), **COLD},
        of=("unet",),
    ),
    "fine": Ablation(asks="maps of 48×48 instead of 24×24", change={"codec": Heatmap(size=48), **COLD}, of=MAPS),
    "places": Ablation(asks="coordinate channels beside the picture", change=_variant("places"), of=("unet",)),
    "attention": Ablation(asks="squeeze-and-excitation in every block", change=_variant("attention"), of=("unet",)),
    "antialias": Ablation(asks="blurred before every halving", change=_variant("antialias"), of=("unet",)),
}


def load(name: str) -> tuple[str, Ablation]:
    """The recipe's name and the ablation of a name RECIPE/ABLATION. UserError with a suggestion if there is none."""
    base, _, ablation = name.partition("/")
    if ablation not in ABLATIONS:
        hint = suggestion(ablation, ABLATIONS, f"{base}/") or f"There are: {', '.join(ABLATIONS)}."
        raise UserError(f"ablation {name!r}: expected RECIPE/ABLATION such as unet_4/sane. {hint}")
    recipe, change = recipes.load(base), ABLATIONS[ablation]
    if recipe.landmarks is None:
        raise UserError(f"ablation {name!r}: expected a landmark recipe, {base} is none")
    if change.of and recipe.landmarks.model not in change.of:
        model = recipe.landmarks.model
        raise UserError(f"ablation {name!r}: expected a recipe of model {' or '.join(change.of)}, {base}'s is {model}")
    return base, change
