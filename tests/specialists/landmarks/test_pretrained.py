"""Pretrained weights come from where the user says, or the run stops: never silently random, and the digest tells."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from solution import recipes
from solution.__main__ import main
from solution.codecs import Heatmap
from solution.data.competition import Competition
from solution.recipe import SCALES, LandmarkRecipe
from solution.runtime.artifacts import file_digest, manifest
from solution.runtime.errors import UserError
from solution.specialists.landmarks import predict, pretrained
from solution.specialists.landmarks.network import HEAD, LandmarkNet
from solution.specialists.landmarks.pretrained import InitWeights, asks, fetch, shipped, source_of
from solution.specialists.landmarks.train import LandmarkTask
from solution.specialists.training import Training
from tests import jobs
from tests.tiny_recipes import BASE

BACKBONE = "resnet10t"
SMALL = {"channels": (8, 8, 8, 8), "stem_width": 8, "stem_type": "deep_tiered"}
TINY = LandmarkRecipe(
    name="tiny",
    model="timm_unet",
    rows="all",
    codec=Heatmap(size=24),
    model_args={"backbone": BACKBONE, "options": SMALL, "pretrained": "hub"},
    epochs=1,
    batch=32,
)
FIRST = "conv1.0.weight"
CPU = torch.device("cpu")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every download fail."""
    create = timm.create_model

    def no_network(name: str, **settings: object) -> object:
        if settings.get("pretrained") and "pretrained_cfg_overlay" not in settings:
            raise ConnectionError("Name or service not known\nand more")
        return create(name, **settings)

    monkeypatch.setattr(timm, "create_model", no_network)


def backbone(channels: int) -> dict[str, torch.Tensor]:
    """Random weights as timm would publish them, for pictures of that many channels."""
    torch.manual_seed(channels)
    return timm.create_model(BACKBONE, in_chans=channels, **SMALL).state_dict()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the tiny backbone's weights for coloured pictures."""
    (tmp_path / "weights").mkdir()
    save_file(backbone(3), tmp_path / "weights" / f"{BACKBONE}.safetensors")
    return tmp_path / "weights"


def test_each_recipe_that_asks_names_weights_that_timm_has():
    asking = [recipe for recipe in recipes.load_all() if asks(recipe)]
    assert asking
    for recipe in asking:
        assert isinstance(recipe, LandmarkRecipe)
        assert recipe.runs_at == ("full",)
        assert source_of(recipe) == "hub"
        name, tag = recipe.model_args["backbone"].split(".")  # the tag: timm's default may change
        assert timm.get_pretrained_cfg(f"{name}.{tag}").hf_hub_id


@pytest.mark.usefixtures("offline")
def test_offline_the_message_gives_the_choice():
    with pytest.raises(UserError) as caught:
        fetch(TINY, None)
    message = str(caught.value)
    assert message.startswith(
        f"recipe tiny: expected weights of {BACKBONE} as timm publishes them from the Hugging Face"
    )
    assert "ConnectionError: Name or service not known. Go online" in message
    assert f"{BACKBONE}.safetensors" in message
    assert "--weights DIR" in message
    assert "--no-pretrained" in message
    assert "\n" not in message


@pytest.mark.parametrize("channels", [1, 3])
def test_a_local_file_is_what_the_encoder_starts_with(folder: Path, channels: int):
    weights = backbone(channels)
    save_file(weights, folder / f"{BACKBONE}.safetensors")
    found = fetch(TINY, folder / f"{BACKBONE}.safetensors").state_dict()
    torch.testing.assert_close(found[FIRST], weights[FIRST].sum(1, keepdim=True))  # grey is all colours at once
    others = [name for name in found if name != FIRST]
    assert len(others) > 50
    for name in others:
        assert torch.equal(found[name], weights[name]), name


@pytest.mark.parametrize("flaw", ["another network's", "cut off", "a pickle"])
def test_a_file_that_is_not_the_backbones_is_a_user_error(folder: Path, flaw: str):
    path = folder / f"{BACKBONE}.safetensors"
    if flaw == "another network's":
        save_file({name: value for name, value in backbone(1).items() if "layer4" not in name}, path)
        expected = "tensors are missing, the first is layer4.0.conv1.weight"
    else:
        path.write_bytes(path.read_bytes()[:-500] if flaw == "cut off" else pickle.dumps({}))
        expected = "SafetensorError"
    with pytest.raises(UserError, match=expected) as caught:
        fetch(TINY, path)
    assert str(path) in str(caught.value)


def test_the_digest_tells_which_weights_are_used(folder: Path):
    path = folder / f"{BACKBONE}.safetensors"
    local = InitWeights(folder)
    first = local.chosen(TINY)
    assert source_of(first) == f"file: {file_digest(path)}"
    save_file(backbone(1), path)
    used = [InitWeights().chosen(TINY), first, local.chosen(TINY), InitWeights(wanted=False).chosen(TINY)]
    assert [source_of(used[0]), source_of(used[3])] == ["hub", "none"]
    assert len({recipe.digest() for recipe in used}) == 4
    assert local.chosen(BASE) is BASE
    assert local.file(BASE) is None
    path.unlink()
    with pytest.raises(UserError, match=rf"--weights {folder}: expected {BACKBONE}\.safetensors there, got: No such"):
        local.chosen(TINY)


def test_a_training_starts_from_the_file_and_is_predicted_without_it(
    folder: Path, drawn: Competition, drawn_folder: Path, tmp_path: Path
):
    weights = InitWeights(folder)
    chosen = weights.chosen(TINY)
    job = Training(chosen, 0, tmp_path, drawn.train, drawn.train, CPU, {}, weights=weights.file(chosen))
    net = LandmarkTask(job).net.state_dict()
    torch.testing.assert_close(net[f"body.encoder.{FIRST}"], backbone(3)[FIRST].sum(1, keepdim=True))

    run = replace(jobs.run_of(tmp_path, drawn_folder), weights=weights)
    run.job(chosen, 0).run(CPU)
    content = manifest(run.workspace.fold("tiny", 0))
    assert content is not None
    assert content["pretrained"] == f"file: {file_digest(folder / f'{BACKBONE}.safetensors')}"
    assert content["inputs"]["recipe"]["model_args"]["pretrained"] == content["pretrained"]
    (folder / f"{BACKBONE}.safetensors").unlink()
    found = predict.predict(run.workspace.fold("tiny", 0), drawn.test, CPU)
    assert len(found.ids) == len(drawn.test)


@pytest.fixture
def train(drawn_folder: Path, tmp_path: Path, use_recipes: Callable[..., None]) -> Callable[..., int]:
    """Train fold 0 of BASE and TINY at full, from the command line."""
    use_recipes(BASE, TINY)

    def call(*more: str) -> int:
        common = ["--data", str(drawn_folder), "--scale", "full", "--jobs", "1", *more]
        assert main(["folds", *common], tmp_path) == 0
        return main(["train", "--fold", "0", *common], tmp_path)

    return call


@pytest.mark.usefixtures("offline")
def test_offline_nothing_is_trained_until_the_user_chooses(
    train: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert train() == 2
    assert "--no-pretrained" in capsys.readouterr().err
    assert not list(tmp_path.rglob("fold0"))
    assert train("--no-pretrained") == 0
    folds = tmp_path / "folds" / "faces"
    assert json.loads((folds / "tiny" / "fold0" / "manifest.json").read_text())["pretrained"] == "none"
    assert "pretrained" not in json.loads((folds / "base" / "fold0" / "manifest.json").read_text())
    assert train() == 2  # the ones from random weights do not pass for the wished ones
    assert "Train: 1 of 2 trainings are complete" in capsys.readouterr().out


@pytest.mark.usefixtures("offline")
def test_the_folder_can_be_named_on_the_command_line(
    train: Callable[..., int], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert train("--weights", str(tmp_path / "nowhere")) == 2
    assert f"{BACKBONE}.safetensors there, got: No such file" in capsys.readouterr().err
    assert train("--weights", str(folder)) == 0
    weights = load_file(tmp_path / "folds" / "faces" / "tiny" / "fold0" / "weights.safetensors")
    moved = (weights[f"body.encoder.{FIRST}"] - backbone(3)[FIRST].sum(1, keepdim=True)).abs().mean()
    assert moved < 0.05 * backbone(3)[FIRST].sum(1).abs().mean()
    with pytest.raises(SystemExit):
        train("--weights", str(folder), "--no-pretrained")


WARM = [recipe for recipe in recipes.load_all() if isinstance(recipe, LandmarkRecipe) and recipe.init_from]


@pytest.mark.parametrize("recipe", WARM, ids=[recipe.name for recipe in WARM])
@pytest.mark.parametrize("scale", SCALES)
def test_a_warm_start_is_the_shipped_network_but_for_its_head(recipe: LandmarkRecipe, scale: str):
    recipe = InitWeights().chosen(recipe.at(scale))
    assert isinstance(recipe, LandmarkRecipe)
    if recipe.init_from is None:  # another size of network
        assert scale == "full"
        return
    torch.manual_seed(0)
    net = LandmarkNet(recipe)
    fresh = {name: value.clone() for name, value in net.state_dict().items()}
    pretrained.start(net, recipe, None)
    given = load_file(shipped(recipe.init_from.split(":")[0]))
    for name, value in net.state_dict().items():
        expected = fresh[name] if name.startswith(HEAD) else given[name].to(value.dtype)
        assert torch.equal(value, expected), name


def test_a_warm_start_is_named_by_its_digest_and_can_be_declined():
    assert WARM
    for recipe in WARM:
        used, declined = InitWeights().chosen(recipe), InitWeights(wanted=False).chosen(recipe)
        assert source_of(used) == f"{recipe.init_from}: {file_digest(shipped(recipe.init_from or ''))}"
        assert source_of(declined) is None
        assert len({one.digest() for one in (recipe, used, declined)}) == 3
        assert not asks(used)


def test_weights_of_another_network_are_refused():
    recipe = replace(WARM[0], model="unet", model_args={"widths": (8, 8, 16, 16)}, init_from="unet_68")
    with pytest.raises(UserError, match="expected it in the initial weights"):
        pretrained.start(LandmarkNet(recipe), recipe, None)
    with pytest.raises(UserError, match="expected weights that come with the code, got: FileNotFoundError"):
        pretrained.start(LandmarkNet(recipe), replace(recipe, init_from="nowhere"), None)
    with pytest.raises(UserError, match=r"nowhere/.*expected weights that come with the code, got: .* --no-pretrained"):
        InitWeights().chosen(replace(recipe, init_from="nowhere"))
