"""Two runs against each other: what is read of the other one, what is refused, and what is found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from solution.__main__ import main
from solution.data.competition import Competition
from solution.ensemble.selection import ARRAYS, FINAL, FORMAT, PLAIN
from solution.evaluation.metrics import paired_difference, rmse
from solution.report.comparison import EVERY, Comparison, compare
from solution.report.previous_run import Other, read_other
from solution.report.sentences import comparison_sentences
from solution.runtime.artifacts import MANIFEST, seal
from solution.runtime.errors import UserError
from tests.report.cases import WEIGHTS, gallery_of
from tests.small import predicted, small_faces, small_folds


@pytest.fixture
def other_run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run's folder, for changing."""
    return Path(shutil.copytree(finished / "folds" / "faces", tmp_path / "other" / "faces"))


def resealed(folder: Path, change: Callable[[dict], None], inputs: Callable[[dict], None] = lambda _: None) -> None:
    """Change a sealed folder's arrays and inputs, and seal it anew."""
    content = json.loads((folder / MANIFEST).read_text())
    for path in folder.glob("*.npz"):
        with np.load(path) as arrays:
            parts = dict(arrays)
        change(parts)
        np.savez(path, **parts)
    inputs(content["inputs"])
    seal(folder, content["inputs"], list(content["files"]))


def compared(error: float, half: int | None = None) -> Comparison:
    """Predictions 1 px off against others that err `error` times as far, on rows of which two have absurd labels.

    half: a row whose only label is a point's x.
    """
    faces = small_faces(40, 40)
    faces.coords[[3, 50]] += 30
    if half is not None:
        faces.coords[half].reshape(-1)[1:] = np.nan
    right = small_faces(40, 40)
    mine, their = (predicted(right, error=e, seed=2).coords for e in (1.0, error))
    part = np.where((faces.subset == 15)[:, None, None], mine, np.nan)
    gallery = gallery_of(faces, small_folds(faces), predicted(right, error=1.0, seed=2))
    ours = {"final": mine, "unet_15": part, "mine": mine}
    other = Other(Path("/runs/a"), {"final": their, "unet_15": their, "theirs": their}, {"unet_15": "x", "theirs": "y"})
    return compare(gallery, ours, {"unet_15": "z", "mine": "m"}, other, WEIGHTS)


def test_differences_are_paired_and_know_the_better_run():
    found = compared(1.2)
    by_line = {(one.name, one.subset): one for one in found.differences}
    every = f"final, {EVERY}"
    assert list(by_line) == [(name, s) for name in ("final", every) for s in ("15", "4", "weighted")] + [
        ("unet_15", "15")
    ]
    assert found.outliers == 2
    for name in ("final", "unet_15"):
        line = by_line[name, "15"]
        assert line.rows == 39
        assert line.point == pytest.approx(line.ours - line.theirs)
        assert line.point == pytest.approx(-0.2, abs=0.03)
        assert line.low < line.point < line.high < 0
    assert by_line[every, "15"].ours > 4 * by_line["final", "15"].ours
    assert by_line["unet_15", "15"].same is False
    assert by_line["final", "15"].same is None
    assert (found.only_ours, found.only_theirs) == (("mine",), ("theirs",))


def test_the_figures_are_the_metrics():
    found = compared(1.5)
    faces = small_faces(40, 40)
    faces.coords[[3, 50]] += 30
    mine, their = (predicted(small_faces(40, 40), error=e, seed=2).coords for e in (1.0, 1.5))
    kept = (faces.subset == 4) & ~np.isin(faces.ids, [3, 50])
    line = next(one for one in found.differences if (one.name, one.subset) == ("final", "4"))
    assert line.theirs == pytest.approx(rmse(their[kept], faces.coords[kept]))
    want = paired_difference(mine[kept], their[kept], faces.coords[kept], faces.subset[kept], {15: 0.0, 4: 1.0})
    assert (line.point, line.low, line.high) == pytest.approx(want)


def test_the_pictures_that_changed_most_come_first():
    found = compared(2.0)
    change = [abs(one.rms - one.rms_other) for one in found.changed]
    assert change == sorted(change, reverse=True)
    assert change[-1] > 0
    assert compared(1.0).changed == ()


def test_a_row_labelled_by_half_is_not_shown():
    found = compared(2.0, half=30)
    assert found.changed
    assert 30 not in [picture.id for picture in found.changed]
    assert all(picture.marks for picture in found.changed)


def test_a_run_compared_with_itself_differs_nowhere(
    finished_copy: Path, other_run: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["report", "--data", str(drawn_folder), "--scale", "smoke", "--against", str(other_run), "--json"]
    assert main(arguments, finished_copy) == 0
    out = capsys.readouterr()
    told = json.loads(out.out)["against"]
    assert {one["name"] for one in told["differences"]} == {"final", f"final, {EVERY}", "base", "child", "other"}
    for one in told["differences"]:
        assert one["point"] == one["low"] == one["high"] == 0
        assert one["same"] is (None if one["name"].startswith("final") else True)
    assert told["changed"] == []
    assert "Report:" in out.err  # log lines are not in the way of what reads the JSON
    assert "Report:" not in out.out


def test_another_run_is_shown_on_the_terminal_and_in_the_page(
    finished_copy: Path, other_run: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
):
    def worse(parts: dict) -> None:
        parts["oof_final"] += np.float32(4)

    resealed(other_run / "stack", worse)
    arguments = ["report", "--data", str(drawn_folder), "--scale", "smoke", "--against", str(other_run)]
    assert main(arguments, finished_copy) == 0
    said = capsys.readouterr().out
    (line,) = [line.split() for line in said.splitlines() if line.split()[:2] == ["final", "15"]]
    assert float(line[4]) == pytest.approx(float(line[2]) - float(line[3]), abs=0.0015)
    assert f"Compared with {other_run}" in " ".join(said.split())
    assert 'id="comparison-table"' in (finished_copy / "folds" / "faces" / "report.html").read_text()


def of_format_6(other_run: Path) -> None:
    """Make the run one of the format before, whose final predictions had a drift that its plain ones had not."""

    def earlier(parts: dict) -> None:
        parts["oof_final"] += np.float32(4)
        del parts["oof_with_drift"]

    resealed(other_run / "stack", earlier, lambda inputs: inputs.update(format=6))


def test_a_run_of_a_later_format_asks_for_newer_code(other_run: Path, drawn: Competition):
    resealed(other_run / "stack", lambda parts: None, lambda inputs: inputs.update(format=FORMAT + 1))
    with pytest.raises(
        UserError, match=rf"got format {FORMAT + 1}, which a later version of the code wrote. Update the code"
    ):
        read_other(other_run, drawn)


PLAIN_ALONE = (
    "The other run is of an earlier format, whose final predictions contain the label drift by rank. So the plain "
    "predictions of both runs are compared."
)


def test_of_a_run_of_an_earlier_format_the_plain_predictions_are_compared(
    finished_copy: Path, other_run: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
):
    of_format_6(other_run)
    arguments = ["report", "--data", str(drawn_folder), "--scale", "smoke", "--against", str(other_run)]
    assert main([*arguments, "--json"], finished_copy) == 0
    told = json.loads(capsys.readouterr().out)["against"]
    assert {one["name"] for one in told["differences"]} == {"plain", f"plain, {EVERY}", "base", "child", "other"}
    assert all(one["point"] == one["low"] == one["high"] == 0 for one in told["differences"])
    assert told["changed"] == []
    assert main(arguments, finished_copy) == 0
    assert PLAIN_ALONE in " ".join(capsys.readouterr().out.split())
    page = (finished_copy / "folds" / "faces" / "report.html").read_text()
    assert PLAIN_ALONE in page.replace("&#39;", "'")


def test_of_a_run_of_this_format_the_final_predictions_are_compared(
    other_run: Path, drawn: Competition, finished: Path
):
    now = read_other(other_run, drawn)
    assert now.compared == FINAL
    of_format_6(other_run)
    before = read_other(other_run, drawn)
    assert before.compared == PLAIN
    assert list(before.coords) == [PLAIN, *[name for name in now.coords if name != FINAL]]
    with np.load(finished / "folds" / "faces" / "stack" / ARRAYS) as arrays:
        np.testing.assert_array_equal(before.coords[PLAIN], arrays["oof_plain"].astype(np.float32))
    final = compared(1.2)
    assert final.compared == FINAL
    assert not any(PLAIN_ALONE in line for line in comparison_sentences(final))


def test_pictures_changed_by_what_is_compared():
    """Where the plain predictions are, a drift in this run's final ones has changed nothing."""
    faces = small_faces(40, 40)
    gallery = gallery_of(faces, small_folds(faces), predicted(faces, error=1.0, seed=2))
    plain = gallery.coords.astype(np.float64) + 3
    found = compare(gallery, {PLAIN: plain}, {}, Other(Path("/runs/a"), {PLAIN: plain}, {}, PLAIN), WEIGHTS)
    assert found.changed == ()
    theirs = plain.copy()
    theirs[7] += 2
    found = compare(gallery, {PLAIN: plain}, {}, Other(Path("/runs/a"), {PLAIN: theirs}, {}, PLAIN), WEIGHTS)
    (picture,) = found.changed
    assert picture.id == 7
    assert picture.marks[0].predicted == pytest.approx(plain[7, picture.marks[0].point], abs=1e-4)


def refused(folder: Path, drawn: Competition) -> str:
    with pytest.raises(UserError) as error:
        read_other(folder, drawn)
    assert str(error.value).startswith(f"--against {folder}: expected a ")
    return str(error.value)


def test_what_is_no_finished_run_is_refused(other_run: Path, drawn: Competition, tmp_path: Path):
    assert "stack has no manifest" in refused(tmp_path / "nowhere", drawn)
    (other_run / "base" / "fold1" / "predictions.npz").write_bytes(b"cut")
    assert "fold1 differ from its manifest" in refused(other_run, drawn)
    (other_run / "base" / "fold1" / MANIFEST).unlink()
    assert "fold1 has no manifest" in refused(other_run, drawn)


def test_a_run_on_other_data_is_refused(other_run: Path, drawn: Competition):
    resealed(other_run / "base" / "fold0", lambda _: None, lambda inputs: inputs.update(data="f" * 16))
    assert f"got one on data {'f' * 16}, not {drawn.train_digest}" in refused(other_run, drawn)


def test_a_training_that_is_newer_than_its_stack_is_refused(other_run: Path, drawn: Competition):
    def change(parts: dict) -> None:
        parts["held_coords"] += np.float32(1)

    resealed(other_run / "base" / "fold0", change)
    assert "fold0 was trained again since its stack was made" in refused(other_run, drawn)
