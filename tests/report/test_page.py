"""The page as text: complete in itself, closed to the outside, the same each time. See test_browser.py for the rest."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solution.__main__ import main
from solution.evaluation.error_tables import make_errors
from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.evaluation.summary import Truth
from solution.faces import FaceSet, FoldTable, Predictions
from solution.report.page import _script, render, write_page
from solution.report.report import Report
from solution.report.sentences import trust
from tests.places import REPOSITORY
from tests.report.cases import WEIGHTS

ROOT = REPOSITORY


@pytest.fixture
def text(report: Report) -> str:
    return render(report)


def without_scripts(text: str) -> str:
    """The page less what its scripts say among themselves."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)


def data_of(text: str, name: str) -> dict:
    (found,) = re.findall(rf'<script type="application/json" id="{name}-data">(.*?)</script>', text)
    return json.loads(found)


def test_the_page_needs_nothing_else(text: str):
    bare = without_scripts(text)
    assert re.findall(r'\b(?:src|href)="(?!#|data:)[^"]*"', bare) == []
    assert "url(" not in re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "@import" not in text.split("</style>")[0]
    assert len(text) < 8e6


def test_its_policy_names_every_script_and_no_other_source(text: str):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(part.strip().split(" ", 1) for part in policy.replace("&#39;", "'").split(";"))
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    named = [f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts]
    assert len(scripts) == 3
    assert rules["script-src"].split() == named
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    assert not {"connect-src", "font-src", "frame-src"} & set(rules)


def test_plotly_stands_last(text: str):
    scripts = [(match.start(), len(match[0])) for match in re.finditer(r"<script.*?</script>", text, re.DOTALL)]
    at, length = max(scripts, key=lambda one: one[1])
    assert length > 1e6
    assert at > text.index("</main>")
    assert at == max(scripts)[0]


def test_the_same_report_gives_the_same_bytes(report: Report, tmp_path: Path):
    first, second = (write_page(tmp_path / name, report).read_bytes() for name in "ab")
    assert first == second
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["report.html"]


def test_figures_stand_in_the_page(report: Report, text: str):
    bare = without_scripts(text)
    expected, without = report.summary["expected"], report.summary["expected_without_outliers"]
    low, high = expected.intervals["overall"]
    assert f"over every label; 95 % of test files of this size: {low:.3f} to {high:.3f}" in bare
    for score in (expected.scores["overall"], *without.scores.values()):
        assert f"<strong>{score:.3f}<small> px</small></strong>" in bare
    for sentence in trust(report.evaluation, report.summary):
        assert sentence in bare.replace("&#39;", "'")
    assert "submissions/real/best.csv" in bare
    assert f"An outlier is a row whose labels are {OUTLIERS_IN_WORDS}, or that" in bare.replace("&#39;", "'")
    assert "First of Kaggle&#39;s private leaderboard" in bare
    assert ">nan<" not in bare.lower()
    assert "None" not in bare


def test_pictures_hold_what_is_drawn_over_them(report: Report, text: str):
    pictures = data_of(text, "pictures")
    assert [one["id"] for one in pictures["worst"]] == [picture.id for picture in report.evaluation.pictures]
    first, mark = pictures["worst"][0], report.evaluation.pictures[0].marks[0]
    assert first["marks"][0] == {
        "k": mark.point,
        "l": [round(x, 3) for x in mark.label],
        "p": [round(x, 3) for x in mark.predicted],
        "e": round(mark.error, 3),
        "s": 0.8,
    }
    assert base64.b64decode(first["png"]).startswith(b"\x89PNG")
    assert pictures["changed"] == []


def test_charts_hold_the_histories_and_figures(report: Report, text: str):
    charts = data_of(text, "charts")
    assert {"standing", "added-15", "added-4", "curves-all", "curves-unet_15", "calibration"} <= set(charts)
    held = [trace for trace in charts["curves-unet_15"]["data"] if trace.get("name")]
    assert [trace["meta"]["fold"] for trace in held] == [0, 1, 2]
    assert held[0]["x"] == [2, 4]
    assert held[0]["y"] == [2.0, 1.5]
    both = charts["standing"]["data"][0]
    drawn = [figure for figure in report.summary.figures if figure.short]
    for i, figure in enumerate(drawn):
        score, (low, high) = figure.scores["overall"], figure.intervals["overall"]
        assert both["x"][i] == pytest.approx(score, abs=1e-5)
        assert both["error_x"]["array"][i] == pytest.approx(high - score, abs=2e-5)
        assert both["error_x"]["arrayminus"][i] == pytest.approx(score - low, abs=2e-5)
    titles = charts["standing"]["layout"]["yaxis"]["ticktext"]
    assert titles == [figure.short for figure in drawn]
    first = charts["standing"]["data"][-1]
    assert "first place" in first["name"]
    assert first["y"] == [-0.5, 0.5]  # beside the expected score alone


def test_names_are_text_and_never_markup(
    report: Report, faces: FaceSet, table: FoldTable, oof: list[Predictions]
) -> None:
    odd = "</script><img src=x onerror=alert(1)>"
    errors = make_errors(faces, table, [*oof, replace(oof[2], name=odd)], WEIGHTS, np.zeros(len(faces), bool))
    curves = tuple(replace(curve, recipe=odd) for curve in report.curves)
    text = render(replace(report, evaluation=replace(report.evaluation, errors=errors), curves=curves))
    assert odd not in text
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_a_script_that_would_end_itself_is_refused():
    with pytest.raises(ValueError, match="contains a tag"):
        _script("let a = '</Script>';")


def test_a_drawn_run_shows_its_true_score(finished: Path):
    text = (finished / "folds" / "faces" / "report.html").read_text()
    bare = without_scripts(text)
    assert "side the expected interval. Without outliers (true: " in bare
    assert "True, on the test pictures" in bare
    assert "leaderboard" not in bare
    assert {"curves-base", "curves-child", "curves-other"} <= set(data_of(text, "charts"))


def test_the_true_scores_tile(report: Report):
    truth = Truth({"overall": 1.111, 15: 0.9, 4: 1.4}, {"overall": (1.01, 1.25)}, 2, {"overall": 1.05, 15: 1, 4: 1.4})
    known = replace(report, evaluation=replace(report.evaluation, truth=truth))
    bare = " ".join(without_scripts(render(known)).split())
    tile = bare[bare.index(">True<") :][:200]
    assert "<strong>1.111<small> px</small></strong>" in tile
    assert "95 %: 1.010 to 1.250, the answers are known" in tile


def test_git_ignores_the_page():
    lines = (ROOT / ".gitignore").read_text().split()
    assert "/folds/*" in lines
    assert "!/folds/README.md" in lines


def test_json_is_one_object_with_what_the_terminal_shows(
    finished_copy: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--data", str(drawn_folder), "--scale", "smoke", "--json"], finished_copy) == 0
    out = capsys.readouterr()
    told = json.loads(out.out)
    assert "Report:" in out.err
    assert told["figures"]["true"]["rmse"]["overall"] > 3
    for name in ("expected", "expected_without_outliers", "cv", "cv_without_outliers"):
        low, high = told["figures"][name]["interval"]["overall"]
        assert low < told["figures"][name]["rmse"]["overall"] < high
    assert told["outliers"] >= told["disagreeing"] >= 0
    assert all(one["outlier"] in (True, False) for one in told["worst"])
    assert {one["recipe"] for one in told["training"]} == {"base", "child", "other"}
    assert {one["name"] for one in told["contributions"]} == {"base", "child", "other"}
    assert {(one["subset"], one["fold"]) for one in told["folds"]} >= {("15", "0"), ("4", "4"), ("weighted", "all")}
    child = next(one for one in told["folds"] if (one["name"], one["subset"], one["fold"]) == ("child", "4", "all"))
    assert child["rmse"] is None
    assert told["against"] is None
    assert told["dataset"]["drawn"] is True
    assert told["made"]["versions"]["torch"]
    assert told["worst"][0]["rms"] >= told["worst"][-1]["rms"]
    assert told["sentences"][-1].startswith("Submission: ")
