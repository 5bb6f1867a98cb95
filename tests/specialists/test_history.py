from pathlib import Path

import pytest

from solution.report.charts import curves as curves_chart
from solution.report.tables import sparkline, thinned
from solution.runtime.artifacts import Workspace
from solution.runtime.errors import UserError
from solution.specialists.history import by_recipe, mean_held, mean_loss, read_curves
from tests.report.cases import curve
from tests.tiny_recipes import BASE

PLAIN = "epoch,loss,held_rmse,seconds\n1,8.5,,4.0\n2,4.25,2.5,4.5\n3,4.0,nan,4.5\n"
PHASES = "epoch,phase,loss,held_rmse,seconds\n1,pretrain,0.8,,6\n2,classes,0.9,2.8,8\n"


def written(root: Path, *histories: str) -> Workspace:
    """A workspace with one training a fold, of these histories."""
    workspace = Workspace(root, "some")
    for fold, text in enumerate(histories):
        folder = workspace.fold(BASE.name, fold)
        folder.mkdir(parents=True)
        (folder / "history.csv").write_text(text)
    return workspace


def test_histories_are_read_with_their_gaps_and_phases(tmp_path: Path):
    plain, phases = read_curves(written(tmp_path, PLAIN, PHASES), [BASE], 2)
    assert (plain.recipe, plain.fold, phases.fold) == (BASE.name, 0, 1)
    assert [epoch.held for epoch in plain.epochs] == [None, 2.5, None]
    assert [epoch.loss for epoch in plain.epochs] == [8.5, 4.25, 4.0]
    assert [epoch.phase for epoch in phases.epochs] == ["pretrain", "classes"]


@pytest.mark.parametrize("text", ["epoch,loss\n1,2\n", "epoch,loss,held_rmse,seconds\none,2,,3\n", ""])
def test_a_damaged_history_is_named(tmp_path: Path, text: str):
    workspace = written(tmp_path, text)
    if not text:
        (workspace.fold(BASE.name, 0) / "history.csv").unlink()
    with pytest.raises(UserError, match=r"fold0/history\.csv: expected a training's history"):
        read_curves(workspace, [BASE], 1)


def test_means_are_over_folds_that_all_looked():
    folds = [curve("a", 0, [4.0, None, 2.0]), curve("a", 1, [6.0, 3.0, 1.0])]
    assert mean_held(folds) == [(1, 5.0), (3, 1.5)]
    assert mean_loss(folds) == [8.0, 4.0, 8 / 3]
    assert list(by_recipe([*folds, curve("b", 0, [1.0])])) == ["a", "b"]


def test_a_loss_of_another_kind_is_not_joined_to_the_one_before():
    both = curve("eyes", 0, [None, 2.0], "pretrain")
    both = type(both)("eyes", 0, both.epochs + curve("eyes", 0, [1.5], "classes").epochs)
    loss = curves_chart([both]).to_plotly_json()["data"][1]
    assert list(loss["y"]) == [8.0, 4.0, None, 8.0]


def test_sparklines_show_ends_and_extremes():
    assert sparkline([3.0, 1.0, 2.0]) == "█▁▅"
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([]) == ""
    assert len(sparkline([float(i) for i in range(500)])) == 24
    assert thinned(list(range(11)), 3) == [0, 5, 10]
