import io
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from solution.data.sequence import CONTINUES, INTERLEAVED, UNKNOWN, Placement
from solution.ensemble.duplicates import DuplicateLabels
from solution.evaluation.ensemble_variance import EnsembleVariance
from solution.evaluation.error_tables import Tables, make_tables
from solution.evaluation.expected import OutOfFold, expect
from solution.evaluation.headline import make_headline
from solution.evaluation.label_noise import FEWEST
from solution.evaluation.metrics import bootstrap_interval, rmse, weighted_rmse
from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.evaluation.summary import (
    Summary,
    Truth,
    Worth,
    closing,
    headline,
    held_against,
    intervals_of,
    scores_of,
    summarise,
)
from solution.faces import FaceSet, FoldTable, Predictions, aligned
from solution.keypoints import FACE15, IN_FOUR
from solution.report.render import page, write_report
from solution.report.report import Report
from solution.report.terminal import show
from tests.report.cases import SIZES, WEIGHTS, only
from tests.small import predicted, small_faces, small_folds


def figure(frame: pd.DataFrame, **where: str) -> pd.Series:
    """The one row of a table."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_figures_are_the_metrics(tables: Tables, faces: FaceSet, table: FoldTable, oof: list[Predictions]) -> None:
    blend = oof[2].coords.astype(float)
    for fold in ("0", "1", "2", "all"):
        rows = np.ones(len(faces), bool) if fold == "all" else table.fold == int(fold)
        for subset in (15, 4):
            at = rows & (faces.subset == subset)
            row = figure(tables.folds, name="blend", subset=str(subset), fold=fold)
            assert row["rmse"] == pytest.approx(rmse(blend[at], faces.coords[at]))
            assert row["cells"] == (~np.isnan(faces.coords[at])).sum()
            assert row["coverage"] == 1
        want = weighted_rmse(blend[rows], faces.coords[rows], faces.subset[rows], WEIGHTS)
        assert figure(tables.folds, name="blend", subset="weighted", fold=fold)["rmse"] == pytest.approx(want)


def test_long_form_is_complete(tables: Tables) -> None:
    assert tables.names == ["unet_15", "eyes", "blend", "stack"]
    assert len(tables.folds) == 4 * 3 * 4
    assert len(tables.keypoints) == 4 * (15 + 4)
    assert set(tables.keypoints[tables.keypoints["subset"] == "4"]["point"]) == {FACE15.points[k] for k in IN_FOUR}


def test_order_of_rows_does_not_matter(tables: Tables, faces: FaceSet, oof: list[Predictions]) -> None:
    straight = predicted(faces, "stack", 1.2, 4).coords
    at = faces.subset == 4
    want = rmse(straight[at].astype(float), faces.coords[at])
    assert figure(tables.folds, name="stack", subset="4", fold="all")["rmse"] == pytest.approx(want)


def test_partial_specialists_are_scored_on_what_they_predict(tables: Tables, faces: FaceSet) -> None:
    elsewhere = figure(tables.folds, name="unet_15", subset="4", fold="all")
    assert np.isnan(elsewhere["rmse"])
    assert elsewhere["coverage"] == 0
    assert np.isnan(figure(tables.folds, name="unet_15", subset="weighted", fold="all")["rmse"])
    eyes = figure(tables.folds, name="eyes", subset="15", fold="all")
    coords = predicted(faces, "eyes", 0.1, 2).coords.astype(float)
    at = faces.subset == 15
    assert eyes["rmse"] == pytest.approx(rmse(coords[at][:, IN_FOUR], faces.coords[at][:, IN_FOUR]))
    assert eyes["coverage"] == pytest.approx(4 / 15)
    assert eyes["cells"] == 12 * 8
    both = figure(tables.folds, name="eyes", subset="weighted", fold="all")
    assert both["coverage"] == pytest.approx(0.65 * 4 / 15 + 0.35)


def test_only_full_figures_compete(tables: Tables) -> None:
    best = tables.folds[tables.folds["best"] & (tables.folds["fold"] == "all")].set_index("subset")["name"]
    assert best.to_dict() == {"15": "unet_15", "4": "eyes", "weighted": "stack"}
    by_point = tables.keypoints[tables.keypoints["best"] & (tables.keypoints["subset"] == "15")].set_index("point")
    assert by_point.loc["nose_tip", "name"] == "eyes"
    assert by_point.loc["mouth_left_corner", "name"] != "eyes"


def test_keypoint_figures(tables: Tables, faces: FaceSet, oof: list[Predictions]) -> None:
    at = faces.subset == 15
    coords, labels = oof[2].coords[at].astype(float), faces.coords[at]
    want = [rmse(coords[:, k], labels[:, k]) for k in range(FACE15.size)]
    got = [figure(tables.keypoints, name="blend", subset="15", point=p)["rmse"] for p in FACE15.points]
    np.testing.assert_allclose(got, want)


def test_outliers_stay_in_the_main_figure(
    faces: FaceSet, table: FoldTable, oof: list[Predictions], tables: Tables, outliers: np.ndarray
) -> None:
    plain = make_tables(faces, table, oof, WEIGHTS, np.zeros(len(faces), bool))
    pd.testing.assert_series_equal(plain.folds["rmse"], tables.folds["rmse"])
    pd.testing.assert_series_equal(plain.folds["rmse_without_outliers"], plain.folds["rmse"], check_names=False)
    at = (faces.subset == 4) & ~outliers
    row = figure(tables.folds, name="blend", subset="4", fold="all")
    assert row["rmse_without_outliers"] == pytest.approx(rmse(oof[2].coords[at].astype(float), faces.coords[at]))
    assert row["rmse_without_outliers"] != row["rmse"]


def test_weights_that_do_not_add_up_exactly_leave_coverage_whole(
    faces: FaceSet, table: FoldTable, oof: list[Predictions]
) -> None:
    tables = make_tables(faces, table, oof[2:], {15: 0.7, 4: 0.1 + 0.2 - 1e-16}, np.zeros(len(faces), bool))
    assert figure(tables.folds, name="stack", subset="weighted", fold="all")["coverage"] == 1


def test_strange_predictions_are_refused(faces: FaceSet, table: FoldTable, oof: list[Predictions]) -> None:
    with pytest.raises(ValueError, match="different names"):
        make_tables(faces, table, [oof[2], oof[2]], WEIGHTS, np.zeros(len(faces), bool))
    stranger = replace(oof[2], ids=oof[2].ids + 1)
    with pytest.raises(ValueError, match="exactly once"):
        make_tables(faces, table, [stranger], WEIGHTS, np.zeros(len(faces), bool))
    twice = only(oof[2], np.array([0, 0]), IN_FOUR)
    with pytest.raises(ValueError, match="at most once"):
        make_tables(faces, table, [twice], WEIGHTS, np.zeros(len(faces), bool))


def test_summary(summary: Summary, faces: FaceSet, outliers: np.ndarray) -> None:
    coords = predicted(faces, "stack", 1.2, 4).coords.astype(float)
    assert summary.cv["overall"] == pytest.approx(weighted_rmse(coords, faces.coords, faces.subset, WEIGHTS))
    for kind, (low, high) in summary.cv_intervals.items():
        assert low < summary.cv[kind] < high
    assert set(summary.cv_intervals) == set(summary.cv_without_outliers_intervals) == {"overall", 15, 4}
    kept = ~outliers
    want = bootstrap_interval(coords[kept], faces.coords[kept], faces.subset[kept], WEIGHTS)
    assert summary.cv_without_outliers_intervals["overall"] == pytest.approx(want)
    assert summary.cv_without_outliers_intervals["overall"] != summary.cv_intervals["overall"]
    assert (summary.outliers, summary.disagreeing) == (2, 0)
    want = weighted_rmse(coords[kept], faces.coords[kept], faces.subset[kept], WEIGHTS)
    assert summary.cv_without_outliers["overall"] == pytest.approx(want)


def test_the_expected_figures_are_those_of_the_evaluation(
    summary: Summary, faces: FaceSet, outliers: np.ndarray
) -> None:
    """With what averaging takes off in each subset, and the sizes of the test file."""
    coords = predicted(faces, "stack", 1.2, 4).coords.astype(float)
    oof = OutOfFold(coords=coords, labels=faces.coords, subset=faces.subset, outliers=outliers)
    want = expect(oof, {15: 0.1, 4: 0.2}, SIZES, WEIGHTS)
    assert (summary.expected, summary.expected_intervals) == (want.scores, want.intervals)
    assert summary.expected_without_outliers == want.without_outliers
    assert summary.expected_without_outliers_intervals == want.without_outliers_intervals
    assert summary.expected_without_outliers[4] ** 2 == pytest.approx(summary.cv_without_outliers[4] ** 2 - 0.2)
    low, high = summary.expected_intervals["overall"]
    assert low < summary.expected["overall"] < high


def test_summary_of_predictions_with_holes_is_refused(faces: FaceSet, oof: list[Predictions]) -> None:
    with pytest.raises(ValueError, match="no prediction"):
        summarise(
            faces,
            oof[0],
            WEIGHTS,
            outliers=np.zeros(len(faces), bool),
            variance=EnsembleVariance({15: 0.0, 4: 0.0}, 0),
            sizes=SIZES,
            drawn=True,
        )


def test_files_are_the_same_each_time(tmp_path: Path, tables: Tables, summary: Summary) -> None:
    write_report(tmp_path / "a", tables, summary)
    write_report(tmp_path / "b", tables, summary)
    names = ["keypoints.csv", "report.csv", "report.md"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    again = pd.read_csv(tmp_path / "a" / "report.csv", dtype={"subset": str, "fold": str})
    np.testing.assert_allclose(again["rmse"], tables.folds["rmse"], atol=1e-6)
    assert list(again["best"]) == list(tables.folds["best"])


def test_page(tables: Tables, summary: Summary) -> None:
    text = page(tables, summary)
    stack = figure(tables.folds, name="stack", subset="weighted", fold="all")["rmse"]
    eyes = figure(tables.folds, name="eyes", subset="15", fold="all")["rmse"]
    assert f"Cross-validated RMSE of stack over every label: {stack:.3f} px" in text
    assert f"**{stack:.3f}**" in text
    assert f"({eyes:.3f})" in text  # a part only, so in brackets and never bold
    assert "blend 1.090 px, stack 1.070 px, stack minus blend -0.020 px" in text
    assert "17.0 |" in text
    assert f"without the 2 outliers, whose labels are {OUTLIERS_IN_WORDS}: " in text
    low, high = summary.expected_intervals["overall"]
    assert f"over every label: {summary.expected['overall']:.3f} px (a test file of this size scores between" in text
    assert f"between {low:.3f} and {high:.3f} px 95 times in 100), 15-keypoint rows {summary.expected[15]:.3f}," in text
    assert f"Expected without outliers: {summary.expected_without_outliers['overall']:.3f} px (a test" in text
    assert text.index("Expected on the test file") < text.index("Expected without") < text.index("Cross-validated")
    assert "pipelines disagree" not in text
    assert "nan" not in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({len(line) for line in block.splitlines()}) == 1


def test_landmarks_say_what_they_compare(tables: Tables, summary: Summary) -> None:
    assert "first place 1.28236 px" in page(tables, summary)
    assert "comparable at most where these are Kaggle's own files" in page(tables, summary)


def test_drawn_faces_show_their_true_score_and_no_landmark(tables: Tables, summary: Summary) -> None:
    scores = {"overall": 1.111, 15: 0.9, 4: 1.4}
    truth = Truth(scores, {"overall": (1.0, 1.25)}, 2, {"overall": 1.05, 15: 0.8, 4: 1.4})
    text = page(tables, replace(summary, drawn=True, truth=truth))
    assert "1.28236" not in text
    interval = "95 % interval 1.000 to 1.250 over sections of rows"
    assert f"every answer: 1.111 px ({interval}), 15-keypoint rows 0.900, 4-" in text
    assert "without 2 whose answers are at least 10 px off, and 4 times as far as the median row's: 1.050 px." in text
    assert "True RMSE" not in page(tables, summary)


def test_the_figures_are_held_against_the_true_one(summary: Summary) -> None:
    """Like with like: over every answer with the interval of every label, and without outliers without them."""
    made = replace(
        summary,
        expected={"overall": 1.8},
        expected_intervals={"overall": (1.5, 2.1)},
        expected_without_outliers={"overall": 1.1},
        cv_without_outliers={"overall": 1.2},
        cv={"overall": 9.0},
    )
    truth = Truth({"overall": 2.0}, {"overall": (1.0, 3.0)}, 1, {"overall": 1.0})
    said = held_against(made, truth)
    assert said.startswith("The true figure is inside the expected interval. Without outliers (1.000 px) the expected")
    assert "the expected figure differs by +10.0%" in said
    assert "by +20.0%." in said
    for beyond in (1.49, 2.11):
        said = held_against(made, replace(truth, scores={"overall": beyond}))
        assert said.startswith("The true figure is outside the expected interval.")
    assert "outside" in held_against(replace(made, expected_intervals={}), truth)
    assert closing(replace(made, truth=truth)).endswith("expected RMSE 1.800 px, true 2.000 px")


def test_faces_on_which_the_pipelines_disagree_are_told(summary: Summary) -> None:
    for count, faces in ((1, "1 test face"), (3, "3 test faces")):
        said = "\n".join(headline(replace(summary, disagreeing=count)))
        assert f"(what averaging gains is measured without {faces} on which the pipelines disagree)." in said


PLACEMENT = Placement(subset=4, relation=UNKNOWN, pictures=2, pairs=(3, 2, 0))
DRIFT = {"plain": 1.4, "drift": 1.35, "drift_difference": [-0.05, -0.07, -0.03]}
SAID = {
    "unknown": (
        {"relation": UNKNOWN, "drift_used": False},
        "not added, since the place of the test pictures is unknow",
    ),
    "few rows": (
        {"relation": CONTINUES, "drift_used": False},
        "not added, since there are too few rows to validate it.",
    ),
    "interleaved": (
        {"relation": INTERLEAVED, "drift_used": True, **DRIFT},
        "added. On single random rows, without outliers: 1.400 px without, 1.350 with, -0.0500 px (95 % interval "
        "-0.0700 to -0.0300 over sections).",
    ),
    "no use": (
        {"relation": INTERLEAVED, "drift_used": False, **DRIFT, "drift_difference": [0.01, -0.01, 0.03]},
        "not added. On single random rows, without outliers: 1.400 px without, 1.350 with, +0.0100 px",
    ),
    "continues": (
        {"relation": CONTINUES, "drift_used": True, **DRIFT, "carried": [50, 0.7, 100.0]},
        "added. On stretches that follow a row, without outliers: 1.400 px without, 1.350 with, -0.0500 px (95 % "
        "interval -0.0700 to -0.0300 over sections). The mean of the last 50 rows is carried on by 0.7, decaying over "
        "100 rows.",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_is_told_whether_the_drift_is_added_and_why(summary: Summary, case: str) -> None:
    facts, said = SAID[case]
    choice = {15: summary.choice[15], 4: summary.choice[4] | facts}
    lines = headline(replace(summary, choice=choice, placement={4: PLACEMENT}))
    (line,) = [line for line in lines if "drift is" in line]
    assert line.startswith(f"4-keypoint rows: the labels' drift is {said}")
    assert f"{PLACEMENT.describe()}." in lines
    assert lines.index(f"{PLACEMENT.describe()}.") < lines.index(line)


def test_the_true_figure_stands_with_its_interval(
    faces: FaceSet, table: FoldTable, oof: list[Predictions], outliers: np.ndarray, tables: Tables, summary: Summary
) -> None:
    scores = {"overall": 1.111, 15: 0.9, 4: 1.4}
    truth = Truth(scores, {"overall": (1.0, 1.25), 15: (0.8, 1.0)}, 2, {"overall": 1.05, 15: 0.8, 4: 1.4})
    with_drift = aligned(faces, oof[-1])
    told = make_headline(faces, table, oof[-1], with_drift, outliers, tables, replace(summary, truth=truth))
    figure = next(one for one in told.figures if one.key == "true")
    assert (figure.scores, figure.intervals) == (truth.scores, truth.intervals)
    assert held_against(summary, truth) in told.trust


def test_figures_stand_with_their_intervals(report: Report, summary: Summary) -> None:
    """What stands beside the leaderboard leads; each figure has an interval of its own for both subsets together."""
    figures = {figure.key: figure for figure in report.headline.figures}
    names = ["expected", "cv", "expected_without_outliers", "cv_without_outliers"]
    assert list(figures) == ["expected", "first", "means", *names[1:]]
    for name in names:
        assert figures[name].scores == getattr(summary, name)
        assert figures[name].intervals == getattr(summary, f"{name}_intervals")
        assert set(figures[name].intervals) == {"overall", 15, 4}
    trust = "\n".join(report.headline.trust)
    assert f"2 of 24 rows are outliers: their labels are {OUTLIERS_IN_WORDS}." in trust
    averaged = summary.cv_without_outliers["overall"] - summary.expected_without_outliers["overall"]
    assert averaged > 0
    assert f"Averaging the folds' pipelines takes {averaged:.3f} px off" in trust
    assert "The expected interval contains the luck of a test file" in trust


def test_the_labels_own_noise_is_told_between_and_within_sections(summary: Summary, tables: Tables) -> None:
    """Of identical pictures at two places, whose labels differ by a drift and by noise."""
    faces = small_faces(0, 2 * FEWEST)
    rng = np.random.default_rng(0)
    drift = np.repeat([-1.0, 1.0], FEWEST)[:, None, None]
    coords = np.tile(faces.coords[:FEWEST], (2, 1, 1)) + drift + rng.normal(0, 0.5, faces.coords.shape)
    faces = replace(faces, coords=coords.astype(np.float32))
    table = replace(small_folds(faces), group=np.tile(np.arange(FEWEST), 2))
    plain = np.nan_to_num(np.tile(small_faces(0, 2 * FEWEST).coords[:FEWEST], (2, 1, 1)), nan=48.0)
    final = Predictions("stack", faces.ids, plain, np.full(plain.shape[:2], np.nan, np.float32))
    told = make_headline(faces, table, final, plain + drift, np.zeros(len(faces), bool), tables, summary)
    (line,) = [line for line in told.trust if "two or more labels each" in line]
    found = re.search(r"noise: ([\d.]+) px \(95 % interval .*\) between sections .*, and ([\d.]+) px within", line)
    assert found is not None
    between, within = map(float, found.groups())
    assert within == pytest.approx(0.5, rel=0.15)
    assert between == pytest.approx(math.hypot(0.5, math.sqrt(2)), rel=0.15)


def test_a_subset_without_a_labelled_cell_has_no_figure(faces: FaceSet, oof: list[Predictions]) -> None:
    coords = np.where((faces.subset == 4)[:, None, None], np.nan, faces.coords)
    only15 = replace(faces, coords=coords)
    every, weights = np.ones(len(faces), bool), {15: 1.0, 4: 0.0}
    scores = scores_of(faces.coords + 1, only15, weights, every)
    assert scores["overall"] == pytest.approx(1.0)
    assert np.isnan(scores[4])
    assert set(intervals_of(faces.coords + 1, only15, weights, every)) == {"overall", 15}


def test_twins_are_counted_and_their_use_is_told(tables: Tables, summary: Summary) -> None:
    known = "7 test pictures are byte-identical to labelled training pictures; "
    assert f"{known}their labels are not used." in page(tables, replace(summary, test_duplicates=7))
    labels = np.full((9, FACE15.size, 2), np.nan)
    labels[:5] = 48.0
    worth = Worth(weight=0.4321, unmet=0.54, rows=933, alone=1.6507, blended=1.3333)
    duplicates = DuplicateLabels({4: worth}, labels)
    text = page(tables, replace(summary, test_duplicates=7, duplicates=duplicates))
    assert f"{known}submission-duplicates.csv blends the predictions of 5 with those labels (--use-duplicates)." in text
    assert "against the spirit of a competition" in text
    assert "No figure here contains it." in text
    assert "The 933 4-keypoint training rows with a duplicate (without outliers)" in text
    assert "out-of-fold 1.651 px, blended with the duplicate's label 1.333 px" in text
    assert "the label has a weight of 0.43" in text
    loses = replace(duplicates, worth={4: replace(worth, blended=1.7)})
    assert "1.700 px; it is not used" in page(tables, replace(summary, test_duplicates=7, duplicates=loses))


def shown(report: Report, **settings: object) -> list[str]:
    out = io.StringIO()
    show(report, Console(file=out, **settings))
    return out.getvalue().splitlines()


def test_terminal_is_plain_and_narrow_when_it_is_a_file(report: Report) -> None:
    lines = shown(report, width=200)
    tables, summary = report.tables, report.summary
    assert max(len(line) for line in lines) <= 80
    assert all(line.isascii() and line.replace("\t", " ").isprintable() for line in lines)
    stack = figure(tables.folds, name="stack", subset="weighted", fold="all")["rmse"]
    assert lines[-1] == f"Submission: submissions/real/best.csv, expected RMSE {summary.expected['overall']:.3f} px"
    (row,) = [line for line in lines if line.startswith("stack")]
    assert f"{stack:.3f}*" in row
    assert [line.split() for line in lines if line.startswith("unet_15")][2] == ["unet_15", "4", "2.00", "1.50"]


def test_terminal_keeps_the_last_line_whole_and_names_as_they_are(
    faces: FaceSet, table: FoldTable, oof: list[Predictions], report: Report
) -> None:
    odd = replace(oof[2], name="[bold]a_very_long_name_for_a_specialist_of_the_fourth_kind")
    far = replace(report.summary, submission=Path("/somewhere") / ("deep/" * 20) / "best.csv")
    lines = shown(
        replace(report, tables=make_tables(faces, table, [odd], WEIGHTS, np.zeros(len(faces), bool)), summary=far),
        width=80,
    )
    assert "deep/best.csv, expected RMSE" in lines[-1]
    assert lines[-1].startswith("Submission: /somewhere/deep/")
    assert max(len(line) for line in lines[:-1]) <= 80
    assert lines[1].startswith("[bold]a_very")


def test_terminal_uses_style_and_draws_curves_on_a_terminal(report: Report) -> None:
    bare = replace(report, summary=replace(report.summary, submission=None))
    lines = shown(bare, width=80, force_terminal=True, color_system="standard")
    assert "\x1b[" in lines[-1]
    assert "No submission written, expected RMSE" in lines[-1]
    assert any("█▃▂▁" in line and "█▁" in line and "2.000 1.500" in line for line in lines)


def test_terminal_tells_what_failed_and_what_each_adds(report: Report) -> None:
    lines = shown(report)
    worst = report.pictures[0]
    assert any(line.split()[1:4] == [str(worst.id), f"{worst.rms:.3f}", str(worst.subset)] for line in lines)
    assert any(line.split() == ["eyes", "1.070", "0.020", "0.20", "1.400", "-", "1.00", "1.2"] for line in lines)
    assert any(line.startswith("ensemble") and line.count("%") == 2 for line in lines)
