import io
import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from solution.data.competition import Competition
from solution.errors import UserError
from solution.kaggle import ledger
from solution.kaggle.asking import confirm, described
from solution.kaggle.ledger import FAILED, Entry
from solution.kaggle.listing import SCORED
from solution.kaggle.sending import Parcel, packed


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def parcel(file: Path, competition: Competition) -> Parcel:
    return packed(file, competition, "a try")


@pytest.mark.parametrize("answer", ["y\n", "YES \n"])
def test_a_yes(parcel: Parcel, answer: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    with caplog.at_level(logging.INFO):
        confirm(parcel, yes=False)
    assert caplog.messages == described(parcel)


@pytest.mark.parametrize("answer", ["\n", "n\n", "yess\n", ""])
def test_anything_else_is_a_no(parcel: Parcel, answer: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    with pytest.raises(UserError, match="nothing was sent"):
        confirm(parcel, yes=False)


def test_nobody_to_ask(parcel: Parcel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(UserError, match="Add --yes to send this"):
        confirm(parcel, yes=False)
    confirm(parcel, yes=True)


def test_what_is_told_before(parcel: Parcel):
    said = "\n".join(described(parcel))
    assert f"{parcel.path}, {parcel.record['rows']} rows, 0.0 MB, made {parcel.record['time']}" in said
    assert "Cross-validated: 1.2500 px; expected of the submission 1.2000 px" in said
    assert "Message: a try" in said
    assert "sent on" not in said
    assert "twins" not in said


def test_the_interval_and_every_label_are_told_where_known(parcel: Parcel):
    facts = {"cv_interval": [1.1, 1.3], "cv_over_every_label": {"overall": 1.5}, "use_twins": True, "scale": "cpu"}
    said = "\n".join(described(replace(parcel, record=parcel.record | facts)))
    assert "Cross-validated: 1.2500 px (1.1000 to 1.3000); over every label 1.5000 px; expected" in said
    assert "scale cpu" in said
    assert "--use-twins" in said


def test_a_record_without_figures(parcel: Parcel):
    record = {key: value for key, value in parcel.record.items() if key not in ("cv", "expected")}
    assert "Cross-validated: the record holds no figure" in described(replace(parcel, record=record))


def test_a_file_that_was_sent_before_is_told(parcel: Parcel):
    earlier = Entry(time="2026-01-01T00:00:00", name="best.csv", message="then", status=FAILED)
    ledger.add(parcel.ledger, replace(earlier, sha256=parcel.record["sha256"]))
    ledger.add(parcel.ledger, replace(earlier, status=SCORED, sha256="other"))
    assert "sent on" not in "\n".join(described(parcel))
    ledger.add(parcel.ledger, replace(earlier, status=SCORED, sha256=parcel.record["sha256"]))
    assert "This very file was sent on 2026-01-01T00:00 UTC as 'then'" in described(parcel)
