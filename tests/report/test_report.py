"""The report's sentences, Markdown, CSV and terminal."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from solution.data.placement import CONTINUES, INTERLEAVED, UNKNOWN, Placement
from solution.ensemble.selection import FINAL
from solution.evaluation.error_tables import ALL, make_errors
from solution.evaluation.evaluation import Duplicates
from solution.evaluation.label_noise import Noise, SectionNoise
from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.evaluation.summary import Figure, Scores, Summary, Truth, Worth
from solution.faces import FaceSet, FoldTable, Predictions
from solution.report.report import Report
from solution.report.sentences import against_truth, closing, headline, trust
from solution.report.terminal import show
from solution.report.write import markdown, write_report
from tests.report.cases import WEIGHTS

TRUTH = Truth(
    {"overall": 1.111, 15: 0.9, 4: 1.4},
    {"overall": (1.0, 1.25), 15: (0.8, 1.0)},
    2,
    {"overall": 1.05, 15: 0.8, 4: 1.4},
)


def with_truth(report: Report, truth: Truth = TRUTH) -> Report:
    return replace(report, evaluation=replace(report.evaluation, truth=truth))


def rmse_of(report: Report, name: str, subset: str) -> float:
    scores = report.evaluation.errors.folds
    return next(s.rmse for s in scores if (s.name, s.subset, s.part) == (name, subset, ALL))


def test_files_are_the_same_each_time(tmp_path: Path, report: Report) -> None:
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        write_report(folder, report)
    for name in ("report.md", "report.csv", "keypoints.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    lines = (tmp_path / "a" / "report.csv").read_text().splitlines()
    assert lines[0] == "name,subset,fold,rmse,cells,coverage,rmse_without_outliers,best"
    assert f"blend,15,all,{rmse_of(report, 'blend', '15'):.6f},360,1.000000," in "\n".join(lines)
    assert "unet_15,4,all,,0,0.000000,,False" in lines
    assert (tmp_path / "a" / "keypoints.csv").read_text().startswith("name,subset,point,rmse,")


def test_markdown_marks_the_best_and_what_cannot_be_compared(report: Report) -> None:
    text, summary = markdown(report), report.summary
    stack, eyes = rmse_of(report, "stack", "weighted"), rmse_of(report, "eyes", "15")
    assert f"Cross-validated RMSE of stack over every label: {stack:.3f} px" in text
    assert f"**{stack:.3f}**" in text
    assert f"({eyes:.3f})" in text  # over a part of the cells: in brackets and never bold
    assert "blend 1.090 px, stack 1.070 px, stack minus blend -0.020 px" in text
    assert "17.0 |" in text
    assert f"without the 2 outliers, whose labels are {OUTLIERS_IN_WORDS}: " in text
    expected, without = summary["expected"], summary["expected_without_outliers"]
    low, high = expected.intervals["overall"]
    interval = f"95 % of test files of this size score between {low:.3f} and {high:.3f} px"
    assert f"over every label: {expected.scores['overall']:.3f} px ({interval}), 15-keypoint" in text
    assert f"Expected without outliers: {without.scores['overall']:.3f} px (95 % of" in text
    assert text.index("Expected on the test file") < text.index("Expected without") < text.index("Cross-validated")
    assert "pipelines disagree" not in text
    assert "nan" not in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({len(line) for line in block.splitlines()}) == 1


def test_the_leaderboard_is_named_for_orientation_unless_faces_are_drawn(report: Report) -> None:
    assert "first place 1.28236 px" in markdown(report)
    assert "can be compared only if these are Kaggle's own files" in markdown(report)
    assert "1.28236" not in markdown(replace(report, drawn=True))


def test_the_true_score_has_its_interval(report: Report) -> None:
    text = markdown(with_truth(report))
    interval = "95 % interval 1.000 to 1.250 over sections of rows"
    assert f"every answer: 1.111 px ({interval}), 15-keypoint rows 0.900, 4-" in text
    assert "without 2 whose answers are at least 10 px off, and 4 times as far as the median row's: 1.050 px." in text
    assert "True RMSE" not in markdown(report)
    assert "; without" not in markdown(with_truth(report, replace(TRUTH, outliers=0)))
    figure = next(figure for figure in with_truth(report).figures if figure.key == "true")
    assert (figure.scores, figure.intervals) == (TRUTH.scores, TRUTH.intervals)
    assert against_truth(report.summary, TRUTH) in trust(with_truth(report).evaluation, report.summary)


def changed(summary: Summary, key: str, scores: Scores, **intervals: tuple[float, float]) -> Summary:
    """The summary with another figure."""
    figures = tuple(replace(f, scores=scores, intervals=intervals) if f.key == key else f for f in summary.figures)
    return replace(summary, figures=figures)


def test_figures_are_compared_with_the_true_one_of_their_kind(report: Report) -> None:
    """The figure over every label with the interval, and the figures without outliers without them."""
    made = changed(report.summary, "expected", {"overall": 1.8}, overall=(1.5, 2.1))
    made = changed(made, "expected_without_outliers", {"overall": 1.1})
    made = changed(changed(made, "cv_without_outliers", {"overall": 1.2}), "cv", {"overall": 9.0})
    truth = Truth({"overall": 2.0}, {"overall": (1.0, 3.0)}, 1, {"overall": 1.0})
    text = against_truth(made, truth)
    assert text.startswith("The true figure is inside the expected interval. Without outliers (true: 1.000 px) the exp")
    assert "the expected figure differs by +10.0%" in text
    assert "The cross-validated figure differs by +20.0%;" in text
    for beyond in (1.49, 2.11):
        assert "is outside" in against_truth(made, replace(truth, scores={"overall": beyond}))
    assert "is outside" in against_truth(changed(made, "expected", {"overall": 1.8}), truth)
    shown = replace(report, evaluation=replace(report.evaluation, summaries={FINAL: made}, truth=truth))
    assert closing(shown).endswith("expected RMSE 1.800 px, true 2.000 px")


@pytest.mark.parametrize(("count", "words"), [(1, "1 test face"), (3, "3 test faces")])
def test_faces_on_which_the_pipelines_disagree_are_counted(report: Report, count: int, words: str) -> None:
    summary = replace(report.summary, disagreeing=count)
    text = "\n".join(headline(replace(report, evaluation=replace(report.evaluation, summaries={FINAL: summary}))))
    assert f"(the gain from averaging is measured without {words} on which the pipelines disagree)." in text


PLACEMENT = Placement(subset=4, relation=UNKNOWN, pictures=2, pairs=(3, 2, 0))
DRIFT = {"plain": 1.4, "drift": 1.35, "drift_difference": (-0.05, -0.07, -0.03)}
DRIFTS = {
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
        "added. On single random rows, without outliers: 1.400 px without it, 1.350 px with it, -0.0500 px (95 % "
        "interval -0.0700 to -0.0300 over sections).",
    ),
    "no use": (
        {"relation": INTERLEAVED, "drift_used": False, **DRIFT, "drift_difference": (0.01, -0.01, 0.03)},
        "not added. On single random rows, without outliers: 1.400 px without it, 1.350 px with it, +0.0100 px",
    ),
    "continues": (
        {"relation": CONTINUES, "drift_used": True, **DRIFT, "carried": (50, 0.7, 100.0)},
        "added. On stretches that follow a row, without outliers: 1.400 px without it, 1.350 px with it, -0.0500 px "
        "(95 % interval -0.0700 to -0.0300 over sections). It is the mean of the last 50 rows times 0.7, and decays "
        "over 100 rows.",
    ),
}


@pytest.mark.parametrize("case", DRIFTS)
def test_the_report_says_whether_the_drift_is_added_and_why(report: Report, case: str) -> None:
    facts, text = DRIFTS[case]
    choice = {15: report.choice[15], 4: replace(report.choice[4], **facts)}
    lines = headline(replace(report, choice=choice, placement={4: PLACEMENT}))
    (line,) = [line for line in lines if line.startswith("4-keypoint rows: the label drift is")]
    assert line.startswith(f"4-keypoint rows: the label drift is {text}")
    assert lines.index(f"{PLACEMENT.describe()}.") < lines.index(line)


def test_trust_says_what_outliers_and_averaging_do(report: Report) -> None:
    text = "\n".join(trust(report.evaluation, report.summary))
    assert f"2 of 24 rows are outliers: their labels are {OUTLIERS_IN_WORDS}. They have 25% of" in text
    cv, expected = (report.summary[f"{key}_without_outliers"].scores["overall"] for key in ("cv", "expected"))
    assert f"Averaging the folds' pipelines removes {cv - expected:.3f} px" in text
    assert "The expected interval contains the chance of a test file" in text
    noise = Noise(pictures=40, rows=85, rmse=1.3, labels=1.0, interval=(0.9, 1.1), predictions=0.83)
    both = {4: SectionNoise(between=noise, within=replace(noise, labels=0.5))}
    line = trust(replace(report.evaluation, noise=both), report.summary)[-1]
    assert line.startswith("40 pictures of the 4-keypoint rows have two or more labels each (85 rows, RMSE 1.300 px).")
    assert "1.000 px (95 % interval 0.900 to 1.100) between sections of the file, and 0.500 px within a section" in line


def test_duplicates_are_counted_and_their_worth_is_shown(report: Report) -> None:
    def text(duplicates: Duplicates, use: bool = True) -> str:
        return markdown(
            replace(report, evaluation=replace(report.evaluation, duplicates=duplicates), use_duplicates=use)
        )

    worth = Worth(weight=0.4321, unmet=0.54, rows=933, alone=1.6507, blended=1.3333)
    duplicates = Duplicates(test_pictures=7, used=5, worth={4: worth}, labels={})
    known = "7 test pictures are byte-identical to labelled training pictures; "
    assert f"{known}their labels are not used." in text(duplicates, use=False)
    used = text(duplicates)
    assert f"{known}submission-duplicates.csv blends the predictions of 5 with those labels (--use-duplicates)." in used
    assert "against the spirit of a competition" in used
    assert "No figure here contains it." in used
    assert "The 933 4-keypoint training rows with a duplicate (without outliers)" in used
    assert "out-of-fold 1.651 px, blended with the duplicate's label 1.333 px" in used
    assert "the label has a weight of 0.43" in used
    assert "1.700 px; it is not used" in text(replace(duplicates, worth={4: replace(worth, blended=1.7)}))


def shown(report: Report, **settings: object) -> list[str]:
    out = io.StringIO()
    show(report, Console(file=out, **settings))
    return out.getvalue().splitlines()


def test_terminal_is_plain_and_narrow_when_it_is_a_file(report: Report) -> None:
    lines = shown(report, width=200)
    expected = report.summary["expected"].scores["overall"]
    assert max(len(line) for line in lines) <= 80
    assert all(line.isascii() and line.replace("\t", " ").isprintable() for line in lines)
    assert lines[-1] == f"Submission: submissions/real/best.csv, expected RMSE {expected:.3f} px"
    (row,) = [line for line in lines if line.startswith("stack")]
    assert f"{rmse_of(report, 'stack', 'weighted'):.3f}*" in row
    assert [line.split() for line in lines if line.startswith("unet_15")][2] == ["unet_15", "4", "2.00", "1.50"]


def test_terminal_keeps_the_last_line_whole_and_names_unchanged(
    faces: FaceSet, table: FoldTable, oof: list[Predictions], report: Report
) -> None:
    odd = replace(oof[2], name="[bold]a_very_long_name_for_a_specialist_of_the_fourth_kind")
    errors = make_errors(faces, table, [odd], WEIGHTS, np.zeros(len(faces), bool))
    evaluation = replace(report.evaluation, errors=errors)
    far = Path("/somewhere") / ("deep/" * 20) / "best.csv"
    lines = shown(replace(report, evaluation=evaluation, submission=far), width=80)
    assert "deep/best.csv, expected RMSE" in lines[-1]
    assert lines[-1].startswith("Submission: /somewhere/deep/")
    assert max(len(line) for line in lines[:-1]) <= 80
    assert lines[1].startswith("[bold]a_very")


def test_terminal_uses_style_and_draws_curves_on_a_terminal(report: Report) -> None:
    lines = shown(replace(report, submission=None), width=80, force_terminal=True, color_system="standard")
    assert "\x1b[" in lines[-1]
    assert "No submission written, expected RMSE" in lines[-1]
    assert any("█▃▂▁" in line and "█▁" in line and "2.000 1.500" in line for line in lines)


def test_terminal_shows_the_worst_pictures_and_what_each_specialist_adds(report: Report) -> None:
    lines = shown(report)
    worst = report.evaluation.pictures[0]
    assert any(line.split()[1:4] == [str(worst.id), f"{worst.rms:.3f}", str(worst.subset)] for line in lines)
    assert any(line.split() == ["eyes", "1.070", "0.020", "0.20", "1.400", "-", "1.00", "1.2"] for line in lines)
    assert any(line.startswith("ensemble") and line.count("%") == 2 for line in lines)


def test_a_new_figure_is_shown_everywhere(report: Report) -> None:
    """The headline table lists every figure of the summary; see also the record in tests/report/test_record.py."""
    new = Figure("new", "A figure that is new", "New", {"overall": 1.2345, 15: 1.0, 4: 2.0}, {"overall": (1.1, 1.3)})
    summary = replace(report.summary, figures=(*report.summary.figures, new))
    more = replace(report, evaluation=replace(report.evaluation, summaries={FINAL: summary}))
    assert "A figure that is new" in markdown(more)
    (line,) = [line for line in shown(more) if line.startswith("A figure that is new")]
    assert line.split()[5:] == ["1.234", "1.100", "to", "1.300", "1.000", "2.000"]
