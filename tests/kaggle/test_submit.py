import io
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from solution.data.competition import Competition
from solution.kaggle import client as calling
from solution.kaggle import ledger
from solution.kaggle.ledger import ERROR, FAILED, PENDING, SCORED, UNKNOWN, Entry
from solution.kaggle.submission import write_submission
from solution.kaggle.submit import Upload, confirm, described, prepare, refresh, send, wait
from solution.runtime.errors import UserError
from tests.kaggle.conftest import FIGURES, HEADER, Client
from tests.kaggle.stand_in import TOKEN, StandIn
from tests.small import predicted, small_competition

SENT = "echo '9 submissions remaining today.'; echo 'Successfully submitted to Facial Keypoints Detection'"
CTRL_C = "kill -INT $PPID; exec sleep 5"  # the shell line of a client whose user stops the program that runs it

Send = Callable[..., Entry]


@pytest.fixture
def ctrl_c_stops() -> Iterator[None]:
    """Ctrl-C interrupts, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def sent(file: Path, competition: Competition) -> Send:
    """Check the file and send it."""
    return lambda message="a try": send(prepare(file, competition, message))


@pytest.fixture
def book(file: Path) -> Path:
    return file.parent / "scores.csv"


def lines(book: Path) -> list[Entry]:
    return ledger.read(book)


def figures(entry: Entry) -> dict[str, float | None]:
    """What a line keeps of the submission's record, by name."""
    return {name: getattr(entry, name) for name in FIGURES}


def table(*rows: str) -> str:
    """The shell lines of a client that lists these submissions."""
    return "\n".join(f"echo '{row}'" for row in (HEADER, *rows))


# With the real client, in front of a stand-in for Kaggle


def test_an_upload_that_fails_never_counts_as_sent(site: StandIn, sent: Send, book: Path):
    site.stored = 400
    with pytest.raises(UserError, match=r"'Could not submit to competition'.*nothing was sent"):
        sent()
    assert [line.status for line in lines(book)] == [FAILED]
    assert (site.calls[-1], site.submissions) == ("PUT", [])


def test_a_submission_that_kaggle_does_not_take(site: StandIn, sent: Send, book: Path):
    site.refusals["CreateSubmission"] = (400, "Your team has used its daily Submission allowance (5) today.")
    with pytest.raises(UserError, match=r"daily Submission allowance \(5\) today.'. Kaggle accepts a few a day"):
        sent()
    assert [line.status for line in lines(book)] == [FAILED]


def test_a_score_that_never_comes(site: StandIn, sent: Send, book: Path, file: Path):
    site.add("best.csv", "a try", status="COMPLETE", publicScore="9.9", privateScore="9.9")  # another one before
    site.looks = 1000
    entry = wait(book, sent(), 0.2)
    assert (entry.status, entry.public, entry.received) == (PENDING, None, "2026-01-01T00:00:02.123+00:00")
    assert lines(book) == [entry]
    assert list(site.uploads.values()) == [file.read_bytes()]
    site.looks = 0
    assert refresh(book) == 0
    assert lines(book) == [replace(entry, status=SCORED, public=1.54321, private=1.29876)]


# With a client of a few shell lines

FAILURES = {
    "upload failed with status 0": (
        "printf '100%%|####| 1k/1k\\r' >&2; echo 'Could not submit to competition'",
        "status 0 and 'Could not submit to competition'",
    ),
    "no such competition, status 0": ("echo 'Could not find competition'", "status 0 and 'Could not find competition'"),
    "silence": ("exit 0", "status 0 and 'nothing'"),
    "success text, but an error status": (
        "echo 'Successfully submitted'; echo 'broken pipe' >&2; exit 1",
        "status 1 and 'broken pipe'",
    ),
    "rules": ("echo '403 Client Error: Forbidden for url: https://x' >&2; exit 1", "Accept the competition's rules"),
    "credentials": ("echo 'Authentication required to call the Kaggle API.'; exit 1", "KAGGLE_API_TOKEN"),
    "network": ("echo 'Max retries exceeded (NameResolutionError)' >&2; exit 1", "network connection"),
}


@pytest.mark.parametrize("step", ["submit", "submissions"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_never_counts_as_sent(client: Client, sent: Send, book: Path, failure: str, step: str):
    shell, message = FAILURES[failure]
    calls = client(**{"submit": SENT, step: shell})
    with pytest.raises(UserError) as caught:
        sent()
    if step == "submit" or "exit 1" in shell:
        assert message in str(caught.value)
    assert [(line.status, figures(line)) for line in lines(book)] == [(FAILED, FIGURES)]
    assert ("submit" in calls.read_text().splitlines()) == (step == "submit")


def test_a_success_is_entered_with_all_that_is_known(client: Client, sent: Send, book: Path, file: Path):
    calls = client(submit=SENT)
    entry = sent(" five  folds,\nstacked ")
    assert lines(book) == [entry]
    assert (entry.name, entry.message, entry.status) == ("best.csv", "five folds, stacked", PENDING)
    assert (figures(entry), entry.public, entry.private) == (FIGURES, None, None)
    words = ["competitions", "submit", "-c", "facial-keypoints-detection", "-f", str(file), "-m", "five folds, stacked"]
    assert calls.read_text().splitlines()[-8:] == words
    sent("again")
    assert [line.message for line in lines(book)] == ["five folds, stacked", "again"]


def test_a_client_that_hangs_leaves_it_open(client: Client, sent: Send, book: Path, monkeypatch: pytest.MonkeyPatch):
    client(submit="exec sleep 20")
    monkeypatch.setattr(calling, "LIMIT", 0.3)
    with pytest.raises(UserError, match=r"within 0\.3 s.*scores --refresh"):
        sent()
    (line,) = lines(book)
    assert line.status == UNKNOWN
    client(submissions=table("1,best.csv,2026-01-01 00:00:01,a try,COMPLETE,1.5,1.25"))
    assert refresh(book) == 0
    assert lines(book) == [
        replace(line, status=SCORED, public=1.5, private=1.25, received="2026-01-01T00:00:01.000+00:00")
    ]


@pytest.mark.usefixtures("ctrl_c_stops")
def test_a_try_that_was_stopped_leaves_it_open(client: Client, sent: Send, book: Path):
    client(submit=CTRL_C)
    with pytest.raises(KeyboardInterrupt):
        sent()
    assert [line.status for line in lines(book)] == [UNKNOWN]
    assert refresh(book) == 1
    assert [line.status for line in lines(book)] == [UNKNOWN]


def test_a_file_that_changes_after_the_check_is_not_sent(
    client: Client, file: Path, competition: Competition, book: Path
):
    calls = client(submit=SENT)
    upload = prepare(file, competition, "a try")
    file.write_text(file.read_text() + "\n")
    with pytest.raises(UserError, match="it has changed meanwhile"):
        send(upload)
    assert not calls.exists()
    assert not book.exists()


@pytest.mark.parametrize(
    ("facts", "message"),
    [({"drawn": True}, "drawn faces"), ({"held_out": True}, "labelled rows that were held out")],
)
def test_faces_that_are_not_kaggles_are_refused(tmp_path: Path, facts: dict[str, bool], message: str):
    known, truth = small_competition(drawn=False)
    known = replace(known, **facts)
    file = write_submission(tmp_path / "known.csv", known, predicted(truth), {})
    with pytest.raises(UserError, match=message):
        prepare(file, known, "a try")


def test_a_message_says_something_and_no_secret(file: Path, competition: Competition, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UserError, match="expected a few words"):
        prepare(file, competition, " \n")
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    with pytest.raises(UserError, match="got a Kaggle token or key") as caught:
        prepare(file, competition, f"with {TOKEN}")
    assert TOKEN not in str(caught.value)


def test_a_score_is_waited_for_through_failures(client: Client, sent: Send, book: Path, tmp_path: Path):
    client(submit=SENT)
    entry = sent()
    look = tmp_path / "look"
    pending, done = "1,best.csv,2026-01-01,a try,PENDING,,", "1,best.csv,2026-01-01,a try,COMPLETE,1.5,1.25"
    client(
        submissions=f"""echo >> {look}
case $(wc -l < {look}) in 1) exit 1;; 2) echo No submissions found;; 3) {table(pending)};; *) {table(done)};; esac"""
    )
    found = wait(book, entry, 20)
    assert (found.status, found.public, found.private) == (SCORED, 1.5, 1.25)
    assert lines(book) == [found]
    assert len(look.read_text()) == 4


def test_a_file_that_kaggle_cannot_score(client: Client, sent: Send, book: Path):
    client(submit=SENT)
    entry = sent()
    client(submissions=table("1,best.csv,2026-01-01,a try,ERROR,,"))
    assert wait(book, entry, 20).status == ERROR


@pytest.mark.usefixtures("ctrl_c_stops")
def test_ctrl_c_ends_only_the_waiting(client: Client, sent: Send, book: Path):
    client(submit=SENT)
    entry = sent()
    client(submissions=CTRL_C)
    assert wait(book, entry, 20) == entry


@pytest.mark.parametrize("late", [False, True])
def test_submissions_of_the_same_name_and_message_are_matched_by_time(
    client: Client, sent: Send, book: Path, late: bool
):
    own = [f"{i},best.csv,2026-01-01 00:00:0{i},a try,COMPLETE,1.{i},1.{i}" for i in (4, 3, 2, 1)]
    other = ["9,best.csv,2026-01-01 00:00:09,another,COMPLETE,1.9,1.9", "8,x.csv,2026-01-01 00:00:08,a try,ERROR,,"]
    client(submit=SENT, submissions=table(own[3]))
    sent()
    client(submit=SENT, submissions=table(*own[3 if late else 2 :]))  # Kaggle may list one only after the next is sent
    sent()
    client(submissions=table(*other, *own))
    assert refresh(book) == 0
    assert [line.public for line in lines(book)] == [1.2, 1.3]
    calls = client(submissions="exit 1")
    calls.unlink()
    assert refresh(book) == 0  # nothing is open: Kaggle is not asked
    assert not calls.exists()


def test_a_refresh_without_an_answer_is_an_error(client: Client, sent: Send, book: Path):
    client(submit=SENT)
    before = [sent()]
    client(submissions="echo 'Max retries exceeded' >&2; exit 1")
    with pytest.raises(UserError, match="network connection"):
        refresh(book)
    assert lines(book) == before


# Before it is sent


class Terminal(io.StringIO):
    """A terminal with a typed answer."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def upload(file: Path, competition: Competition) -> Upload:
    return prepare(file, competition, "a try")


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Callable[[io.StringIO], None]:
    """Let this be standard input."""
    return lambda stream: monkeypatch.setattr(sys, "stdin", stream)


@pytest.mark.parametrize("answer", ["y\n", "YES \n"])
def test_yes_is_accepted(upload: Upload, answer: str, types: Callable[..., None], caplog: pytest.LogCaptureFixture):
    types(Terminal(answer))
    with caplog.at_level(logging.INFO):
        confirm(upload, yes=False)
    assert caplog.messages == described(upload)


@pytest.mark.parametrize("answer", ["\n", "n\n", "yess\n", ""])
def test_any_other_answer_is_a_no(upload: Upload, answer: str, types: Callable[..., None]):
    types(Terminal(answer))
    with pytest.raises(UserError, match="nothing was sent"):
        confirm(upload, yes=False)


def test_without_a_terminal_there_must_be_a_yes(upload: Upload, types: Callable[..., None]):
    types(io.StringIO("y\n"))
    with pytest.raises(UserError, match="Add --yes to send this"):
        confirm(upload, yes=False)
    confirm(upload, yes=True)


def test_a_description_has_the_file_the_score_and_the_message(upload: Upload):
    said = "\n".join(described(upload))
    assert f"{upload.path}, {upload.record['rows']} rows, 0.0 MB, made {upload.record['time']}" in said
    assert "Expected score: 1.3000 px" in said.splitlines()
    assert "Message: a try" in said
    assert "sent on" not in said
    assert "--use-duplicates" not in said


def test_a_description_has_the_interval_of_the_expected_score(upload: Upload):
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


def test_a_description_warns_of_a_file_that_was_sent_before(upload: Upload):
    earlier = Entry(time="2026-01-01T00:00:00", name="best.csv", message="then", status=FAILED)
    ledger.add(upload.ledger, replace(earlier, sha256=upload.record["sha256"]))
    ledger.add(upload.ledger, replace(earlier, status=SCORED, sha256="other"))
    assert "sent on" not in "\n".join(described(upload))
    ledger.add(upload.ledger, replace(earlier, status=SCORED, sha256=upload.record["sha256"]))
    assert "This very file was sent on 2026-01-01T00:00 UTC as 'then'" in described(upload)
