import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from solution.kaggle.leaderboard import Gap, as_json, describe, leaderboard_of, outcome, show
from solution.kaggle.ledger import ERROR, FAILED, PENDING, SCORED, UNKNOWN, Entry
from solution.runtime.errors import UserError

ENTRY = Entry(time="2026-01-01T00:00:00", name="submission.csv", message="first", status=SCORED)
LINES = [
    replace(ENTRY, expected=1.2, cv=9.0, cv_without_outliers=8.0, public=1.5, private=1.3),
    replace(ENTRY, message="broken", status=FAILED, expected=1.1),
    replace(ENTRY, message="second", expected=1.1, expected_without_outliers=7.0, public=1.45, private=1.32),
    replace(ENTRY, message="third", expected=1.15, public=1.4),
    replace(ENTRY, message="waiting", status=PENDING, expected=1.0),
]


def shown(lines: list[Entry], terminal: bool = False, width: int = 60) -> str:
    text = io.StringIO()
    show("fkd", lines, Console(file=text, force_terminal=terminal, width=width))
    return text.getvalue()


def test_the_summary_of_the_scored_lines():
    found = leaderboard_of(LINES)
    assert found.scored == 3
    assert found.best == LINES[3]
    assert found.public == Gap(0.3, 0.25, 0.35)
    assert found.private == Gap(0.16, 0.1, 0.22)
    assert found.change == {"expected": -0.05, "public": -0.1}  # the newest has no private score
    assert (found.steps, found.alike) == (2, 1)


@pytest.mark.parametrize(
    ("figures", "steps", "alike"),
    [
        ([(1.2, 1.5), (1.1, 1.4), (1.0, 1.3), (1.1, 1.2)], 3, 2),
        ([(1.2, 1.5), (1.3, 1.6), (1.2, 1.7)], 2, 1),
        ([(1.2, 1.5), (1.2, 1.4), (1.1, 1.4)], 0, 0),
    ],
)
def test_steps_alike(figures: list[tuple[float, float]], steps: int, alike: int):
    found = leaderboard_of([replace(ENTRY, expected=expected, public=public) for expected, public in figures])
    assert (found.steps, found.alike) == (steps, alike)


def test_nothing_scored_yet():
    for lines in ([], [LINES[1], LINES[4]]):
        found = leaderboard_of(lines)
        assert (found.scored, found.best, found.public, found.change, found.steps) == (0, None, None, {}, 0)
        assert describe(found) == ["No public score yet."]
        assert json.loads(as_json({"fkd": lines}))["fkd"]["standing"]["best"] is None


def test_one_score_is_no_trend():
    sentences = describe(leaderboard_of(LINES[:1]))
    assert sentences == [
        "Best public score of 1: 1.50000 (first)",
        "The public score is +0.3000 px from the expected one on average (+0.3000 to +0.3000)",
        "The private score is +0.1000 px from the expected one on average (+0.1000 to +0.1000)",
    ]


def test_lines_without_an_expected_score_have_no_gap():
    """As those of an earlier ledger, whose figures left the outliers out."""
    found = leaderboard_of([replace(line, expected=None, expected_without_outliers=1.1) for line in LINES])
    assert (found.scored, found.public, found.steps) == (3, None, 0)
    assert found.change == {"public": -0.1}


def test_the_table_in_a_file_and_on_a_terminal():
    plain = shown(LINES)
    rows = [line.split() for line in plain.splitlines()]
    first = ["2026-01-01", "first", "(submission)", "1.2000", "1.50000", "+0.3000", "1.30000", "+0.1000", "scored"]
    assert first in rows
    assert ["2026-01-01", "waiting", "(submission)", "1.0000", "-", "-", "-", "-", "pending"] in rows
    assert "From the first scored to the newest: expected -0.0500, public -0.1000 px" in plain
    assert "expected and public score changed in the same direction in 1 of 2 steps" in plain
    assert "gap: leaderboard less expected" in plain
    assert "expected" in plain.splitlines()[1].split()
    assert "\x1b" not in plain
    narrow = shown(LINES, terminal=True, width=80)
    assert "\x1b" in narrow
    assert all(figure in narrow for figure in ("1.2000", "1.50000", "+0.3000", "1.30000", "+0.1000", "pending"))


def test_markup_in_a_message_is_text():
    assert "[bold]x[/bold]" in shown([replace(ENTRY, message="[bold]x[/bold]")])


def test_json():
    content = json.loads(as_json({"fkd": LINES, "other": []}))
    first, *_, last = content["fkd"]["lines"]
    assert (first["expected"], first["public"], first["gap_public"], first["gap_private"]) == (1.2, 1.5, 0.3, 0.1)
    assert (last["status"], last["public"], last["gap_public"]) == ("pending", None, None)
    assert content["fkd"]["standing"]["public"] == {"mean": 0.3, "least": 0.25, "most": 0.35}
    assert content["other"]["lines"] == []


def test_the_outcome_in_a_sentence():
    parts = "public 1.50000 px (+0.3000 px from expected), private 1.30000 px (+0.1000 px from expected)"
    assert outcome(LINES[0]) == f"{parts}; expected 1.2000 px"
    assert "private - px" in outcome(LINES[3])
    for status in (PENDING, UNKNOWN):
        assert "scores --refresh" in outcome(replace(ENTRY, status=status))
    with pytest.raises(UserError, match="could not score the file"):
        outcome(replace(ENTRY, status=ERROR))
