import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from solution.data.competition import Competition
from solution.faces import FaceSet, Predictions
from solution.run import Run
from solution.runtime.artifacts import file_digest, manifest
from solution.runtime.errors import UserError
from solution.runtime.workers import local
from solution.specialists import cross_validation
from solution.specialists.cross_validation import collect
from solution.specialists.job import METHODS, PREDICTED_BY, Method
from solution.specialists.training import HISTORY, PREDICTING, PREDICTIONS, SETTINGS, WEIGHTS, Training, load_part
from tests.jobs import run_on, with_data
from tests.tiny_recipes import BASE, CHILD, OTHER

CPU = torch.device("cpu")


@pytest.fixture
def run(drawn: Competition, tmp_path: Path) -> Run:
    return run_on(tmp_path, drawn)


class Fake:
    """A method that remembers which faces it was shown, and predicts the number of its fold everywhere."""

    def __init__(self) -> None:
        self.trainings: list[Training] = []

    def train(self, training: Training) -> None:
        self.trainings.append(training)
        for name in (WEIGHTS, SETTINGS, HISTORY):
            (training.folder / name).write_text(training.title)

    def predict(self, folder: Path, faces: FaceSet, device: torch.device) -> Predictions:
        seen = {
            image.tobytes()
            for training in self.trainings
            if training.folder == folder
            for image in training.train.images
        }
        assert not any(image.tobytes() in seen for image in faces.images), "a face or its duplicate was learnt from"
        coords = np.full((len(faces), 15, 2), int(folder.name.removeprefix("fold")), np.float32)
        return Predictions(folder.parent.name, faces.ids, coords, coords[..., 0])


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()
    monkeypatch.setitem(METHODS, "landmarks", Method(fake.train, fake.predict))
    return fake


def run_all(run: Run, *names: str) -> None:
    local.run_missing("Train", run.jobs(*names), CPU, 1)


def test_each_row_is_predicted_once_by_a_model_that_never_saw_it_or_a_duplicate(run: Run, fake: Fake):
    groups = run.table.group
    assert len(np.unique(groups)) < len(groups)  # there are twins to be kept together
    run_all(run, "base")
    found = collect(run.jobs("base"))
    np.testing.assert_array_equal(found.oof.ids, run.competition.train.ids)
    np.testing.assert_array_equal(found.oof.coords, run.table.fold[:, None, None] * np.ones((15, 2)))
    assert [np.unique(test.coords).tolist() for test in found.test] == [[fold] for fold in range(5)]


def test_a_specialist_of_one_subset_sees_and_predicts_only_that_subset(run: Run, fake: Fake):
    run_all(run, "other")
    assert {s for job in fake.trainings for s in (*job.train.subset, *job.held.subset)} == {4}
    found, in4 = collect(run.jobs("other")), run.competition.train.subset == 4
    assert np.isfinite(found.oof.coords[in4]).all()
    assert np.isnan(found.oof.coords[~in4]).all()


def test_what_is_complete_is_not_done_again_and_what_is_stale_is(run: Run, fake: Fake):
    run_all(run)
    assert len(fake.trainings) == 15
    run_all(run)
    assert len(fake.trainings) == 15
    (run.workspace.fold("child", 2) / WEIGHTS).write_text("edited")
    path = run.workspace.fold("other", 1) / "manifest.json"
    content = json.loads(path.read_text())
    content["inputs"]["data"] = "other data"
    path.write_text(json.dumps(content))
    (run.workspace.fold("base", 3) / "manifest.json").unlink()
    run_all(run)
    assert [job.title for job in fake.trainings[15:]] == ["base fold 3", "child fold 2", "other fold 1"]


def test_another_prediction_format_predicts_again_and_trains_nothing(run: Run, fake: Fake):
    base = run.job("base", 0)
    base.run(CPU)
    before = manifest(base.folder)
    earlier = {**before["inputs"], PREDICTING: {**before["inputs"][PREDICTING], "format": PREDICTED_BY - 1}}
    (base.folder / "manifest.json").write_text(json.dumps({**before, "inputs": earlier}))
    assert not base.is_complete()
    assert PREDICTING not in base.training  # so what starts from it stays as it is
    (base.folder / PREDICTIONS).write_text("half")  # a run that was killed while it predicted again
    base.run(CPU)
    assert base.is_complete()
    assert len(fake.trainings) == 1
    assert manifest(base.folder)["files"] == before["files"]
    (base.folder / WEIGHTS).write_text("damaged")
    base.run(CPU)
    assert len(fake.trainings) == 2


def test_another_test_file_predicts_again_and_trains_nothing(run: Run, fake: Fake):
    run_all(run, "base", "child")
    faces = run.competition
    other = Competition.of(faces.train, faces.test.take(slice(None, None, -1)), faces.lookup, drawn=True)
    assert other.train_digest == faces.train_digest
    assert other.test_digest != faces.test_digest
    later = with_data(run, competition=other)
    assert not later.job("base", 0).is_complete()
    run_all(later, "base", "child")
    assert len(fake.trainings) == 10  # none is trained again
    assert all(job.is_complete() for job in later.jobs("base", "child"))
    assert collect(later.jobs("base")).test[0].ids.tolist() == other.test.ids.tolist()


def test_trainings_of_the_earlier_format_are_kept(run: Run, fake: Fake):
    """Manifests named the digest of all files as the data of a training."""
    run_all(run, "base", "child")
    for each in run.jobs("base", "child"):
        path, settings = each.folder / "manifest.json", each.folder / SETTINGS
        content = json.loads(path.read_text())
        content["inputs"] = {**each.earlier_training()[1], "predicting": 6}
        settings.write_text(json.dumps({"name": each.recipe.name, "start_from": None, "codec": {"kind": "Located"}}))
        content["files"][SETTINGS] = file_digest(settings)
        path.write_text(json.dumps(content))
    child = run.job("child", 0)
    assert not child.is_complete()
    assert child.is_trained()
    run_all(run, "base", "child")
    assert len(fake.trainings) == 10
    assert child.is_complete()
    settings = json.loads((child.folder / SETTINGS).read_text())
    assert settings == {"name": CHILD.name, "parent": None, "codec": {"kind": "Coordinates"}}


def test_inputs_change_with_all_that_a_result_depends_on(run: Run):
    table, data = run.table, run.competition
    later_base = with_data(run, recipes=(replace(BASE, seed=1), CHILD, OTHER))
    varied = [
        run,
        with_data(run, table=replace(table, fold=(table.fold + 1) % 5)),
        with_data(run, competition=replace(data, train_digest="x")),
        with_data(run, competition=replace(data, test_digest="x")),
        later_base,
    ]
    assert len({run.job("child", 1).digest, *(each.job("child", 0).digest for each in varied)}) == 6
    assert run.job("other", 0).digest == later_base.job("other", 0).digest


def test_a_missing_fold_names_the_command(run: Run, fake: Fake):
    run_all(run, "other")
    (run.workspace.fold("other", 4) / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"fold4.*python -m solution train --recipe other --fold 4"):
        collect(run.jobs("other"))


def test_starting_from_what_is_not_trained_names_the_command(run: Run, fake: Fake):
    with pytest.raises(UserError, match=r"child starts from.*train --recipe base --fold 0"):
        run.job("child", 0).run(CPU)
    with pytest.raises(UserError, match="recipe 'base': expected a file"):
        with_data(run, recipes=(CHILD, OTHER)).job("child", 0)
    assert fake.trainings == []


def test_half_written_files_of_a_killed_run_are_cleared_away(run: Run, fake: Fake):
    folder = run.workspace.fold("other", 0)
    folder.mkdir(parents=True)
    (folder / ".0123456789ab-weights.safetensors").write_text("half")
    run.job("other", 0).run(CPU)
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []
    assert set((manifest(folder) or {})["files"]) == {WEIGHTS, SETTINGS, HISTORY, "predictions.npz"}


def test_a_row_predicted_twice_is_an_error(run: Run, fake: Fake):
    run_all(run, "other")
    for name in ("predictions.npz", "manifest.json"):
        (run.workspace.fold("other", 1) / name).write_bytes((run.workspace.fold("other", 0) / name).read_bytes())
    held = [load_part(run.workspace.fold("other", fold), "other", "held") for fold in range(5)]
    with pytest.raises(ValueError, match="other: a row is predicted more than once"):
        cross_validation._placed(run.competition.train, held)
