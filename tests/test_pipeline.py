"""The command line from end to end, on tiny drawn faces with recipes of one epoch."""

import csv
import json
import math
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from solution import pipeline, recipes
from solution.__main__ import STOPPED, main
from solution.data.competition import Competition
from solution.ensemble import selection
from solution.evaluation.ensemble_variance import ensemble_variance
from solution.evaluation.expected import ExpectedConfig, OutOfFold, expect
from solution.evaluation.label_errors.evidence import disagreement
from solution.evaluation.label_errors.ranking import make_audit
from solution.evaluation.outliers import is_outlier
from solution.run import Run, Source
from tests.tiny_recipes import ALL, BASE, CHILD, OTHER

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(finished_copy: Path, drawn_folder: Path) -> Run:
    return Run(finished_copy, Source(drawn_folder, "faces"), "smoke", torch.device("cpu"))


@pytest.fixture
def cli(drawn_folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command on the drawn faces below a root: its exit code, and both output streams."""

    def call(
        root: Path, command: str, *more: str, data: Path = drawn_folder, scale: str = "smoke"
    ) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([command, "--data", str(data), "--scale", scale, "--jobs", "1", *more], root)
        return (code, *capsys.readouterr())

    return call


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file but the log, with its time and content."""
    files = (path for path in root.rglob("*") if path.is_file() and path.name != "log.txt")
    return {str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def manifests(root: Path) -> dict[str, int]:
    return {name: at for name, (at, _) in snapshot(root).items() if name.endswith("manifest.json")}


def refused(result: tuple[int, str, str]) -> str:
    """The message of a command that must have ended with 2 and one line on stderr."""
    code, _, said = result
    lines = said.splitlines()
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


def test_a_run_makes_everything(finished: Path, drawn: Competition):
    for recipe in ALL:
        assert len(list((finished / "folds" / "faces" / recipe.name).glob("fold*/manifest.json"))) == 5
    for name in ("folds.csv", "report.md", "log.txt", "stack/manifest.json", "evaluation/manifest.json"):
        assert (finished / "folds" / "faces" / name).stat().st_size > 0
    assert not list(finished.rglob("checkpoint.pt"))
    record = json.loads((finished / "submissions" / "faces" / "submission.json").read_text())
    assert record["drawn"] is True
    assert set(record["recipes"]) == {recipe.name for recipe in ALL}
    assert record["rows"] == len(drawn.lookup.row_id)


def test_the_evaluation_is_of_the_predictions_that_are_submitted(run: Run):
    """With the test file's sizes, the weights, and the place of its pictures."""
    made, data = pipeline.stacked(run), run.competition
    summary = pipeline.evaluation(run).summaries[selection.PLAIN]
    coords, labels = made.oof[selection.PLAIN].astype(np.float32).astype(float), data.train.coords
    outliers = is_outlier(coords, labels)
    variance = ensemble_variance(made.test[selection.PLAIN], data.test.subset)
    oof = OutOfFold(coords=coords, labels=labels, subset=data.train.subset, outliers=outliers)
    want = expect(oof, variance.by_subset, {15: 8, 4: 10}, data.weights)
    for kind in ("overall", 15, 4):
        assert summary["expected"].scores[kind] == pytest.approx(want.scores[kind], rel=1e-5)
        assert summary["expected"].intervals[kind] == pytest.approx(want.intervals[kind], rel=1e-5)
    assert (summary.name, summary.outliers, summary.disagreeing) == ("plain", outliers.sum(), variance.disagreeing)


def test_the_evaluation_is_made_where_it_is_missing_and_only_read_where_it_is_there(
    finished_copy: Path, run: Run, cli: Cli, monkeypatch: pytest.MonkeyPatch
):
    folder = finished_copy / "folds" / "faces" / "evaluation"
    before = (folder / "evaluation.json").read_bytes()
    shutil.rmtree(folder)
    assert cli(finished_copy, "report")[0] == 0
    assert (folder / "evaluation.json").read_bytes() == before

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a figure is computed again")

    monkeypatch.setattr("solution.evaluation.evaluation.evaluate", refuse)
    for command in (("submission",), ("submission", "--use-duplicates"), ("report",), ("report", "--json"), ("run",)):
        assert cli(finished_copy, *command)[0] == 0
    monkeypatch.setattr("solution.evaluation.expected.CONFIG", ExpectedConfig(farthest=40.0))
    with pytest.raises(AssertionError, match="computed again"):
        pipeline.evaluation(run)


def test_the_data_stage_logs_where_the_test_pictures_are(finished_copy: Path, cli: Cli):
    code, said, _ = cli(finished_copy, "data")
    assert code == 0
    for subset in (15, 4):
        assert f"Data: {subset}-keypoint test pictures: place unknown" in said
    assert "test pictures are identical to labelled ones" in said


def test_the_audit_is_of_the_predictions_with_drift(run: Run):
    """A training row's own place is known, wherever the test pictures stand."""
    ensemble, members = pipeline.stacked(run), [s.oof for s in pipeline.trained(run)]
    ensemble.oof[selection.WITH_DRIFT] += np.float32(40) * (run.competition.train.ids == 7)[:, None, None]
    evaluated = pipeline._evaluate(run, ensemble)
    apart = disagreement(np.stack([member.coords for member in members])).astype(np.float32)
    drifted = replace(ensemble.oof_predictions(selection.WITH_DRIFT, run), sigma=apart)
    want = make_audit(run.competition.train, run.table, drifted)
    for column in ("id", "score"):
        assert [row[column] for row in evaluated.audit] == want[column].tolist()
    assert evaluated.audit != pipeline.evaluation(run).audit


def test_the_report_has_the_true_error_of_the_submission(finished: Path, drawn_folder: Path):
    def locations(path: Path) -> list[float]:
        with path.open(newline="") as handle:
            return [float(row["Location"]) for row in csv.DictReader(handle)]

    sent = locations(finished / "submissions" / "faces" / "submission.csv")
    errors = np.array(sent) - np.array(locations(drawn_folder / "answers.csv"))
    true = math.sqrt((errors**2).mean())
    assert 3 < true < 30
    said = (finished / "folds" / "faces" / "report.md").read_text()
    assert f"True RMSE on the test pictures, over every answer: {true:.3f} px" in said


def test_a_second_run_redoes_nothing(finished_copy: Path, cli: Cli):
    before = manifests(finished_copy)
    table = (finished_copy / "folds" / "faces" / "folds.csv").stat().st_mtime_ns
    sent = (finished_copy / "submissions" / "faces" / "submission.csv").read_bytes()
    code, said, _ = cli(finished_copy, "run")
    assert code == 0
    assert "Train: 15 of 15 trainings are complete" in said
    assert "Stack: up to date" in said
    assert "expected RMSE" in said
    assert manifests(finished_copy) == before
    assert (finished_copy / "folds" / "faces" / "folds.csv").stat().st_mtime_ns == table
    assert (finished_copy / "submissions" / "faces" / "submission.csv").read_bytes() == sent


def test_a_changed_recipe_retrains_itself_and_what_starts_from_it(
    finished_copy: Path, cli: Cli, use_recipes: Callable[..., None]
):
    before = manifests(finished_copy)
    use_recipes(replace(BASE, seed=1), CHILD, OTHER)
    assert cli(finished_copy, "train")[0] == 0
    changed = {name.split("/")[2] for name, at in manifests(finished_copy).items() if before[name] != at}
    assert changed == {"base", "child"}
    assert "python -m solution stack" in refused(cli(finished_copy, "submission"))  # the stack is of the old ones


def test_one_fold_and_one_recipe_can_be_trained_alone(finished_copy: Path, cli: Cli):
    folds = finished_copy / "folds" / "faces"
    for folder in folds.glob("other/fold*"):
        (folder / "manifest.json").unlink()
    code, said, _ = cli(finished_copy, "train", "--recipe", "other", "--fold", "3")
    assert code == 0
    assert "Train: 0 of 1 trainings are complete" in said
    assert [path.parent.name for path in folds.glob("other/fold*/manifest.json")] == ["fold3"]
    assert "Run `python -m solution stack`" in refused(cli(finished_copy, "report"))


def test_the_same_faces_give_the_same_submission_from_nothing(finished_copy: Path, cli: Cli):
    sent = (finished_copy / "submissions" / "faces" / "submission.csv").read_bytes()
    before = manifests(finished_copy)
    ledger = finished_copy / "submissions" / "faces" / "scores.csv"
    ledger.write_text("time,name,message,status,cv\n")
    elsewhere = finished_copy / "another disk"
    (finished_copy / "folds" / "faces" / "base").rename(elsewhere)
    (finished_copy / "folds" / "faces" / "base").symlink_to(elsewhere)
    assert cli(finished_copy, "run", "--fresh")[0] == 0
    after = manifests(finished_copy)
    assert {name for name in before if before[name] == after[name]} == {n for n in before if "/cache/" in n}
    assert (finished_copy / "submissions" / "faces" / "submission.csv").read_bytes() == sent
    assert ledger.exists()
    assert "Report:" in (finished_copy / "folds" / "faces" / "log.txt").read_text()


@pytest.mark.parametrize("what", ["files", "ray"])
def test_nothing_is_forgotten_for_a_run_that_cannot_begin(
    what: str, finished_copy: Path, cli: Cli, drawn_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    before, arguments = manifests(finished_copy), ["--executor", "ray"]
    monkeypatch.setitem(sys.modules, "ray", None)
    if what == "files":
        data = shutil.copytree(drawn_folder, finished_copy / "faces")
        (data / "training.zip").write_bytes((data / "training.zip").read_bytes()[:-300])
        arguments = ["--data", str(data)]
    refused(cli(finished_copy, "run", "--fresh", *arguments))
    assert manifests(finished_copy) == before


BAD = {
    "unknown recipe": (("train", "--recipe", "bse"), {}, "expected a file solution/recipes/bse.py"),
    "no such fold": (("train", "--fold", "7"), {}, "--fold 7: expected 0 to 4"),
    "unknown scale": (("train",), {"scale": "huge"}, "--scale huge: expected one of smoke, cpu, full"),
    "wrong folder": (("train",), {"data": Path("/nowhere/at/all")}, "--data /nowhere/at/all: expected a folder"),
    "unknown device": (("train", "--device", "tpu"), {}, "--device tpu: expected auto, cpu, cuda"),
    "no such GPU": (("train", "--device", "cuda:99"), {}, "--device cuda:99: expected a GPU"),
    "no workers": (("train", "--jobs", "0"), {}, "--jobs 0: expected 1 or more"),
    "drawn faces are not for Kaggle": (("submit", "-m", "try"), {}, "drawn faces, which Kaggle cannot score"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_option_is_one_line_and_changes_nothing(finished_copy: Path, cli: Cli, case: str):
    arguments, options, message = BAD[case]
    before = snapshot(finished_copy)
    assert message in refused(cli(finished_copy, *arguments, **options))
    assert snapshot(finished_copy) == before


def test_weights_that_no_recipe_reads_are_reported(finished_copy: Path, cli: Cli, tmp_path: Path):
    code, said, _ = cli(finished_copy, "folds", "--weights", str(tmp_path))
    assert code == 0
    assert "not read, no recipe of scale smoke starts from ImageNet's" in said


def test_a_recipe_of_another_scale_is_refused(finished_copy: Path, cli: Cli, use_recipes: Callable[..., None]):
    use_recipes(BASE, CHILD, replace(OTHER, runs_at=("full",)))
    assert "recipe other: expected one that runs at scale smoke" in refused(
        cli(finished_copy, "train", "--recipe", "other")
    )


def test_damaged_data_touches_nothing(finished_copy: Path, cli: Cli, drawn_folder: Path, tmp_path: Path):
    damaged = Path(shutil.copytree(drawn_folder, tmp_path / "faces"))
    content = (damaged / "training.zip").read_bytes()
    (damaged / "training.zip").write_bytes(content[: len(content) // 2])
    before = snapshot(finished_copy)
    assert "training" in refused(cli(finished_copy, "run", data=damaged))
    assert snapshot(finished_copy) == before


@pytest.mark.parametrize("name", ["folds", "submissions"])
def test_a_file_in_the_results_place_is_one_line(tmp_path: Path, cli: Cli, name: str):
    (tmp_path / name).touch()
    assert f"{name}/faces: expected a folder that can be written to" in refused(cli(tmp_path, "run"))


def test_each_stage_names_the_command_that_it_needs(
    tmp_path: Path, finished: Path, cli: Cli, use_recipes: Callable[..., None]
):
    use_recipes(*ALL)
    shutil.copytree(finished / "folds" / "faces" / "cache", tmp_path / "folds" / "faces" / "cache")
    for command in ("train", "stack", "submission", "report"):
        assert "Run `python -m solution folds`" in refused(cli(tmp_path, command))
    assert cli(tmp_path, "folds")[0] == 0
    missing = refused(cli(tmp_path, "stack"))
    assert "expected 15 finished trainings of these settings and data at scale smoke, 15 are missing" in missing
    assert "child (0, 1, 2, 3, 4)" in missing
    assert "Run `python -m solution train` with the same --data and --scale first" in missing
    assert "train --recipe base --fold 2` with the same --data and --scale first" in refused(
        cli(tmp_path, "train", "--recipe", "child", "--fold", "2")
    )
    for command in ("submission", "report"):
        assert "Run `python -m solution stack`" in refused(cli(tmp_path, command))


def test_folds_of_other_faces_are_made_again(finished_copy: Path, cli: Cli):
    path = finished_copy / "folds" / "faces" / "folds.csv"
    before = path.read_text()
    path.write_text("\n".join(before.splitlines()[:-1]))
    assert cli(finished_copy, "folds")[0] == 0
    assert path.read_text() == before


def test_ctrl_c_says_that_epochs_are_kept(finished_copy: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch):
    def press(run: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("solution.pipeline.data", press)
    code, _, said = cli(finished_copy, "data")
    assert code == STOPPED
    assert "Every finished epoch is kept" in said


def test_the_real_recipes_are_all_reachable_from_the_command_line(tmp_path: Path, finished: Path, cli: Cli):
    shutil.copytree(finished / "folds" / "faces" / "cache", tmp_path / "folds" / "faces" / "cache")
    assert cli(tmp_path, "folds")[0] == 0
    missing = refused(cli(tmp_path, "stack"))
    for recipe in recipes.load_all():
        assert (f"{recipe.name} (0, 1, 2, 3, 4)" in missing) == ("smoke" in recipe.runs_at)
