"""The comparison on faces with 68 points, from the command line to its table."""

from pathlib import Path

import numpy as np
import pytest
import torch

from solution.__main__ import main
from solution.keypoints import FACE68
from solution.studies.baselines import publish, results, scores, train
from solution.studies.baselines.results import FOLD
from solution.studies.faces68.nme import relative_distances
from solution.studies.faces68.train import Study
from tests.sketches import write_zip
from tests.studies.baselines.tiny import TINY, checked_table

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zip(tmp_path_factory.mktemp("faces") / "training.zip", persons=10, each=3)


@pytest.fixture(scope="module")
def study(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study(tmp_path_factory.mktemp("root"), data, "smoke")


def test_networks_are_trained_compared_and_kept(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def cli(*names: str) -> int:
        options = ["--data", str(data), "--minutes", "0.004", "--jobs", "1", "--device", "cpu"]
        return main(["compare", "--points", "68", *options, "--only", *names], tmp_path)

    assert cli("sequential_rmsprop", "unet_68") == 0
    assert "0 of 2 networks are complete" in capsys.readouterr().out
    folder = Study(tmp_path, data, "cpu").workspace.folds
    assert {row["name"] for row in checked_table(folder, scores.COLUMNS68)} == {"sequential_rmsprop", "unet_68"}
    assert "| NME, % | RMSE, px |" in (folder / publish.PAGE).read_text(encoding="utf-8")
    assert cli("unet_68") == 0
    assert "1 of 1 networks are complete" in capsys.readouterr().out


def test_persons_are_apart_and_all_networks_see_the_same_frames(study: Study):
    place, again = train.split68_of(study), train.split68_of(study)
    held = study.fold == FOLD
    persons = np.array(study.frames.persons)
    assert set(persons[held]) & set(persons[~held]) == set()
    assert (len(place.train), len(place.held)) == (2 * (~held).sum(), held.sum())
    np.testing.assert_array_equal(place.held.images, again.held.images)
    np.testing.assert_array_equal(place.train.coords, again.train.coords)


def test_figures_are_the_mean_distance_and_the_pooled_error(study: Study):
    place = train.split68_of(study)
    off = np.where(np.isnan(place.held.coords), 0, place.held.coords) + np.array([3, 4])
    found = scores._Scorer68(place).figures(off)
    assert found["nme"][0] == pytest.approx(100 * np.nanmean(relative_distances(off, place.held.coords, FACE68)))
    assert found["rmse"] == pytest.approx((12.5**0.5,) * 3)
    assert scores._Scorer68(place).watched(off[place.watched]) == pytest.approx(found["nme"][0])


def test_a_system_predicts_all_68_points(study: Study):
    place = train.split68_of(study)
    timed_run = results.timed_run_of(place, TINY, 0.02, CPU)
    assert timed_run.coords.shape == (1, len(place.held), 68, 2)
    assert np.isfinite(timed_run.coords).all()
    assert not any(getattr(one, "each_point", False) for one in train.candidates68().values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "unet_86"], "Did you mean unet_68?"),
        ([], "--data: expected a zip or folder with one *_frames_keypoints.csv"),
        (["--autoencoder"], "--autoencoder: expected --points 15"),
        (["--data", "nowhere.zip"], "nowhere.zip"),
    ],
)
def test_wrong_options_are_refused_and_leave_no_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
):
    assert main(["compare", "--points", "68", *arguments], tmp_path) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
