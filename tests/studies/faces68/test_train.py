"""From labelled pictures to trained folds, their score, and `evaluate`, with a network that trains in a second."""

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from solution import recipes
from solution.__main__ import main
from solution.data.landmarks68 import read_frames
from solution.deploy.photo.framing import mean_shape
from solution.keypoints import FACE68
from solution.runtime.artifacts import MANIFEST, intact, manifest, seal
from solution.specialists.landmarks.network import HEAD
from solution.specialists.training import PREDICTIONS, WEIGHTS
from solution.studies.faces68 import release_weights, train
from solution.studies.faces68.crops import held_faces, training_faces
from solution.studies.faces68.nme import Score, interocular, pooled, score
from solution.studies.faces68.release_weights import release_trunk
from solution.studies.faces68.train import FOLDS, FoldJob, Study
from tests.sketches import face68, write_zip

UNET = {"widths": (8, 16, 16), "depth": 1, "stride": 4}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zip(tmp_path_factory.mktemp("faces") / "training.zip", persons=10, each=4)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a finished cross-validation."""
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        small(patch)
        assert main(["faces68", "--data", str(data), "--scale", "smoke", "--jobs", "1", "--device", "cpu"], root) == 0
    return root


def small(patch: pytest.MonkeyPatch) -> None:
    """Let the recipe be a tiny one."""
    tiny = replace(recipes.load("unet_68"), model_args=UNET, epochs=3, batch=8, scales={})
    patch.setattr(recipes, "load", lambda name: tiny)


def test_a_training_face_is_shown_aligned_and_as_found(data: Path):
    frames = read_frames(data)
    shape = mean_shape(frames.coords, 0.85)
    faces = training_faces(frames, shape, np.random.default_rng(0))
    assert faces.images.shape == (80, 96, 96)
    tidy, found = faces.coords[:40], faces.coords[40:]
    assert np.abs(tidy - shape).mean() < 3
    off = np.nanmean(found - shape, axis=1)
    assert 4 < off.std() < 14
    assert np.isnan(found).any()  # a point that left the frame is no label
    np.testing.assert_array_equal(held_faces(frames, shape).coords, tidy)
    for image, points in zip(faces.images, faces.coords, strict=True):  # the labels are where the picture has the eyes
        eyes = np.rint(np.nanmean(points[36:42], axis=0)).astype(int)
        assert image[eyes[1], eyes[0]] < 100


def test_every_fold_is_measured_on_persons_it_has_not_seen(trained: Path, data: Path):
    study = Study(trained, data, "smoke")
    persons, held = np.array(study.frames.persons), []
    for fold in range(FOLDS):
        folder = study.folder(fold)
        facts = manifest(folder) or {}
        with np.load(folder / PREDICTIONS, allow_pickle=False) as arrays:
            names, coords, sigma = arrays["names"].tolist(), arrays["coords"], arrays["sigma"]
        rows = np.isin(study.frames.names, names)
        assert set(persons[rows]) & set(persons[~rows]) == set()
        found = score(coords, study.frames.coords[rows], FACE68)
        assert vars(found) == {name: facts[name] for name in vars(found)}
        assert (sigma > 0).all()
        held += names
    assert sorted(held) == sorted(study.frames.names)
    cv = json.loads((study.workspace.folds / "unet_68" / "cv.json").read_text())
    assert cv["faces"] == 40
    assert cv["nme_percent"] == pytest.approx(np.mean([one["nme_percent"] for one in cv["folds"]]), abs=1e-2)
    assert 0 < cv["nme_percent"] < 100


def test_a_second_run_trains_nothing(trained: Path, data: Path, monkeypatch: pytest.MonkeyPatch):
    small(monkeypatch)
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("manifest.json")}
    assert len(before) == FOLDS
    assert main(["faces68", "--data", str(data), "--scale", "smoke", "--device", "cpu"], trained) == 0
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("manifest.json")} == before


def test_a_changed_setting_trains_again_and_says_what_it_replaces(
    trained: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    small(monkeypatch)
    root = shutil.copytree(trained, tmp_path / "root")
    study = Study(root, data, "smoke")
    other = Study(root, data, "smoke")
    object.__setattr__(other, "recipe", replace(study.recipe, epochs=4))
    again = []
    monkeypatch.setattr(FoldJob, "run", lambda job, device: again.append(job.fold) or 1.0)
    train.train(study, None, torch.device("cpu"), workers=1)
    assert ("are replaced" in caplog.text, (study.workspace.folds / "unet_68" / "cv.json").exists()) == (False, True)
    train.train(other, None, torch.device("cpu"), workers=1)
    assert again == list(range(FOLDS))
    assert f"unet_68: {FOLDS} trainings of other settings, pictures or folds are replaced" in caplog.text
    assert not (study.workspace.folds / "unet_68" / "cv.json").exists()  # it was of the folds before


def test_wrong_folds_and_too_few_persons_are_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    assert main(["faces68", "--data", str(data), "--fold", "5"], tmp_path) == 2
    assert "--fold 5: expected 0 to 4" in capsys.readouterr().err
    assert main(["faces68", "--data", str(data), "--folds", "1"], tmp_path) == 2
    assert "--folds 1: expected 2 or more" in capsys.readouterr().err
    few = write_zip(tmp_path / "few.zip", persons=4, each=2)
    assert main(["faces68", "--data", str(few)], tmp_path) == 2
    assert "expected pictures of at least 5 persons for 5 folds, got 4" in capsys.readouterr().err


def test_more_folds_hold_out_fewer_persons(data: Path, tmp_path: Path):
    five, ten = Study(tmp_path, data, "smoke"), Study(tmp_path, data, "smoke", count=10)
    assert sorted(np.unique(ten.fold)) == list(range(10))
    assert (ten.fold == 0).sum() < (five.fold == 0).sum()
    assert five.inputs(0) != ten.inputs(0)


def evaluated(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict | str, str]:
    capsys.readouterr()
    code = main(["evaluate", "--recipe", "unet_68", *arguments])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out.startswith("{") else out, err


def test_evaluate_scores_what_was_not_learnt_from(trained: Path, data: Path, capsys: pytest.CaptureFixture[str]):
    folder = Study(trained, data, "smoke").folder(2)
    facts = manifest(folder) or {}
    code, found, err = evaluated(["--data", str(data), "--weights", str(folder), "--json"], capsys)
    assert (code, err) == (0, "")
    assert found == {**{k: facts[k] for k in ("nme_percent", "rmse", "faces")}, "seen": 32, "left_out": 0}
    code, text, _ = evaluated(["--data", str(data), "--weights", str(folder)], capsys)
    assert code == 0
    assert f"NME {facts['nme_percent']:.2f} %" in text


def test_evaluate_refuses_other_weights(trained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = Study(trained, data, "smoke").folder(1)
    assert main(["evaluate", "--recipe", "timm_68", "--data", str(data), "--weights", str(folder)]) == 2
    assert "expected weights of timm_68, got some of unet_68" in capsys.readouterr().err
    assert main(["evaluate", "--recipe", "unet_4", "--data", str(data)]) == 2
    assert "expected unet_15, unet_68, or another landmark network with its --weights" in capsys.readouterr().err
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    weights = copy / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\1\1")
    code, _, err = evaluated(["--data", str(data), "--weights", str(copy)], capsys)
    assert (code, "expected the files of its manifest" in err) == (2, True)
    code, _, err = evaluated(["--data", str(data), "--weights", str(tmp_path)], capsys)
    assert (code, "expected weights with photo.json and a manifest" in err) == (2, True)


def edited(source: Path, target: Path, edit: Callable[[list[str]], list[str]]) -> Path:
    """A copy of a zip of labelled pictures with other lines in its table."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename.endswith(".csv"):
                content = "\n".join(edit(content.decode().splitlines())).encode()
            new.writestr(info.filename, content)
    return target


def test_evaluate_names_wrong_rows_and_scores_the_others(
    trained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = Study(trained, data, "smoke").folder(0)
    fresh = write_zip(tmp_path / "fresh.zip", persons=2, each=3, seed=5)
    wrong = edited(fresh, tmp_path / "wrong.zip", lambda lines: [*lines[:2], lines[2].rsplit(",", 1)[0], *lines[3:]])
    code, found, err = evaluated(["--data", str(wrong), "--weights", str(folder), "--json"], capsys)
    assert code == 2
    assert (found["faces"], found["seen"], found["left_out"]) == (5, 0, 1)
    assert err.count("\n") == 1
    assert "expected 136 coordinates, got 135" in err


def test_pictures_that_were_all_learnt_from_are_refused(
    trained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = Study(trained, data, "smoke").folder(0)
    with np.load(folder / PREDICTIONS, allow_pickle=False) as arrays:
        held = arrays["names"].tolist()
    learnt = edited(data, tmp_path / "learnt.zip", lambda lines: [x for x in lines if x.split(",")[0] not in held])
    code, _, err = evaluated(["--data", str(learnt), "--weights", str(folder), "--json"], capsys)
    assert code == 2
    assert "expected pictures that the network has not learnt from" in err


def test_scores_are_the_mean_distance_and_the_pooled_error():
    labels = np.stack([face68() * 10, face68() * 20]) + 50
    np.testing.assert_allclose(interocular(labels, FACE68), (20, 40))
    found = score(labels + np.array([3, 4]), labels, FACE68)
    assert found == Score(round((5 / 20 + 5 / 40) / 2 * 100, 3), round(12.5**0.5, 3), 2)
    assert pooled([Score(4.0, 1.0, 10), Score(8.0, 3.0, 30)]) == Score(7.0, round(7**0.5, 3), 40)


def test_a_recipe_for_other_points_is_refused_and_leaves_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["faces68", "--data", str(data), "--recipe", "unet_4"], tmp_path) == 2
    assert "--recipe unet_4: expected one for 68 points, such as unet_68" in capsys.readouterr().err
    assert main(["faces68", "--data", str(tmp_path / "nowhere.zip")], tmp_path) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_trunk_is_released_without_its_head(trained: Path, data: Path, tmp_path: Path):
    folder = Study(trained, data, "smoke").folder(0)
    release_trunk(folder, tmp_path / "unet_68")
    content = manifest(tmp_path / "unet_68")
    assert content is not None
    assert intact(tmp_path / "unet_68", content)
    whole, trunk = load_file(folder / WEIGHTS), load_file(tmp_path / "unet_68" / WEIGHTS)
    assert set(whole) - set(trunk) == {name for name in whole if name.startswith(HEAD)} != set()
    for name, value in trunk.items():
        torch.testing.assert_close(value.to(whole[name].dtype), whole[name], atol=1e-3, rtol=1e-3)
    card = (tmp_path / "unet_68" / "card.md").read_text()
    assert f"NME\n  {content['inputs']['score']['nme_percent']:.2f} %" in card
    assert "--folds 5 --fold 0" in card


def release_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit):
        release_weights.main(arguments)
    return capsys.readouterr().err


@pytest.mark.parametrize(("what", "name"), [("trunk", "unet_68"), ("68", "timm_68"), ("15", "unet_68")])
def test_a_network_is_not_released_as_what_it_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, name: str
):
    for file in release_weights.NETWORK:
        (tmp_path / file).write_text(json.dumps({"name": name}))
    seal(tmp_path, {}, release_weights.NETWORK)
    wish = "15: expected --data and --frames" if what == "15" else f"{what}: not for {name}"
    assert wish in release_error(capsys, what, str(tmp_path))
    (tmp_path / WEIGHTS).write_text("damaged")
    for _ in range(2):
        assert f"{tmp_path}: expected a finished training's folder" in release_error(capsys, what, str(tmp_path))
        (tmp_path / MANIFEST).unlink(missing_ok=True)
