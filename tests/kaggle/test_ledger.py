from dataclasses import replace
from pathlib import Path

import pytest

from solution.kaggle import ledger
from solution.kaggle.ledger import COLUMNS, ERROR, FAILED, PENDING, SCORED, Entry, Listed, listed, parsed
from solution.runtime.errors import UserError
from tests.kaggle.conftest import HEADER, Client

ENTRY = Entry(time="2026-01-01T00:00:00.000+00:00", name="submission.csv", message='a, "b"\u2009ü', status=PENDING)
FULL = replace(
    ENTRY,
    expected=1.3,
    expected_without_outliers=1.2,
    cv=1.35,
    cv_without_outliers=1.25,
    public=1.5,
    private=0.0,
    received="r",
    after="a",
    sha256="f" * 64,
)


def test_lines_are_read_as_written(tmp_path: Path):
    book = tmp_path / "sub" / "scores.csv"
    assert ledger.read(book) == []
    ledger.add(book, ENTRY)
    ledger.add(book, FULL)
    assert ledger.read(book) == [ENTRY, FULL]
    assert book.read_text().splitlines()[0].split(",") == COLUMNS


def test_a_line_is_changed_in_its_place(tmp_path: Path):
    book = tmp_path / "scores.csv"
    ledger.add(book, ENTRY)
    ledger.add(book, FULL)
    changed = ledger.change(book, ENTRY, replace(ENTRY, status=SCORED, public=1.4))
    assert changed == replace(ENTRY, status=SCORED, public=1.4)
    assert ledger.read(book) == [changed, FULL]


def test_an_earlier_form_of_the_ledger_is_kept(tmp_path: Path):
    book = tmp_path / "scores.csv"
    book.write_text("time,name,message,status,cv\nt0,a.csv,first,sent,1.25\nt1,a.csv,second,failed,\n")
    first = Entry(time="t0", name="a.csv", message="first", status=PENDING, cv_without_outliers=1.25)
    second = Entry(time="t1", name="a.csv", message="second", status=FAILED)
    assert ledger.read(book) == [first, second]
    ledger.add(book, ENTRY)
    assert ledger.read(book) == [first, second, ENTRY]


def test_figures_of_a_ledger_that_had_two_are_those_without_outliers(tmp_path: Path):
    """Its cv and expected left the outliers out: they are no figures over every label, whatever their names were."""
    book = tmp_path / "scores.csv"
    book.write_text(
        "time,name,message,status,cv,expected,public,private,received,after,sha256\n"
        "t0,a.csv,first,scored,1.25,1.2,1.5,1.3,r,,f\n"
    )
    (first,) = ledger.read(book)
    assert (first.cv_without_outliers, first.expected_without_outliers) == (1.25, 1.2)
    assert (first.cv, first.expected) == (None, None)
    assert (first.public, first.private, first.received, first.sha256) == (1.5, 1.3, "r", "f")
    ledger.add(book, FULL)
    assert ledger.read(book) == [first, FULL]
    assert book.read_text().splitlines()[0].split(",") == COLUMNS
    changed = ledger.change(book, first, replace(first, public=1.4))
    assert ledger.read(book) == [changed, FULL]
    assert changed == replace(first, public=1.4)


def test_the_columns_have_each_figure_under_its_name():
    assert COLUMNS[4:8] == list(ledger.FIGURES)
    assert ledger.FIGURES == ("expected", "expected_without_outliers", "cv", "cv_without_outliers")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("t,a.csv,m,sent,much", "data row 1: .*'much'"),
        (",a.csv,m,sent,1", "data row 1: .*trouble with time"),
        ("t", "data row 1: .*trouble with name, status"),
    ],
)
def test_a_damaged_line_is_named_and_nothing_is_lost(tmp_path: Path, line: str, message: str):
    book = tmp_path / "scores.csv"
    book.write_text(f"time,name,message,status,cv\n{line}\n")
    before = book.read_text()
    with pytest.raises(UserError, match=message):
        ledger.add(book, ENTRY)
    assert book.read_text() == before


def test_a_ledger_that_is_no_text(tmp_path: Path):
    book = tmp_path / "scores.csv"
    book.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read"):
        ledger.read(book)


NEW = f"""Warning: Looks like you're using an outdated `kaggle` version
{HEADER}
3,submission.csv,2026-01-01 00:00:03.123000,"a, 'b'",SubmissionStatus.PENDING,,None
2,submission.csv,2026-01-01 00:00:02,first  try,SubmissionStatus.COMPLETE,1.54321,1.29876
1,x.csv,2026-01-01 00:00:01,,SubmissionStatus.ERROR,None,None
"""
OLD = """fileName,date,description,status,publicScore,privateScore
submission.csv,2019-01-01 00:00:02,first try,complete,1.54321,
"""


def test_the_newer_clients_table():
    assert parsed(NEW) == [
        Listed("2026-01-01T00:00:03.123+00:00", "submission.csv", "a, 'b'", PENDING, None, None),
        Listed("2026-01-01T00:00:02.000+00:00", "submission.csv", "first try", SCORED, 1.54321, 1.29876),
        Listed("2026-01-01T00:00:01.000+00:00", "x.csv", "", ERROR, None, None),
    ]


def test_the_older_clients_table():
    time = "2019-01-01T00:00:02.000+00:00"
    assert parsed(OLD) == [Listed(time, "submission.csv", "first try", SCORED, 1.54321, None)]


def test_times_of_all_forms_sort():
    forms = ("2026-01-01 00:00:02", "2026-01-01 00:00:02.5", "2026-01-01T00:00:02.600Z", "2026-01-01 02:00:02.7+02:00")
    rows = "".join(f"{i},a.csv,{form},m,PENDING,,\n" for i, form in enumerate(forms))
    times = [one.received for one in parsed(f"{HEADER}\n{rows}")]
    assert times == sorted(times)
    assert len(set(times)) == len(forms)


@pytest.mark.parametrize("score", ["nan", "inf", "", "None", "-"])
def test_a_text_that_is_no_number_is_no_score(score: str):
    assert parsed(f"{HEADER}\n1,a.csv,2026-01-01,m,COMPLETE,{score},1.5\n")[0].public is None


def test_no_submissions_yet(client: Client):
    client()
    assert listed() == []


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "got nothing"),
        ("hello\n", "got hello"),
        (f"{HEADER}\n1,a.csv,2026-01-01,m,GRADING,,\n", "got status 'GRADING'"),
        (f"{HEADER}\n1,a.csv,yesterday,m,PENDING,,\n", "got date 'yesterday'"),
    ],
)
def test_another_table_is_an_error(text: str, got: str):
    with pytest.raises(UserError, match=got):
        parsed(text)


def test_the_number_of_submissions_in_a_list(client: Client):
    calls = client()
    listed()
    assert "--page-size" not in calls.read_text()
    listed(many=True)
    assert calls.read_text().splitlines()[-2:] == ["--page-size", "100"]
