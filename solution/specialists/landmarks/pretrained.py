"""Initial weights from ImageNet or from a network that has learnt other faces. Random ones never replace them silently.

A recipe asks for ImageNet's weights by `model_args={"pretrained": "hub", …}`: they come from the hub or a file. It asks
for a network that comes with the code by `init_from="unet_68"`. `InitWeights` is the user's choice. It replaces both
settings by what is really used, so that the recipe's digest depends on it. Only a training loads initial weights.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

import timm
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from solution.models.timm_unet import encoder
from solution.recipe import LandmarkRecipe, Recipe
from solution.runtime.artifacts import file_digest
from solution.runtime.errors import UserError
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.training import WEIGHTS

HUB = "hub"
NONE = "none"
SHIPPED = Path(__file__).parents[2] / "weights"
"""Networks that come with the code: a folder for each recipe, with a card."""


@dataclass(frozen=True)
class InitWeights:
    """The user's choice of initial weights."""

    folder: Path | None = None  # contains ImageNet's weights as BACKBONE.safetensors; None: they come from timm's hub
    wanted: bool = True  # if not, all networks start from random weights

    def chosen(self, recipe: Recipe) -> Recipe:
        """The recipe that names what is used. UserError if a file is missing.

        `pretrained` becomes "hub", "file: SHA-256" or "none"; `init_from` becomes "NAME: SHA-256" or None.
        """
        if recipe.landmarks and (name := recipe.landmarks.init_from):
            used = f"{name}: {_shipped_digest(shipped(name))}" if self.wanted else None
            return replace(recipe.landmarks, init_from=used)
        if not asks(recipe):
            return recipe
        path = self.file(recipe)
        used = NONE if not self.wanted else HUB if path is None else f"file: {_digest(path)}"
        return replace(recipe, model_args={**recipe.model_args, "pretrained": used})

    def file(self, recipe: Recipe) -> Path | None:
        """The file of the recipe's weights; None if it asks for none or they come from the hub."""
        if not asks(recipe) or self.folder is None:
            return None
        return self.folder / f"{recipe.model_args['backbone']}.safetensors"


def source_of(recipe: Recipe) -> str | None:
    """The initial weights that the recipe names; None if it names none."""
    network = recipe.landmarks
    return (network.init_from or network.model_args.get("pretrained")) if network else None


def asks(recipe: Recipe) -> TypeGuard[LandmarkRecipe]:
    """Whether the recipe asks for ImageNet's weights."""
    return bool(recipe.landmarks and recipe.landmarks.model_args.get("pretrained") not in (None, NONE))


def shipped(name: str) -> Path:
    """The file of a network that comes with the code, by its recipe's name."""
    return SHIPPED / name / WEIGHTS


def start(net: LandmarkNet, recipe: LandmarkRecipe, path: Path | None) -> None:
    """Load the initial weights that the recipe names. UserError if they are missing or do not fit."""
    if recipe.init_from:
        net.init_from(_loaded(shipped(recipe.init_from.split(":")[0])))
    if asks(recipe):
        net.body.get_submodule("encoder").load_state_dict(fetch(recipe, path).state_dict())


def fetch(recipe: LandmarkRecipe, path: Path | None) -> nn.Module:
    """The recipe's encoder with pretrained weights from `path`, or the hub. UserError if they cannot be loaded."""
    arguments = recipe.model_args
    backbone, options = arguments["backbone"], arguments.get("options", {})
    try:
        if path is None:
            return encoder(backbone, options, pretrained=True)
        _check_names(path, backbone, options)
        return encoder(backbone, options, pretrained=True, pretrained_cfg_overlay={"file": str(path)})
    except Exception as error:  # hub, proxy, disk and file format have error classes of their own
        wanted = path or "the Hugging Face hub"
        raise UserError(
            f"recipe {recipe.name}: expected weights of {backbone} as timm publishes them from {wanted}, got: "
            f"{_first_line(error)}. Go online, or put them into a folder as {backbone}.safetensors and name it with "
            "--weights DIR, or start from random weights with --no-pretrained."
        ) from error


def _loaded(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, in single precision."""
    try:
        return {name: value.float() if value.is_floating_point() else value for name, value in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise _incomplete(path, error) from error


def _shipped_digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise _incomplete(path, error) from error


def _incomplete(path: Path, error: Exception) -> UserError:
    return UserError(
        f"{path}: expected weights that come with the code, got: {_first_line(error)}. "
        "Fetch the code again, or start from random weights with --no-pretrained."
    )


def _check_names(path: Path, backbone: str, options: dict) -> None:
    """ValueError if the file lacks one of the backbone's tensors: timm would leave it random."""
    with torch.device("meta"):
        whole = timm.create_model(backbone, in_chans=1, num_classes=0, **options)
    with safe_open(path, "pt") as content:
        found = set(content.keys())
    missing = [name for name in whole.state_dict() if name not in found and not name.endswith("num_batches_tracked")]
    if missing:
        raise ValueError(f"{len(missing)} tensors are missing, the first is {missing[0]}")


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise UserError(
            f"--weights {path.parent}: expected {path.name} there, got: {error.strerror}. "
            "Put it there, or start from random weights with --no-pretrained."
        ) from error


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".rstrip(": .")
