"""Ablations: their trainings beside those of a finished run, their row filters, and the paired comparison."""

import csv
import shutil
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from solution import recipes
from solution.__main__ import main
from solution.evaluation.metrics import paired_difference
from solution.evaluation.outliers import is_outlier
from solution.keypoints import POINTS
from solution.run import Run, Source
from solution.runtime.errors import UserError
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.training import load_part
from solution.studies import ablations
from solution.studies.ablations import study
from tests.tiny_recipes import BASE, CHILD, OTHER

Cli = Callable[..., int]
CPU = torch.device("cpu")


@pytest.fixture
def run(finished_copy: Path, drawn_folder: Path) -> Run:
    return Run(finished_copy, Source(drawn_folder, "faces"), "smoke", torch.device("cpu"), workers=1)


@pytest.fixture
def ablation(finished_copy: Path, drawn_folder: Path) -> Cli:
    def call(*arguments: str) -> int:
        return main(["ablate", *arguments, "--data", str(drawn_folder), "--jobs", "1"], finished_copy)

    return call


def test_an_ablation_is_trained_beside_its_recipe_and_compared(
    ablation: Cli, run: Run, capsys: pytest.CaptureFixture[str]
):
    before = (run.workspace.fold("child", 0) / "manifest.json").read_bytes()
    assert ablation("child/seed", "child/sane", "--folds", "2") == 0
    assert "child/seed: 15-keypoint rows, 2 folds: " in capsys.readouterr().out
    assert (run.workspace.fold("child", 0) / "manifest.json").read_bytes() == before
    with (run.workspace.folds / "ablations.csv").open(encoding="utf-8") as handle:
        lines = {line["ablation"]: line for line in csv.DictReader(handle)}
    assert set(lines) == {"child/seed", "child/sane"}
    line = {k: float(v) for k, v in lines["child/seed"].items() if k != "ablation"}
    assert line["difference"] == pytest.approx(line["ablation_rmse"] - line["recipe_rmse"], abs=2e-4)
    assert line["low"] <= line["difference"] <= line["high"]
    assert line["difference"] != 0
    assert ablation("child/seed", "--folds", "2") == 0
    assert "2 of 2 trainings are complete" in capsys.readouterr().out


def test_an_ablation_that_changes_nothing_gives_no_difference(
    ablation: Cli, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(ablations.ABLATIONS, "same", ablations.Ablation(asks="nothing"))
    assert ablation("other/same", "--folds", "2") == 0
    assert "changes nothing of other, so the difference will be 0" in capsys.readouterr().out
    assert len(study.outcomes(run, "other/same", (0,))) == 1
    (outcome,) = study.outcomes(run, "other/same", (0, 1))
    assert outcome.difference == outcome.low == outcome.high == outcome.blend_difference == 0


def test_the_comparison_is_of_rows_in_file_order(ablation: Cli, run: Run):
    """The bootstrap resamples sections of neighbouring rows, so the parts of the folds are put in order first."""
    assert ablation("other/seed", "--folds", "2") == 0
    (outcome,) = study.outcomes(run, "other/seed", (0, 1))
    faces = run.competition.train
    parts = []
    for folder, name in (
        *((run.workspace.fold("other", fold), "other") for fold in (0, 1)),
        *((study.job_of(run, "other/seed", fold).folder, "other/seed") for fold in (0, 1)),
    ):
        part = load_part(folder, name, "held")
        parts.append(dict(zip(part.ids.tolist(), part.coords, strict=True)))
    old, new = parts[0] | parts[1], parts[2] | parts[3]
    rows = np.flatnonzero(np.isin(faces.ids, list(old)) & (faces.subset == 4))
    assert (np.diff(rows) > 0).all()
    ours, theirs = (np.stack([by_id[i] for i in faces.ids[rows].tolist()]) for by_id in (new, old))
    kept = ~is_outlier(theirs, faces.coords[rows])
    labels, subset = faces.coords[rows][kept], faces.subset[rows][kept]
    want = paired_difference(ours[kept], theirs[kept], labels, subset, {15: 0.0, 4: 1.0})
    assert (outcome.difference, outcome.low, outcome.high) == pytest.approx(want)
    assert outcome.rows == kept.sum()


def test_outcomes_of_other_ablations_stay_and_those_of_an_earlier_version_are_not_mixed_in(run: Run):
    numbers = dict.fromkeys((field.name for field in fields(study.Outcome)), -0.25) | {"subset": 4, "folds": 2}
    outcome = study.Outcome(**numbers | {"ablation": "a/seed", "rows": 30})
    earlier = run.workspace.folds / "trials.csv"  # its intervals resample single rows
    earlier.write_text("trial,difference\na/seed,-0.5\n")
    path = run.workspace.folds / "ablations.csv"
    study.write(run, [outcome])
    study.write(run, [replace(outcome, ablation="b/seed")])
    study.write(run, [outcome])
    assert earlier.read_text() == "trial,difference\na/seed,-0.5\n"
    with path.open(encoding="utf-8", newline="") as handle:
        lines = list(csv.DictReader(handle))
    assert [line["ablation"] for line in lines] == ["b/seed", "a/seed"]
    assert lines[1] == {name: str(value) for name, value in asdict(outcome).items()}


def test_an_ablation_named_twice_is_trained_once(ablation: Cli, capsys: pytest.CaptureFixture[str]):
    assert ablation("child/seed", "child/seed", "--folds", "1") == 0
    assert "Ablations: 0 of 1 trainings are complete" in capsys.readouterr().out


def test_what_an_ablation_needs_is_asked_before_anything_is_trained(
    ablation: Cli, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    shutil.rmtree(run.workspace.fold("other", 1))
    monkeypatch.setitem(study.TEACHERS, "15", ("child", "other"))
    needs = {
        "other/seed": "that ablation other/seed is compared with",
        "child/pseudo": "that labels the test pictures for child/pseudo",
    }
    for name, what in needs.items():
        assert ablation(name, "--folds", "2") == 2
        assert f"{what}. Run `python -m solution train --recipe other --fold 1`" in capsys.readouterr().err
    assert not (run.workspace.folds / "ablations").exists()


def test_an_ablation_of_another_scales_recipe_is_refused(run: Run, use_recipes: Callable[..., None]):
    use_recipes(BASE, replace(CHILD, runs_at=("full",)), OTHER)
    with pytest.raises(UserError, match="recipe child: expected one that runs at scale smoke"):
        study.base_of(run, "child/seed")


def test_an_ablation_is_bound_to_its_teachers(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(study.TEACHERS, "15", ("child",))
    inputs = study.job_of(run, "child/pseudo", 1).inputs
    child = next(recipe for recipe in run.recipes if recipe.name == "child")
    assert inputs["teachers"] == {"child": run.job(child, 1).digest}


def test_an_unfinished_ablation_is_not_compared(run: Run):
    with pytest.raises(UserError, match="child/seed fold 0: expected finished trainings of the ablation and of child"):
        study.outcomes(run, "child/seed", (0,))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("child/sede", "Did you mean child/seed"),
        ("child/qqq", "There are: seed"),
        ("child", "expected RECIPE/ABLATION"),
        ("eye_classifier/seed", "expected a landmark recipe"),
        ("timm_all/attention", "expected a recipe of model unet, timm_all's is timm_unet"),
        (
            "regressor_4/heavy_tailed",
            "expected a recipe of model unet or timm_unet or cascade, regressor_4's is regressor",
        ),
    ],
)
def test_an_unknown_ablation_says_what_there_is(name: str, said: str):
    with pytest.raises(UserError, match=said):
        ablations.load(name)


@pytest.mark.parametrize("base", ["unet_all", "timm_all", "cascade_15", "timm_15", "regressor_4"])
def test_an_ablation_makes_a_network_of_each_recipe_that_it_takes(base: str):
    """The network predicts one picture. `load` refuses what does not fit together."""
    recipe, made = recipes.load(base).at("cpu"), set()
    faces, subset = torch.zeros(1, 96, 96, dtype=torch.uint8), torch.tensor([recipe.subsets[-1]])
    for name in ablations.ABLATIONS:
        try:
            _, ablation = ablations.load(f"{base}/{name}")
        except UserError:
            continue
        varied = ablation.recipe(recipe)
        coords, sigma = LandmarkNet(varied).eval()(faces, subset)
        asked = POINTS[int(subset)]
        assert torch.isfinite(coords[:, asked]).all(), name
        assert varied.loss != "heavy_tailed" or torch.isfinite(sigma[:, asked]).all(), name
        made.add(name)
    assert {"seed", "sane", "squared", "gentle"} <= made


def test_rows_that_are_outliers_for_the_parent_are_left_out(run: Run):
    job = run.job("child", 0).open(CPU)
    coords = job.train.coords.copy()
    coords[3] += 400
    kept = study.sane(replace(job, train=replace(job.train, coords=coords)), run)
    assert job.train.ids[3] not in kept.ids
    with pytest.raises(UserError, match="expected a recipe with a parent"):
        study.sane(run.job("base", 0).open(CPU), run)


def test_duplicates_get_the_mean_of_their_labels(run: Run):
    job = run.job("base", 0).open(CPU)
    found = study.duplicates(job, run)
    group = run.table.group[np.isin(run.table.ids, job.train.ids)]
    changed = np.flatnonzero((np.nan_to_num(found.coords) != np.nan_to_num(job.train.coords)).any(axis=(1, 2)))
    assert len(changed) > 0
    for row in changed:
        rows = np.flatnonzero(group == group[row])
        assert len(rows) > 1
        known = ~np.isnan(job.train.coords[row])
        mean = np.nanmean(job.train.coords[rows][:, known], axis=0)
        np.testing.assert_allclose(found.coords[row][known], mean, rtol=1e-5)


def test_duplicates_of_two_sources_keep_their_labels(run: Run):
    job = run.job("base", 0).open(CPU)
    group = run.table.group[np.isin(run.table.ids, job.train.ids)]
    duplicates = np.flatnonzero(np.bincount(group) > 1)
    subset = np.where(np.isin(group, duplicates), np.arange(len(group)) % 2 * 11 + 4, job.train.subset).astype(np.int8)
    for one in duplicates:  # no two alike of one source
        rows = np.flatnonzero(group == one)
        subset[rows[:2]] = (15, 4)
        subset[rows[2:]] = 0
    found = study.duplicates(replace(job, train=replace(job.train, subset=subset)), run)
    kept = subset != 0
    np.testing.assert_array_equal(found.coords[kept], job.train.coords[kept])


def test_test_pictures_join_with_the_folds_own_predictions(run: Run):
    job = run.job("child", 1).open(CPU)
    found = study.pseudo(job, run, [run.job("child", 1)])
    own = run.competition.test.subset == 15
    assert len(found) == len(job.train) + own.sum()
    joined = found.take(found.ids < 0)
    np.testing.assert_array_equal(joined.images, run.competition.test.images[own])
    assert np.isfinite(joined.coords).all()
    assert not np.isin(job.held.ids, found.ids).any()
