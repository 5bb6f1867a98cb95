import pytest

from solution.kaggle.ledger import ERROR, PENDING, SCORED, Listed, listed, parsed
from solution.runtime.errors import UserError
from tests.kaggle.conftest import HEADER, Client

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


def test_times_sort_whatever_their_form():
    forms = ("2026-01-01 00:00:02", "2026-01-01 00:00:02.5", "2026-01-01T00:00:02.600Z", "2026-01-01 02:00:02.7+02:00")
    rows = "".join(f"{i},a.csv,{form},m,PENDING,,\n" for i, form in enumerate(forms))
    times = [one.received for one in parsed(f"{HEADER}\n{rows}")]
    assert times == sorted(times)
    assert len(set(times)) == len(forms)


@pytest.mark.parametrize("score", ["nan", "inf", "", "None", "-"])
def test_what_is_no_figure_is_no_score(score: str):
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
def test_anything_else_is_an_error(text: str, got: str):
    with pytest.raises(UserError, match=got):
        parsed(text)


def test_how_many_are_asked_for(client: Client):
    calls = client()
    listed()
    assert "--page-size" not in calls.read_text()
    listed(many=True)
    assert calls.read_text().splitlines()[-2:] == ["--page-size", "100"]
