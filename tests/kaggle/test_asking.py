import io
import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from solution.data.competition import Competition
from solution.kaggle import ledger
from solution.kaggle.ledger import FAILED, SCORED, Entry
from solution.kaggle.submit import Upload, confirm, described, prepare
from solution.runtime.errors import UserError


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def upload(file: Path, competition: Competition) -> Upload:
    return prepare(file, competition, "a try")


@pytest.mark.parametrize("answer", ["y\n", "YES \n"])
def test_a_yes(upload: Upload, answer: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    with caplog.at_level(logging.INFO):
        confirm(upload, yes=False)
    assert caplog.messages == described(upload)


@pytest.mark.parametrize("answer", ["\n", "n\n", "yess\n", ""])
def test_anything_else_is_a_no(upload: Upload, answer: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    with pytest.raises(UserError, match="nothing was sent"):
        confirm(upload, yes=False)


def test_nobody_to_ask(upload: Upload, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(UserError, match="Add --yes to send this"):
        confirm(upload, yes=False)
    confirm(upload, yes=True)


def test_what_is_told_before(upload: Upload):
    said = "\n".join(described(upload))
    assert f"{upload.path}, {upload.record['rows']} rows, 0.0 MB, made {upload.record['time']}" in said
    assert "Expected score: 1.3000 px" in said.splitlines()
    assert "Message: a try" in said
    assert "sent on" not in said
    assert "twins" not in said


def test_the_interval_of_the_expected_score_is_told_where_known(upload: Upload):
    """The figure over every label, as the leaderboard's is; what compares models is no one's to weigh here."""
    facts = {"expected_intervals": {"overall": [1.15, 1.55], "15": [1.0, 1.2]}, "use_duplicates": True, "scale": "cpu"}
    said = "\n".join(described(replace(upload, record=upload.record | facts)))
    assert "Expected score: 1.3000 px (a test file of this size scores 1.1500 to 1.5500 95 times in 100)" in said
    assert "1.2000" not in said
    assert "scale cpu" in said
    assert "--use-duplicates" in said


def test_a_record_without_figures(upload: Upload):
    record = {key: value for key, value in upload.record.items() if key not in ledger.FIGURES}
    assert "Expected score: the record has none" in described(replace(upload, record=record))


def test_a_file_that_was_sent_before_is_told(upload: Upload):
    earlier = Entry(time="2026-01-01T00:00:00", name="best.csv", message="then", status=FAILED)
    ledger.add(upload.ledger, replace(earlier, sha256=upload.record["sha256"]))
    ledger.add(upload.ledger, replace(earlier, status=SCORED, sha256="other"))
    assert "sent on" not in "\n".join(described(upload))
    ledger.add(upload.ledger, replace(earlier, status=SCORED, sha256=upload.record["sha256"]))
    assert "This very file was sent on 2026-01-01T00:00 UTC as 'then'" in described(upload)
