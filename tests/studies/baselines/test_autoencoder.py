"""The autoencoder's study: the patches, pretraining and the error rates with their intervals."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from solution.__main__ import main
from solution.data.competition import Competition
from solution.specialists.patches.network import normalised
from solution.specialists.patches.sampling import corrupt, standardised
from solution.studies.baselines import autoencoder
from solution.studies.baselines.eye_patches import (
    EVALUATED,
    EYES,
    Study,
    _beside,
    _elsewhere,
    classified,
    cut_patches,
    pretrained,
)

CPU = torch.device("cpu")
SMALL = Study(hidden=64, pretrain_steps=300, steps=200, labels=(100, None))


def test_patches_are_cut_at_eyes_and_off_them(drawn: Competition):
    faces = drawn.train
    settings = replace(SMALL, jitter=0.0)
    found = cut_patches(faces, settings, np.random.default_rng(0))
    eyes = faces.coords[:, faces.schema.index(EYES)]
    known = ~np.isnan(eyes).any(axis=(1, 2))
    assert found.pixels.shape == (4 * known.sum(), 1, 25, 25)
    assert found.face.tolist() == np.repeat(faces.ids[known], 4).tolist()
    assert found.eye.reshape(-1, 4).unique(dim=0).tolist() == [[1, 1, 0, 0]]
    face = int(np.flatnonzero(known)[5])
    at = np.rint(eyes[face, 0]).astype(int)
    whole = normalised(torch.from_numpy(faces.images[face : face + 1]))
    by_hand = standardised(whole[:, :, at[1] - 12 : at[1] + 13, at[0] - 12 : at[0] + 13])
    own = found.pixels[20:21]
    assert float((own * by_hand).mean()) > 0.85  # half a pixel off at most


def test_other_patches_keep_their_distance():
    rng = np.random.default_rng(0)
    eyes = np.array([[66, 38], [30, 38]], np.float32) + rng.normal(0, 3, (500, 2, 2))
    for places, most in ((_beside(eyes, SMALL, rng), SMALL.farthest), (_elsewhere(eyes, SMALL, rng), 200)):
        distance = np.linalg.norm(places - eyes, axis=2).min(axis=1)
        assert places.shape == (500, 1, 2)
        assert distance.min() >= SMALL.nearest - 1e-5
        assert distance.max() <= most + 1e-5


def test_the_autoencoder_learns_to_give_patches_back(drawn: Competition):
    patches = cut_patches(drawn.train, SMALL, np.random.default_rng(0))
    net = pretrained(SMALL, patches, CPU, ("test",))
    torch.manual_seed(0)
    noisy = corrupt(patches.pixels, SMALL.corruption())
    with torch.inference_mode():
        after = (net(noisy) - patches.pixels).square().mean()
    assert after < 0.6 * patches.pixels.square().mean()
    assert after < 0.9 * (noisy - patches.pixels).square().mean()


def test_the_classifier_learns_and_its_start_matters(drawn: Competition):
    patches = cut_patches(drawn.train, SMALL, np.random.default_rng(0))
    rows = np.arange(len(patches.face))
    train, held = patches.take(rows[: len(rows) // 2]), patches.take(rows[len(rows) // 2 :])
    start = pretrained(SMALL, train, CPU, ("test",))
    weights = {name: value.clone() for name, value in start.state_dict().items()}
    random, again, started = (classified(SMALL, train, held, one, CPU, ("test",)) for one in (None, None, start))
    assert random.shape == (len(EVALUATED), len(held.face))
    assert random[-1].mean() < 0.3
    assert started[-1].mean() < 0.3
    assert np.array_equal(random, again)
    assert not np.array_equal(random, started)
    assert all(torch.equal(value, weights[name]) for name, value in start.state_dict().items())


def test_an_interval_knows_that_patches_of_a_face_belong_together():
    rng = np.random.default_rng(0)
    one = rng.random(200) < 0.2
    wrong, face = np.repeat(one, 4).astype(float), np.repeat(np.arange(200), 4)
    rate, low, high = autoencoder.clustered_interval(wrong, face)
    assert rate == one.mean()
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.2 * 0.8 / 200), rel=0.2)
    _, near, far = autoencoder.clustered_interval(wrong, np.arange(800))
    assert far - near < 0.65 * (high - low)
    assert autoencoder.clustered_interval(np.zeros(800), face) == (0, 0, 0)


def test_settings_that_make_no_sense_are_refused():
    for wrong in ({"nearest": 20.0}, {"steps": 3}, {"patch": 24}, {"masked": 1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(SMALL, **wrong)


def test_the_study_from_the_command_line(
    drawn_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(autoencoder, "STUDY", replace(SMALL, pretrain_steps=40, steps=60))
    assert main(["folds", "--data", str(drawn_folder)], tmp_path) == 0
    arguments = ["compare", "--autoencoder", "--data", str(drawn_folder), "--jobs", "1", "--scale", "smoke"]
    assert main(arguments, tmp_path) == 0
    assert "0 of 5 folds are complete" in capsys.readouterr().out
    folder = tmp_path / "folds" / "faces"
    found = pd.read_csv(folder / "autoencoder.csv")
    assert found["labels"].tolist() == ["100"] * 3 + ["all"] * 3
    assert found["start"].tolist() == [*autoencoder.STARTS, "difference"] * 2
    assert (found["low"] <= found["rate"]).all()
    assert (found["rate"] <= found["high"]).all()
    for start in (0, 3):
        random, started, difference = found["rate"][start : start + 3]
        assert difference == pytest.approx(started - random, abs=2e-6)
    page = (folder / "autoencoder.md").read_text(encoding="utf-8")
    assert "| 100 | " in page
    for name in ("autoencoder.png", "autoencoder-curves.png"):
        assert f"({name})" in page
        assert cv2.imread(str(folder / name)) is not None
    assert main(arguments, tmp_path) == 0
    assert "5 of 5 folds are complete" in capsys.readouterr().out


def test_the_sheet_shows_each_eye_three_times():
    eyes = np.stack([np.full((2, 5, 5), value) for value in (-1.0, 0.0, 1.0)])
    sheet = autoencoder.sheet(eyes)
    assert sheet.shape == (3 * 28 - 8, 2 * 28 - 8, 3)
    assert [sheet[28 * row + 10, 38].tolist() for row in range(3)] == [[80] * 3, [128] * 3, [176] * 3]
