"""A trained network as one file: it answers as PyTorch does, or is not written."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from solution import recipes
from solution.__main__ import main
from solution.data.competition import Competition
from solution.deploy import portable
from solution.deploy.export import LIMIT
from solution.deploy.portable import ONNX, TORCHSCRIPT, Portable, farthest, in_pytorch
from solution.keypoints import FACE15, POINTS
from solution.recipe import LandmarkRecipe
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.landmarks.predict import load
from tests.small import small_faces
from tests.tiny_recipes import ALL, BASE, OTHER

Cli = Callable[..., tuple[int, str, str]]
kinds = pytest.mark.parametrize("kind", [ONNX, TORCHSCRIPT])
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")
EYES, HRNET = recipes.load("eye_classifier"), recipes.load("hrnet_all")


@pytest.fixture
def cli(drawn_folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Export from a finished run below a root: the exit code, and what was said on both streams."""

    def call(root: Path, *words: str, scale: str = "smoke") -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["export", *words, "--data", str(drawn_folder), "--scale", scale], root)
        return (code, *capsys.readouterr())

    return call


def ask(kind: str, path: Path, images: np.ndarray, subset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a file answers, asked as another program would."""
    if kind == ONNX:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return tuple(session.run(["coords", "sigma"], {"images": images, "subset": subset.astype(np.int64)}))
    answer = torch.jit.load(str(path))(torch.from_numpy(images), torch.from_numpy(subset.astype(np.int64)))
    return tuple(part.detach().numpy() for part in answer)


@kinds
@pytest.mark.parametrize("recipe", ALL, ids=lambda recipe: recipe.name)
def test_a_file_answers_as_the_training_does(
    finished_copy: Path, drawn: Competition, cli: Cli, kind: str, recipe: LandmarkRecipe
):
    path = finished_copy / f"net{portable.SUFFIX[kind]}"
    code, said, _ = cli(finished_copy, recipe.name, "--fold", "1", "--format", kind, "--out", str(path))
    assert code == 0
    assert float(re.search(r"at most ([\d.]+) px from PyTorch", said)[1]) <= LIMIT
    _, net, offset = load(finished_copy / "folds" / "faces" / recipe.name / "fold1", torch.device("cpu"))
    assert np.abs(offset.values).max() > 0
    for rows in (np.array([3]), np.arange(len(drawn.test))):  # one alone, and as many as there are
        faces = drawn.test.take(rows)
        with torch.inference_mode():
            raw, sigma = net(torch.from_numpy(faces.images), torch.from_numpy(faces.subset))
        coords, own_sigma = ask(kind, path, faces.images, faces.subset)
        want = offset.restore(raw.numpy(), faces.subset)
        np.testing.assert_allclose(coords, want, atol=LIMIT)
        np.testing.assert_allclose(own_sigma, sigma.numpy(), atol=LIMIT)
        assert coords.dtype == own_sigma.dtype == np.float32
        for s in (15, 4):
            answered = np.isin(np.arange(15), POINTS[s]) & (s in recipe.subsets)
            assert (~np.isnan(coords[faces.subset == s]) == answered[:, None]).all()
    facts = facts_of(kind, path)
    assert (facts["recipe"], facts["fold"]) == (recipe.name, "1")
    assert facts["points"].split(",") == list(FACE15.points)


def facts_of(kind: str, path: Path) -> dict[str, str]:
    """What a file says of itself."""
    if kind == ONNX:
        return {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    extra = {portable.FACTS: ""}
    torch.jit.load(str(path), _extra_files=extra)
    return json.loads(extra[portable.FACTS])


def test_the_speeds_are_measured_on_request(finished_copy: Path, cli: Cli):
    code, said, _ = cli(finished_copy, "other", "--format", TORCHSCRIPT, "--bench")
    assert code == 0
    for who in ("PyTorch fp32", "PyTorch bf16", "TorchScript fp32", "ONNX Runtime fp32"):
        assert int(re.search(rf"{who} (\d+)", said)[1]) > 0
    assert "Speed" not in cli(finished_copy, "other", "--format", TORCHSCRIPT)[1]
    assert [path.name for path in (finished_copy / "folds" / "faces" / "export").iterdir()] == ["other-fold0.pt"]


def test_a_file_that_answers_otherwise_is_not_written(finished_copy: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch):
    path = finished_copy / "net"
    path.write_text("the file of another day")
    real = portable.write

    def shifted(kind: str, net: Portable, path: Path, facts: dict[str, str]) -> None:
        net.shift += 2 * LIMIT
        real(kind, net, path, facts)

    monkeypatch.setattr(portable, "write", shifted)
    code, _, wrong = cli(finished_copy, "base", "--format", TORCHSCRIPT, "--out", str(path))
    assert code == 2
    assert f"expected answers within {LIMIT} px of PyTorch's, got 0.0200 px" in wrong
    assert path.read_text() == "the file of another day"
    assert not list(finished_copy.glob(".*-net"))


REFUSED = {
    "a method that is no network": (["eye_classifier"], "smoke", "expected a landmark network, got one of method"),
    "an unknown recipe": (["bose"], "smoke", "Did you mean base?"),
    "a recipe of another scale": (["hrnet_all"], "smoke", "expected one that runs at scale smoke, it runs at full"),
    "an unknown fold": (["base", "--fold", "5"], "smoke", "--fold 5: expected 0 to 4"),
    "a training of another scale": (["base"], "cpu", "train --recipe base --fold 0` with the same --data and --scale"),
}


@pytest.mark.parametrize(("words", "scale", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_exported_is_refused_in_one_line(
    finished_copy: Path, cli: Cli, words: list[str], scale: str, said: str, use_recipes: Callable[..., None]
):
    use_recipes(*(replace(recipe, scales={"cpu": {"epochs": 2}}) for recipe in ALL), EYES, HRNET)
    code, _, wrong = cli(finished_copy, *words, scale=scale)
    assert code == 2
    assert said in wrong
    assert wrong.count("\n") == 1
    assert not (finished_copy / "folds" / "faces" / "export").exists()


def test_a_missing_training_and_a_path_that_cannot_be_written_are_errors_of_one_line(finished_copy: Path, cli: Cli):
    (finished_copy / "taken").write_text("")
    code, _, wrong = cli(finished_copy, "base", "--out", str(finished_copy / "taken" / "net.onnx"))
    assert (code, wrong.count("\n")) == (2, 1)
    assert "net.onnx" in wrong
    shutil.rmtree(finished_copy / "folds" / "faces" / "base" / "fold0")
    code, _, wrong = cli(finished_copy, "base")
    assert (code, wrong.count("\n")) == (2, 1)
    assert "expected a finished training" in wrong
    assert "python -m solution train --recipe base --fold 0" in wrong


LANDMARKS = [recipe for recipe in recipes.load_all() if isinstance(recipe, LandmarkRecipe) and "cpu" in recipe.runs_at]
BY_MODEL = {recipe.model: recipe for recipe in LANDMARKS}


@pytest.mark.parametrize("recipe", BY_MODEL.values(), ids=BY_MODEL.keys())
def test_every_architecture_can_be_exported(recipe: LandmarkRecipe, tmp_path: Path):
    torch.manual_seed(0)
    net = LandmarkNet(recipe.at("cpu")).eval()
    offset = LabelOffset(np.random.default_rng(0).normal(size=(2, 15)))
    faces = small_faces(3, 3)
    for kind in (ONNX, TORCHSCRIPT):
        path = tmp_path / f"net{portable.SUFFIX[kind]}"
        portable.write(kind, Portable(net, offset), path, {})
        assert farthest(portable.load(kind, path), in_pytorch(net, offset), faces) <= LIMIT


def test_an_answer_that_only_one_gives_is_infinitely_far():
    every, some = (in_pytorch(LandmarkNet(recipe).eval(), LabelOffset()) for recipe in (BASE, OTHER))
    assert farthest(every, some, small_faces(2, 2)) == float("inf")
    assert farthest(every, every, small_faces(2, 2)) == 0.0


def test_the_check_sees_a_file_that_took_the_batch_for_granted():
    def stubborn(images: np.ndarray, subset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = np.zeros((len(images), 15, 2), np.float32)
        found[2:] = 1  # knows two pictures only
        return found, np.zeros((len(images), 15), np.float32)

    def right(images: np.ndarray, subset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((len(images), 15, 2), np.float32), np.zeros((len(images), 15), np.float32)

    assert farthest(stubborn, right, small_faces(2, 2)) == 1.0
