"""Drawn faces: the format is the competition's, the planted truth is what the files hold."""

import json
import zipfile
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from solution.data.synthetic import DrawnSettings, draw_faces, ensure_drawn, write, write_drawn
from solution.data.synthetic.anatomy import random_anatomy
from solution.data.synthetic.labels import WRONG_KINDS
from solution.data.synthetic.passes import BIAS_RMS, UNEVEN
from solution.data.synthetic.plan import plan_files
from solution.data.synthetic.slots import draw_slot, slots
from solution.keypoints import FACE4, FACE15, IN_FOUR, mirror, subset_of
from solution.runtime.errors import UserError

SETTINGS = DrawnSettings(seed=3, train15=60, train4=240, test15=12, test4=20, wrong=0.03)
FILES = ("training.zip", "test.zip", "IdLookupTable.csv", "SampleSubmission.csv", "answers.csv", "drift.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    write_drawn(folder, SETTINGS)
    return folder


@pytest.fixture(scope="module")
def training(folder):
    return pd.read_csv(folder / "training.zip")


@pytest.fixture(scope="module")
def truth(folder):
    return json.loads((folder / "drawn.json").read_text())


def coords_of(table):
    return table[list(FACE15.columns)].to_numpy(float).reshape(-1, 15, 2)


def true_points(settings, truth):
    """The points of the training rows before any flaw of a label, (N, 15, 2)."""
    rows = slots(settings, "training")
    shown = list(rows)
    for earlier, row in truth["duplicates"]:
        shown[row] = rows[earlier]
    points = np.full((len(rows), 15, 2), np.nan)
    for row, slot in enumerate(shown):
        face = draw_slot(settings.seed, slot)
        points[row, slice(None) if slot.subset == 15 else IN_FOUR] = (
            face.points15 if slot.subset == 15 else face.points4
        )
    return points


def drift_of(folder, file):
    table = pd.read_csv(folder / "drift.csv")
    rows = table[table["file"] == file]
    np.testing.assert_array_equal(rows["row"], np.arange(len(rows)))
    return rows[list(FACE4.columns)].to_numpy(float).reshape(-1, 4, 2)


def test_training_file_has_the_competitions_format(folder, training):
    with zipfile.ZipFile(folder / "training.zip") as archive:
        assert archive.namelist() == ["training.csv"]
    assert tuple(training.columns) == (*FACE15.columns, "Image")
    pixels = training["Image"].str.split(" ")
    assert (pixels.str.len() == 96 * 96).all()
    values = np.array(pixels.tolist()).astype(int)
    assert values.min() >= 0
    assert values.max() <= 255
    coords = coords_of(training)
    np.testing.assert_array_equal(np.isnan(coords[..., 0]), np.isnan(coords[..., 1]))
    assert np.nanmin(coords) >= 0
    assert np.nanmax(coords) <= 95
    np.testing.assert_array_equal(subset_of(~np.isnan(coords[..., 0])), [15] * 60 + [4] * 240)


def test_test_file_lookup_sample_and_answers_agree(folder):
    test, lookup = pd.read_csv(folder / "test.zip"), pd.read_csv(folder / "IdLookupTable.csv")
    sample, answers = pd.read_csv(folder / "SampleSubmission.csv"), pd.read_csv(folder / "answers.csv")
    assert test["ImageId"].tolist() == list(range(1, 33))
    assert tuple(lookup.columns) == ("RowId", "ImageId", "FeatureName", "Location")
    assert lookup["Location"].isna().all()
    for table in (lookup, sample, answers):
        assert table["RowId"].tolist() == list(range(1, len(lookup) + 1))
    assert (sample["Location"] == 0).all()
    assert answers["Location"].between(0, 95).all()
    asked = lookup.groupby("ImageId")["FeatureName"].agg(list)
    assert asked.index.tolist() == test["ImageId"].tolist()
    for image, names in asked.items():
        assert names == [column for column in FACE15.columns if column in names]
        assert set(names) <= set(FACE4.columns) if image > 12 else not set(names) <= set(FACE4.columns)
    assert sum(len(names) == 30 for names in asked[:12]) >= 8


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path):
    settings = DrawnSettings(seed=3, train15=8, train4=12, test15=3, test4=4, duplicates=0.2, wrong=0.1)
    for name in ("first", "again"):
        write_drawn(tmp_path / name, settings)
    for name in (*FILES, "drawn.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "first" / name).read_bytes()
    other, _ = draw_faces(2, seed=4)
    assert not np.array_equal(other, draw_faces(2, seed=3)[0])


def test_a_face_does_not_depend_on_how_many_are_drawn():
    few, points = draw_faces(3, seed=9)
    more, more_points = draw_faces(5, seed=9)
    np.testing.assert_array_equal(few, more[:3])
    np.testing.assert_array_equal(points, more_points[:3])
    assert few.dtype == np.uint8
    assert points.dtype == np.float32
    assert points.shape == (3, 15, 2)


def test_label_noise_and_offset_are_as_planted(folder, training, truth):
    error = coords_of(training) - true_points(SETTINGS, truth)
    error[:, IN_FOUR] -= drift_of(folder, "training")
    error = np.delete(error, [wrong["row"] for wrong in truth["wrong"]], axis=0)
    n15 = 60 - sum(wrong["row"] < 60 for wrong in truth["wrong"])
    for part, offset, noise in ((error[:n15], 0.5, 0.5), (error[n15:], 1.2, 1.0)):
        assert np.nanmean(part[..., 0]) == pytest.approx(offset, abs=0.1)
        assert np.nanmean(part[..., 1]) == pytest.approx(0, abs=0.1)
        assert np.nanstd(part - [offset, 0]) == pytest.approx(noise, rel=0.12)


def test_offset_is_what_mirroring_the_labels_shows():
    faces = [random_anatomy(np.random.default_rng([1, i])) for i in range(800)]
    for schema, points in (
        (FACE15, np.array([face.keypoints() for face in faces])),
        (FACE4, np.array([face.keypoints_of_four() for face in faces])),
    ):
        labels = points + np.array([1.2, 0])
        to_the_right = (labels - mirror(labels, schema))[..., 0].mean() / 2
        assert to_the_right == pytest.approx(1.2, abs=0.35)  # faces stand 2.7 px rms off the middle


def test_duplicates_are_identical_with_labels_of_their_own(training, truth):
    assert len(truth["duplicates"]) == 16
    assert sum(row >= 60 for _, row in truth["duplicates"]) == 15
    for earlier, row in truth["duplicates"]:
        assert earlier < row
        assert (earlier >= 60) == (row >= 60)
        assert training["Image"][earlier] == training["Image"][row]
        assert not np.array_equal(coords_of(training)[earlier], coords_of(training)[row], equal_nan=True)
    assert training["Image"].nunique() == len(training) - 16


def test_a_fifth_of_the_test_files_4_keypoint_pictures_are_training_pictures(folder, training, truth):
    test = pd.read_csv(folder / "test.zip")
    assert len(truth["test_duplicates"]) == 4
    assert len({earlier for earlier, _ in truth["test_duplicates"]}) == 4
    for earlier, row in truth["test_duplicates"]:
        assert earlier >= 60
        assert row >= 12
        assert training["Image"][earlier] == test["Image"][row]
    listed = [row for _, row in truth["test_duplicates"]]
    assert not set(test["Image"].drop(listed)) & set(training["Image"])
    assert test["Image"].nunique() == len(test)


def test_wrong_rows_are_listed_and_no_other_row_is_wrong(folder, training, truth):
    error = coords_of(training) - true_points(SETTINGS, truth)
    error[:, IN_FOUR] -= drift_of(folder, "training")
    worst = np.nanmax(np.abs(error), axis=(1, 2))
    listed = [wrong["row"] for wrong in truth["wrong"]]
    assert len(listed) == 9
    assert {wrong["kind"] for wrong in truth["wrong"]} == set(WRONG_KINDS)
    assert np.delete(worst, listed).max() < 9
    rms = np.sqrt(np.nanmean(error**2, axis=(1, 2)))
    assert rms[listed].min() > 2 * np.median(rms)
    for wrong in truth["wrong"]:
        eyes = coords_of(training)[wrong["row"], :2, 0]
        assert (eyes[0] < eyes[1]) == (wrong["kind"] == "swapped_eyes")


def test_drift_file_is_label_minus_drift_free_label(folder, training, truth, tmp_path):
    write_drawn(tmp_path / "still", replace(SETTINGS, drift=0.0))
    still = pd.read_csv(tmp_path / "still" / "training.zip")
    difference = (coords_of(training) - coords_of(still))[:, IN_FOUR]
    inside = ~np.isnan(difference) & ((coords_of(training) > 0) & (coords_of(training) < 95))[:, IN_FOUR]
    assert inside.sum() > 0.95 * difference.size
    # swapped eyes swap their drift with them
    inside[[wrong["row"] for wrong in truth["wrong"] if wrong["kind"] == "swapped_eyes"]] = False
    np.testing.assert_allclose(difference[inside], drift_of(folder, "training")[inside], atol=1e-6)
    assert (drift_of(folder, "training")[:60] == 0).all()
    answers = [pd.read_csv(path / "answers.csv")["Location"] for path in (folder, tmp_path / "still")]
    assert np.abs(answers[0] - answers[1]).max() == pytest.approx(np.abs(drift_of(folder, "test")).max(), abs=1e-6)


def test_the_test_file_goes_on_where_the_training_file_breaks_off(folder, truth):
    training, test = drift_of(folder, "training")[60:], drift_of(folder, "test")[12:]
    assert (drift_of(folder, "test")[:12] == 0).all()
    begins, rest = truth["passes"]["training"][-1], truth["passes"]["test"][0]
    assert len(truth["passes"]["training"]) == 6
    assert 240 - begins > 15
    assert rest > 10
    np.testing.assert_allclose(240 - begins + rest, 240 / 5.6, rtol=UNEVEN + 0.02)
    # the labeller of the pass that breaks off goes on as smoothly as before, then another takes over
    whole = np.concatenate([training[begins:], test])
    steps = (np.abs(np.diff(whole, axis=0)) / BIAS_RMS).max(axis=(1, 2))
    assert steps.argmax() + 1 == 240 - begins + rest
    assert np.delete(steps, steps.argmax()).max() < 0.4


def test_a_picture_that_several_rows_show_is_drawn_once(tmp_path, monkeypatch):
    settings = DrawnSettings(train15=12, train4=60, test15=2, test4=20, wrong=0)
    drawn = []
    monkeypatch.setattr(write, "draw_slot", lambda seed, slot: drawn.append(slot) or draw_slot(seed, slot))
    write_drawn(tmp_path, settings)
    assert Counter(drawn) == Counter({slot for shown in plan_files(settings).shown.values() for slot in shown})
    assert len(drawn) < settings.train + settings.test - 8


def test_points_fall_where_they_are_drawn():
    """The iris is darker than its surroundings, the nose of the second source lies lower, the brow above the eye."""
    darker = []
    for slot in slots(DrawnSettings(train15=60, train4=0), "training"):
        face = draw_slot(5, slot)
        anatomy = random_anatomy(slot.rng(5, "picture"))
        np.testing.assert_array_equal(anatomy.keypoints(), face.points15)
        if not anatomy.style.glasses:
            for x, y in np.round(face.points15[:2]).astype(int):
                iris = face.image[y - 1 : y + 2, x - 1 : x + 2].mean()
                darker.append(iris < face.image[y - 9 : y + 10, x - 9 : x + 10].mean())
        assert face.points4[2, 1] > face.points15[10, 1] + 2
        assert face.points15[13, 1] < face.points4[3, 1] < face.points15[14, 1]
        assert (face.points15[6:10, 1] < face.points15[[2, 3, 4, 5], 1]).all()
    assert len(darker) > 60
    assert np.mean(darker) > 0.97


def test_ensure_drawn_draws_once_and_again_for_other_settings(tmp_path):
    small = DrawnSettings(train15=2, train4=3, test15=1, test4=1)
    ensure_drawn(tmp_path, small)
    stamp = (tmp_path / "training.zip").stat().st_mtime_ns
    ensure_drawn(tmp_path, small)
    assert (tmp_path / "training.zip").stat().st_mtime_ns == stamp
    ensure_drawn(tmp_path, replace(small, seed=1))
    assert (tmp_path / "training.zip").stat().st_mtime_ns != stamp
    assert json.loads((tmp_path / "drawn.json").read_text())["settings"]["seed"] == 1


def test_an_interrupted_drawing_is_unfinished_and_is_drawn_again(tmp_path):
    small = DrawnSettings(train15=2, train4=3, test15=1, test4=1)
    ensure_drawn(tmp_path, small)

    lookup = tmp_path / "IdLookupTable.csv"
    lookup.unlink()
    lookup.mkdir()  # the file cannot be written
    with pytest.raises(UserError, match="Is a directory"):
        write_drawn(tmp_path, replace(small, seed=1))
    assert not (tmp_path / "drawn.json").exists()
    lookup.rmdir()
    ensure_drawn(tmp_path, small)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((*FILES, "drawn.json"))


def test_files_that_were_not_drawn_are_never_overwritten(tmp_path):
    (tmp_path / "training.zip").write_bytes(b"downloaded")
    with pytest.raises(UserError, match=r"training\.zip that were not drawn"):
        write_drawn(tmp_path, DrawnSettings(train15=1, train4=1, test15=1, test4=1))
    assert (tmp_path / "training.zip").read_bytes() == b"downloaded"


FEW = [(3, 0, 2, 0), (0, 3, 0, 2), (2, 0, 0, 2), (0, 20, 1, 5), (12, 2, 0, 20), (0, 1, 0, 1)]


@pytest.mark.parametrize("sizes", FEW)
def test_few_rows_or_one_kind_alone(tmp_path, sizes):
    train15, train4, test15, test4 = sizes
    write_drawn(tmp_path, DrawnSettings(train15=train15, train4=train4, test15=test15, test4=test4))
    assert len(pd.read_csv(tmp_path / "training.zip")) == train15 + train4
    for file, rows in (("training", train15 + train4), ("test", test15 + test4)):
        assert drift_of(tmp_path, file).shape == (rows, 4, 2)
        assert np.isfinite(drift_of(tmp_path, file)).all()
