import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solution.__main__ import main
from solution.data.competition import Competition, Lookup
from solution.data.folds import duplicates_across, groups_of
from solution.data.reader import read_competition
from solution.data.synthetic.write import write_drawn
from solution.ensemble import duplicates
from solution.ensemble.config import DuplicatesConfig
from solution.faces import FoldTable
from tests.conftest import DRAWN
from tests.small import predicted, small_faces
from tests.tiny_recipes import BASE

PREDICTION, LABEL = 1.0, 1.5  # px rms, of what is planted
OPTIMUM = PREDICTION**2 / (PREDICTION**2 + LABEL**2)
FOLDS = 4
ROWS = 120  # of each subset, two by two with one picture


WHOLE = DuplicatesConfig(share15=1, share4=1)  # the labels of duplicates have their whole out-of-fold weight


def learn(data: Competition, table: FoldTable, oof: np.ndarray) -> duplicates.DuplicateLabels:
    return duplicates.learn(data, table, oof, WHOLE)


@pytest.fixture
def planted() -> tuple[Competition, FoldTable, np.ndarray]:
    """Pairs of identical pictures in the training file, each label and each prediction with an error of its own.

    Test rows: a 15-keypoint duplicate, a duplicate of the other subset, a 4-keypoint duplicate, and none.
    """
    rng = np.random.default_rng(0)
    truth = small_faces(ROWS, ROWS)
    first = np.arange(2 * ROWS) // 2 * 2
    clean = truth.coords[first]
    train = replace(truth, images=truth.images[first], coords=noisy(clean, LABEL, rng))
    table = FoldTable(train.ids, groups_of(train.images) // 2 % FOLDS, groups_of(train.images))
    test = small_faces(2, 2, seed=1)
    test = replace(test, coords=np.full_like(test.coords, np.nan))
    test.images[[0, 1, 2]] = train.images[[10, ROWS + 10, ROWS + 20]]
    lookup = Lookup(np.arange(4), test.ids, np.zeros(4, int))
    # Duplicates have one picture, so they have one prediction.
    oof = np.nan_to_num(noisy(clean, 0, rng), nan=48.0) + np.repeat(rng.normal(0, PREDICTION, (ROWS, 15, 2)), 2, axis=0)
    return Competition(train, test, lookup, "d" * 16, "e" * 16, "f" * 16, True), table, oof.astype(np.float32)


def noisy(coords: np.ndarray, error: float, rng: np.random.Generator) -> np.ndarray:
    return (coords + rng.normal(0, error, coords.shape)).astype(np.float32)


def with_labels(data: Competition, coords: np.ndarray) -> Competition:
    return replace(data, train=replace(data.train, coords=coords))


def test_the_weight_is_near_the_best_there_is(planted):
    data, table, oof = planted
    found = learn(data, table, oof)
    for worth in found.worth.values():
        assert worth.weight == pytest.approx(OPTIMUM, abs=0.05)
        assert worth.rows == ROWS
        assert worth.alone == pytest.approx(np.hypot(PREDICTION, LABEL), rel=0.05)
        best = np.hypot(LABEL, PREDICTION * LABEL / np.hypot(PREDICTION, LABEL))
        assert worth.blended == pytest.approx(best, rel=0.05)
        assert worth.blended < worth.alone


def test_a_label_that_the_pipelines_have_learnt_from_weighs_less(planted):
    data, table, oof = planted
    found = duplicates.learn(data, table, oof)
    assert found.worth[4].weight == pytest.approx(duplicates.CONFIG.share4 * found.worth[4].unmet)
    assert 0 < found.worth[4].weight < found.worth[4].unmet
    assert found.worth[15].weight == 0  # no pair of the competition's shows what it would be worth
    assert found.used == 1


def test_labels_that_lose_are_not_used(planted):
    """The weight is learnt on three folds; on the fourth the labels are worse than the predictions."""
    data, table, oof = planted
    coords = data.train.coords.copy()
    for fold in range(FOLDS):
        coords[table.fold == fold] += 3.0 * (-1) ** fold
    found = learn(with_labels(data, coords), table, oof)
    for worth in found.worth.values():
        assert worth.wins == (worth.blended < worth.alone)


def test_a_fold_does_not_influence_its_own_weight(planted):
    data, table, oof = planted
    labels, rng = data.train.coords, np.random.default_rng(1)
    changed = labels.copy()
    changed[table.fold == 1] = noisy(changed[table.fold == 1], 2.0, rng)
    twins = noisy(labels, LABEL, rng)
    before, after = (duplicates.weights_without(oof, twins, values, table.fold) for values in (labels, changed))
    np.testing.assert_array_equal(before == after, np.arange(FOLDS) == 1)


def test_only_a_duplicate_of_the_same_subset_is_used(planted):
    data, table, oof = planted
    found = learn(data, table, oof)
    assert duplicates.in_test(data) == 3
    assert found.used == 2
    labels = data.train.coords
    np.testing.assert_allclose(found.test[0], labels[[10, 11]].mean(axis=0), rtol=1e-6)
    assert np.isnan(found.test[[1, 3]]).all()
    np.testing.assert_allclose(found.test[2], labels[[ROWS + 20, ROWS + 21]].mean(axis=0), rtol=1e-6)


def test_predictions_change_only_where_a_duplicate_has_a_label(planted):
    data, table, oof = planted
    data.train.coords[10:12, 3] = np.nan
    found = learn(data, table, oof)
    before = predicted(replace(data.test, coords=np.full_like(data.test.coords, 50)), "final", 2.0)
    after = found.blend(before, data.test)
    assert (after.name, after.coords.dtype) == ("final", np.float32)
    known = np.isfinite(found.test)
    assert known[0, [2, 4]].all()
    assert not known[0, 3].any()
    np.testing.assert_array_equal(after.coords[~known], before.coords[~known])
    weight = np.array([found.worth[s].weight for s in data.test.subset])[:, None, None]
    want = (1 - weight) * before.coords + weight * found.test
    np.testing.assert_allclose(after.coords[known], want[known], rtol=1e-5)


def test_an_outlier_changes_nothing(planted):
    data, table, oof = planted
    usual = learn(data, table, oof)
    coords = data.train.coords.copy()
    coords[[10, ROWS + 20, ROWS + 21]] += 40
    found = learn(with_labels(data, coords), table, oof)
    np.testing.assert_array_equal(found.test[0], coords[11].astype(float))
    assert found.used == 1
    for subset in (15, 4):
        assert (
            found.worth[subset].rows == ROWS - 2
        )  # an outlier does not count, and its duplicate has no other duplicate
        assert found.worth[subset].weight == pytest.approx(usual.worth[subset].weight, abs=0.03)


def test_one_wild_cell_does_not_rule(planted):
    data, table, oof = planted
    coords = data.train.coords.copy()
    coords[ROWS + np.arange(0, ROWS, 8), 10] += 15  # nose tips, rows still under 10 px rms
    worth = learn(with_labels(data, coords), table, oof).worth
    assert worth[4].rows == ROWS
    assert 0.15 < worth[4].weight < OPTIMUM + 0.05


def test_without_duplicates_to_learn_from_nothing_is_used(planted):
    data, table, oof = planted
    alone = np.arange(0, 2 * ROWS, 2)
    table = FoldTable(table.ids[alone], table.fold[alone], np.arange(len(alone)))
    found = learn(replace(data, train=data.train.take(alone)), table, oof[alone])
    assert (found.worth, found.used) == ({}, 0)


def test_one_pair_decides_little(planted):
    data, table, _ = planted
    alone = np.r_[0:ROWS:2, 1, ROWS : 2 * ROWS]  # of the 15-keypoint duplicates, the first pair is left
    train = data.train.take(alone)
    train.coords[[0, ROWS // 2]] = 48.0  # they agree, and the prediction is a pixel off
    table = FoldTable(train.ids, table.fold[alone], groups_of(train.images))
    oof = np.nan_to_num(train.coords, nan=48.0) + 1.0
    worth = learn(replace(data, train=train), table, oof).worth[15]
    assert worth.rows == 2
    assert worth.weight == pytest.approx(60 / (60 + WHOLE.ridge))
    assert worth.blended == worth.alone  # no other fold has duplicates


def test_the_mean_label_of_several_duplicates_is_used(planted):
    data, table, oof = planted
    images = data.train.images.copy()
    images[[2, 3]] = images[0]
    data.train.coords[[2, 3]], oof[[2, 3]] = data.train.coords[[0, 1]] + 0.5, oof[[0, 1]]
    data.test.images[0] = images[0]
    found = learn(replace(data, train=replace(data.train, images=images)), table, oof)
    np.testing.assert_allclose(found.test[0], data.train.coords[:4].mean(axis=0), rtol=1e-6)
    assert found.used == 2


COPIED = {0: 3, 9: 50}  # test row → training row, one of each subset


@pytest.fixture
def copied_folder(drawn_folder: Path, tmp_path: Path) -> Path:
    return with_copies(drawn_folder, tmp_path / "copied")


def with_copies(source: Path, folder: Path) -> Path:
    """Drawn faces with two of the labelled pictures in the test file, too."""
    folder.mkdir()
    for path in source.iterdir():
        if path.name != "test.zip":
            (folder / path.name).symlink_to(path)
    training, test = (rows_of(source / f"{name}.zip") for name in ("training", "test"))
    for row, labelled in COPIED.items():
        test[row]["Image"] = training[labelled]["Image"]
    with (folder / "test.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(test[0]))
        writer.writeheader()
        writer.writerows(test)
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive, archive.open(path.with_suffix(".csv").name) as handle:
        return list(csv.DictReader(io.TextIOWrapper(handle, encoding="utf-8", newline="")))


def locations(path: Path) -> np.ndarray:
    with path.open(newline="") as handle:
        return np.array([float(row["Location"]) for row in csv.DictReader(handle)])


def test_a_run_from_end_to_end(
    copied_folder: Path, tmp_path: Path, use_recipes: Callable[..., None], capsys: pytest.CaptureFixture[str]
):
    use_recipes(BASE)
    root = tmp_path / "root"
    report, sent = root / "folds" / "copied" / "report.md", root / "submissions" / "copied"

    def call(verb: str, *more: str) -> str:
        arguments = ["--data", str(copied_folder), "--scale", "smoke", "--jobs", "1", *more]
        assert main([verb, *arguments], root) == 0
        return capsys.readouterr().out

    def submitted(name: str) -> tuple[bytes, dict]:
        return (sent / f"{name}.csv").read_bytes(), json.loads((sent / f"{name}.json").read_text())

    call("run")
    assert "training pictures; their labels are not used." in report.read_text()
    names = ("submission", "submission-plain")
    without = {name: submitted(name)[0] for name in names}
    assert not (sent / "submission-duplicates.csv").exists()
    for name in names:
        assert submitted(name)[1]["use_duplicates"] is False

    assert "Train: 5 of 5 trainings are complete" in call("run", "--use-duplicates")
    assert "submission-duplicates.csv blends the predictions of" in report.read_text()
    assert f"Submission: {sent / 'submission.csv'}" in report.read_text()
    for name in names:  # neither is changed by the flag
        assert submitted(name)[0] == without[name]
    data = read_competition(copied_folder, tmp_path / "cache")
    check_blended(data, locations(sent / "submission.csv"), locations(sent / "submission-duplicates.csv"), sent)

    (sent / "submission-duplicates.csv").unlink()
    call("submission", "--use-twins")  # the earlier name of the option
    assert (sent / "submission-duplicates.csv").is_file()


def check_blended(data: Competition, alone: np.ndarray, blended: np.ndarray, sent: Path) -> None:
    """Cells of duplicates are between prediction and label as far as the record says, all others where they were."""
    record = json.loads((sent / "submission-duplicates.json").read_text())
    assert record["use_duplicates"] is True
    assert record["duplicates"]["test_pictures"] == duplicates.in_test(data)
    moved = np.unique(data.lookup.image_id[alone != blended])
    known = data.test.ids[np.unique(duplicates_across(data.train, data.test)[:, 0])]
    assert set(moved.tolist()) <= set(known.tolist())
    assert 1 <= len(moved) <= record["duplicates"]["blended"]
    row, labelled = next((row, labelled) for row, labelled in COPIED.items() if data.test.subset[row] == 4)
    cells = data.lookup.image_id == data.test.ids[row]
    column = data.lookup.column[cells]
    labels = data.train.coords[labelled, column // 2, column % 2]
    weight = record["duplicates"]["worth"]["4"]["weight"]
    want = np.where(np.isnan(labels), alone[cells], (1 - weight) * alone[cells] + weight * labels)
    np.testing.assert_allclose(blended[cells], want, atol=1e-3)


def test_without_worth_nothing_is_written(
    tmp_path: Path, use_recipes: Callable[..., None], capsys: pytest.CaptureFixture[str]
):
    """The training file has no duplicates of its own to learn a weight from."""
    use_recipes(BASE)
    write_drawn(tmp_path / "drawn", replace(DRAWN, duplicates=0))
    folder = with_copies(tmp_path / "drawn", tmp_path / "copied")
    arguments = ["--data", str(folder), "--scale", "smoke", "--jobs", "1", "--use-duplicates"]
    assert main(["run", *arguments], tmp_path) == 0
    assert "submission-duplicates.csv is not written" in capsys.readouterr().out
    assert not list(tmp_path.glob("submissions/*/submission-duplicates*"))
    assert main(["submit", *arguments, "-m", "a try", "--yes"], tmp_path) == 2
    assert "expected the submission with the labels of duplicates, found none" in capsys.readouterr().err


def test_the_planted_copies_are_counted(copied_folder: Path, tmp_path: Path):
    data = read_competition(copied_folder, tmp_path / "cache")
    for row, labelled in COPIED.items():
        assert data.test.subset[row] == data.train.subset[labelled]
    assert duplicates.in_test(data) == len(COPIED)
