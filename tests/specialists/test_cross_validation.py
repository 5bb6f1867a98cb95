import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from solution.data.competition import Competition
from solution.data.folds import make_folds
from solution.faces import FaceSet, Predictions
from solution.runtime.artifacts import Workspace, file_digest, manifest
from solution.runtime.errors import UserError
from solution.specialists import cross_validation
from solution.specialists.cross_validation import Workbench, collect, run_job
from solution.specialists.job import HISTORY, PREDICTIONS, SETTINGS, WEIGHTS, Job
from tests.tiny_recipes import ALL, BASE, CHILD, OTHER

CPU = torch.device("cpu")


@pytest.fixture
def bench(drawn: Competition, tmp_path: Path) -> Workbench:
    return Workbench(Workspace(tmp_path, "tiny").ready(), drawn, make_folds(drawn.train))


class Fake:
    """A method that remembers which faces it was shown, and predicts the number of its fold everywhere."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.jobs: list[Job] = []
        patch.setattr(cross_validation, "train", self.train)
        patch.setattr(cross_validation, "predict", self.predict)

    def train(self, job: Job) -> None:
        self.jobs.append(job)
        for name in (WEIGHTS, SETTINGS, HISTORY):
            (job.folder / name).write_text(job.title)

    def predict(self, job: Job, faces: FaceSet) -> Predictions:
        seen = {image.tobytes() for image in job.train.images}
        assert not any(image.tobytes() in seen for image in faces.images), "a face or its twin was learnt from"
        coords = np.full((len(faces), 15, 2), job.fold, np.float32)
        return Predictions(job.recipe.name, faces.ids, coords, coords[..., 0])


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(monkeypatch)


def run_all(bench: Workbench, *recipes: object) -> None:
    for recipe in recipes:
        for fold in range(bench.table.k):
            if not bench.done(recipe, fold, ALL):
                run_job(bench, recipe, fold, ALL, CPU)


def test_each_row_is_predicted_once_by_a_model_that_never_saw_it_or_its_twin(bench: Workbench, fake: Fake):
    groups = bench.table.group
    assert len(np.unique(groups)) < len(groups)  # there are twins to be kept together
    run_all(bench, BASE)
    found = collect(bench, BASE, ALL)
    np.testing.assert_array_equal(found.oof.ids, bench.competition.train.ids)
    np.testing.assert_array_equal(found.oof.coords, bench.table.fold[:, None, None] * np.ones((15, 2)))
    assert [np.unique(test.coords).tolist() for test in found.test] == [[fold] for fold in range(5)]


def test_a_specialist_of_one_subset_sees_and_predicts_that_alone(bench: Workbench, fake: Fake):
    run_all(bench, OTHER)
    assert {s for job in fake.jobs for s in (*job.train.subset, *job.held.subset)} == {4}
    found, in4 = collect(bench, OTHER, ALL), bench.competition.train.subset == 4
    assert np.isfinite(found.oof.coords[in4]).all()
    assert np.isnan(found.oof.coords[~in4]).all()


def test_what_is_complete_is_not_done_again_and_what_is_stale_is(bench: Workbench, fake: Fake):
    run_all(bench, BASE, CHILD, OTHER)
    assert len(fake.jobs) == 15
    run_all(bench, BASE, CHILD, OTHER)
    assert len(fake.jobs) == 15
    (bench.workspace.fold("child", 2) / WEIGHTS).write_text("edited")
    path = bench.workspace.fold("other", 1) / "manifest.json"
    content = json.loads(path.read_text())
    content["inputs"]["data"] = "other data"
    path.write_text(json.dumps(content))
    (bench.workspace.fold("base", 3) / "manifest.json").unlink()
    run_all(bench, BASE, CHILD, OTHER)
    assert [job.title for job in fake.jobs[15:]] == ["base fold 3", "child fold 2", "other fold 1"]


def test_another_way_of_predicting_predicts_anew_and_trains_nothing(
    bench: Workbench, fake: Fake, monkeypatch: pytest.MonkeyPatch
):
    run_job(bench, BASE, 0, ALL, CPU)
    folder = bench.workspace.fold("base", 0)
    before = manifest(folder)["files"]
    started_from = bench.inputs(CHILD, 0, ALL)["parent"]
    monkeypatch.setattr(cross_validation, "PREDICTED_BY", cross_validation.PREDICTED_BY + 1)
    assert not bench.done(BASE, 0, ALL)
    assert bench.inputs(CHILD, 0, ALL)["parent"] == started_from
    (folder / PREDICTIONS).write_text("half")  # a run that was killed while it predicted anew
    run_job(bench, BASE, 0, ALL, CPU)
    assert bench.done(BASE, 0, ALL)
    assert len(fake.jobs) == 1
    assert manifest(folder)["files"] == before
    (folder / WEIGHTS).write_text("damaged")
    run_job(bench, BASE, 0, ALL, CPU)
    assert len(fake.jobs) == 2


def test_another_test_file_predicts_anew_and_trains_nothing(bench: Workbench, fake: Fake):
    run_all(bench, BASE, CHILD)
    faces = bench.competition
    other = Competition.of(faces.train, faces.test.take(slice(None, None, -1)), faces.lookup, drawn=True)
    assert other.train_digest == faces.train_digest
    assert other.test_digest != faces.test_digest
    later = replace(bench, competition=other)
    assert not later.done(BASE, 0, ALL)
    run_all(later, BASE, CHILD)
    assert len(fake.jobs) == 10  # none is trained again
    assert all(later.done(recipe, fold, ALL) for recipe in (BASE, CHILD) for fold in range(5))
    assert collect(later, BASE, ALL).test[0].ids.tolist() == other.test.ids.tolist()


def test_trainings_of_the_earlier_format_are_kept(bench: Workbench, fake: Fake):
    """Manifests named the digest of all files as the data of a training."""
    run_all(bench, BASE, CHILD)
    for recipe in (BASE, CHILD):
        for fold in range(5):
            path = bench.workspace.fold(recipe.name, fold) / "manifest.json"
            content = json.loads(path.read_text())
            content["inputs"] = {**bench.earlier_training(recipe, fold, ALL)[1], "predicting": 6}
            settings = path.with_name(SETTINGS)
            settings.write_text(json.dumps({"name": recipe.name, "start_from": None, "codec": {"kind": "Located"}}))
            content["files"][SETTINGS] = file_digest(settings)
            path.write_text(json.dumps(content))
    assert not bench.done(CHILD, 0, ALL)
    assert bench.trained(CHILD, 0, ALL)
    run_all(bench, BASE, CHILD)
    assert len(fake.jobs) == 10
    assert bench.done(CHILD, 0, ALL)
    settings = json.loads((bench.workspace.fold(CHILD.name, 0) / SETTINGS).read_text())
    assert settings == {"name": CHILD.name, "parent": None, "codec": {"kind": "Coordinates"}}


def test_inputs_change_with_all_that_a_result_depends_on(bench: Workbench):
    def digest(bench: Workbench, others: tuple = ALL, fold: int = 0) -> str:
        return bench.digest(CHILD, fold, others)

    table, data = bench.table, bench.competition
    other_fold = replace(table, fold=(table.fold + 1) % 5)
    later_base = (replace(BASE, seed=1), CHILD, OTHER)
    digests = [
        digest(bench),
        digest(bench, fold=1),
        digest(replace(bench, table=other_fold)),
        digest(replace(bench, competition=replace(data, train_digest="x"))),
        digest(replace(bench, competition=replace(data, test_digest="x"))),
        digest(bench, later_base),
    ]
    assert len(set(digests)) == 6
    assert bench.digest(OTHER, 0, ALL) == bench.digest(OTHER, 0, later_base)


def test_a_missing_fold_names_the_command(bench: Workbench, fake: Fake):
    run_all(bench, OTHER)
    (bench.workspace.fold("other", 4) / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"fold4.*python -m solution train --recipe other --fold 4"):
        collect(bench, OTHER, ALL)


def test_starting_from_what_is_not_trained_names_the_command(bench: Workbench, fake: Fake):
    with pytest.raises(UserError, match=r"child starts from.*train --recipe base --fold 0"):
        run_job(bench, CHILD, 0, ALL, CPU)
    with pytest.raises(UserError, match="starts from 'base', which is not a recipe"):
        run_job(bench, CHILD, 0, (CHILD, OTHER), CPU)
    assert fake.jobs == []


def test_half_written_files_of_a_killed_run_are_cleared_away(bench: Workbench, fake: Fake):
    folder = bench.workspace.fold("other", 0)
    folder.mkdir(parents=True)
    (folder / ".0123456789ab-weights.safetensors").write_text("half")
    run_job(bench, OTHER, 0, ALL, CPU)
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []
    assert set((manifest(folder) or {})["files"]) == {WEIGHTS, SETTINGS, HISTORY, "predictions.npz"}


def test_a_row_predicted_twice_is_an_error(bench: Workbench, fake: Fake):
    run_all(bench, OTHER)
    for name in ("predictions.npz", "manifest.json"):
        (bench.workspace.fold("other", 1) / name).write_bytes((bench.workspace.fold("other", 0) / name).read_bytes())
    held = [cross_validation.load_part(bench.workspace.fold("other", fold), "other", "held") for fold in range(5)]
    with pytest.raises(ValueError, match="other: a row is predicted more than once"):
        cross_validation._spread_over(bench.competition.train, held)
