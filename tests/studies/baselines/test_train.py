"""The comparison from the command line to its table, and which rows are left out of the figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from solution import pipeline
from solution.__main__ import main
from solution.faces import FaceSet
from solution.keypoints import BEYOND_FOUR
from solution.run import Run, Source
from solution.runtime.errors import UserError
from solution.studies.baselines import publish, results, scores
from solution.studies.baselines import train as comparison
from tests.small import small_faces
from tests.studies.baselines.tiny import EACH, TINY, checked_table

NAMES = ("sequential_rmsprop", "fcn_maps", "unet_all")


def opened(root: Path, data: Path) -> Run:
    return Run(root, Source(data, "faces"), "smoke", torch.device("cpu"), workers=1)


@pytest.fixture
def run(drawn_folder: Path, tmp_path: Path) -> Run:
    """The drawn faces in folds, nothing trained."""
    found = opened(tmp_path, drawn_folder)
    pipeline.folds(found)
    return found


def test_networks_are_trained_compared_and_kept(
    finished_copy: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
):
    run = opened(finished_copy, drawn_folder)

    def cli(*arguments: str) -> int:
        return main(
            ["compare", *arguments, "--data", str(drawn_folder), "--jobs", "1", "--scale", "smoke"], finished_copy
        )

    assert cli("--minutes", "0.004", "--only", *NAMES) == 0
    assert "0 of 3 networks are complete" in capsys.readouterr().out
    folder = run.workspace.folds
    rows = checked_table(folder, scores.COLUMNS)
    assert sorted((row["name"], row["reading"]) for row in rows) == [
        ("fcn_maps", "arg-max"),
        ("fcn_maps", "average"),
        ("sequential_rmsprop", "direct"),
        ("unet_all", "softmax mean"),
    ]
    assert all(float(row["minutes"]) >= 0.004 and float(row["training"]) > 0 for row in rows)
    page = (folder / publish.PAGE).read_text(encoding="utf-8")
    assert "| FCN heatmaps | average |" in page
    for name in ("base", "child", "other", "stack of all, without drift"):
        assert f"| {name} |" in page

    before = (folder / publish.TABLE).read_bytes()
    (folder / "compare" / "fcn_maps" / results.TIMED_RUN).write_bytes(b"damaged")
    assert cli("--minutes", "0.004", "--only", "unet_all", "sequential_rmsprop") == 0
    assert "2 of 2 networks are complete" in capsys.readouterr().out
    left = (folder / publish.TABLE).read_bytes()
    assert left != before
    assert b"fcn_maps" not in left
    assert results.load(comparison.split_of(run), comparison.candidates()["unet_all"], 0.24 + 1) is None


def test_networks_of_one_point_each_make_one_system(run: Run):
    place = comparison.split_of(run)
    timed_run = results.timed_run_of(place, EACH, 0.3, torch.device("cpu"))
    alone = results.timed_run_of(place, TINY, 0.02, torch.device("cpu"))
    held = place.held
    assert timed_run.coords.shape == (1, len(held), 15, 2)
    assert np.isfinite(timed_run.coords).all()
    assert np.isfinite(timed_run.records[0].value).all()
    assert timed_run.parameters == 15 * (144 * 32 + 32 + 32 * 2 + 2)
    assert alone.parameters == 144 * 32 + 32 + 32 * 30 + 30
    assert timed_run.seconds >= 0.3


def test_nothing_of_the_held_out_fold_is_trained_on(run: Run, monkeypatch: pytest.MonkeyPatch):
    seen: list[np.ndarray] = []

    class Spy(results.SystemTask):
        def __init__(self, system, points, train: FaceSet, *more) -> None:
            seen.append(train.ids)
            super().__init__(system, points, train, *more)

    monkeypatch.setattr(results, "SystemTask", Spy)
    place = comparison.split_of(run)
    results.timed_run_of(place, TINY, 0.02, torch.device("cpu"))
    held = place.held.ids
    assert not np.isin(seen[0], held).any()
    assert len(seen[0]) + len(held) == len(run.competition.train)


def test_results_survive_the_disk(run: Run):
    place = comparison.split_of(run)
    timed_run = results.timed_run_of(place, TINY, 0.02, torch.device("cpu"))
    results.save(place, TINY, 0.02, timed_run)
    again = results.load(place, TINY, 0.02)
    assert again is not None
    np.testing.assert_array_equal(again.coords, timed_run.coords)
    np.testing.assert_array_equal(again.records[3].value, timed_run.records[3].value)
    fields = ("readings", "pictures", "predicting", "parameters", "multiply_adds", "seconds")
    assert all(getattr(again, name) == getattr(timed_run, name) for name in fields)
    assert [record.share for record in again.records] == [record.share for record in timed_run.records]
    for other in (replace(TINY, batch=8), replace(TINY, mirror=True)):
        assert results.load(place, other, 0.02) is None
    assert results.load(place, TINY, 0.03) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "naimishnett"], "Did you mean naimishnet?"),
        (["--only", "qqq"], "There are: alexnet_elu, cnn_sgd"),
        (["--minutes", "0"], "--minutes 0: expected a time above 0"),
        (["--minutes", "nan"], "--minutes nan: expected a time above 0"),
        (["--autoencoder", "--minutes", "2"], "--autoencoder: expected neither --only nor --minutes"),
        (["--autoencoder", "--only", "unet_all"], "--autoencoder: expected neither --only nor --minutes"),
    ],
)
def test_wrong_options_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
):
    assert main(["compare", *arguments], tmp_path) == 2
    assert message in capsys.readouterr().err


def test_without_any_network_there_is_no_table(run: Run):
    with pytest.raises(UserError, match="expected networks trained for 7 s, found none"):
        scores.leaderboard(run, 7)


def test_outliers_are_left_out_of_every_row_alike():
    held = small_faces(60, 60)
    rng = np.random.default_rng(0)
    good = held.coords + rng.normal(0, 1, held.coords.shape)
    good[np.isnan(good)] = 48.0
    poor = good + rng.normal(0, 30, good.shape)
    held.coords[7] += 30
    held.coords[90, 0] += 60
    only15 = np.where((held.subset == 15)[:, None, None], good, np.nan)
    assert np.flatnonzero(scores.outliers([poor, good], held)).tolist() == [7, 90]
    assert np.flatnonzero(scores.outliers([poor, only15], held)).tolist() == [7]
    assert not scores.outliers([poor], held).any()


def test_a_figure_is_the_rmse_of_the_subsets_with_a_share():
    faces = small_faces(30, 30)
    coords = np.nan_to_num(faces.coords, nan=1.0)
    coords[:30] += 3.0
    coords[30:] += 1.0
    assert scores.figure(coords, faces, {15: 1.0, 4: 0.0}) == pytest.approx((3, 3, 3))
    assert scores.figure(coords, faces, {15: 0.5, 4: 0.5}) == pytest.approx((5**0.5,) * 3)
    coords[30:] = np.nan
    assert np.isnan(scores.figure(coords, faces, {15: 0.5, 4: 0.5})).all()
    assert scores.figure(coords, faces, {15: 1.0, 4: 0.0}) == pytest.approx((3, 3, 3))
    coords[:, BEYOND_FOUR] = np.nan
    assert np.isnan(scores.figure(coords, faces, {15: 1.0, 4: 0.0})).all()
