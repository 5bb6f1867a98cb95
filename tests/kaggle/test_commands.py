"""The commands download, submit and scores from end to end, and that no path shows a token."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from solution.__main__ import main
from solution.data.competition import Competition
from solution.data.reader import read_competition
from solution.kaggle import ledger
from solution.kaggle.ledger import FAILED, PENDING, SCORED
from tests.kaggle.conftest import HEADER, Client
from tests.kaggle.stand_in import SIGNATURE, TOKEN, StandIn

SENT = "echo 'Successfully submitted to Facial Keypoints Detection'"
Verb = Callable[..., tuple[int, str]]


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a verb below a root: its exit code, and all that it said."""

    def call(root: Path, *words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(words, root)
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


@pytest.fixture
def real(finished_copy: Path, drawn_folder: Path, monkeypatch: pytest.MonkeyPatch, verb: Verb) -> Path:
    """The root of a finished run on faces that pass for Kaggle's, its submission made."""

    def read(folder: Path, cache: Path) -> Competition:
        return replace(read_competition(folder, cache), drawn=False, answers=None)

    monkeypatch.setattr("solution.run.read_competition", read)
    assert verb(finished_copy, "submission", *run(drawn_folder))[0] == 0
    return finished_copy


def run(drawn_folder: Path) -> list[str]:
    return ["--data", str(drawn_folder), "--scale", "smoke"]


def book(root: Path) -> Path:
    return root / "submissions" / "faces" / "scores.csv"


def assert_nothing_shown(said: str, root: Path, secret: str = TOKEN) -> None:
    assert secret not in said
    for path in root.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


def test_there_and_back(real: Path, site: StandIn, verb: Verb, drawn_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VERBOSE", "1")  # the client would print every request
    site.looks = 1
    code, said = verb(real, "submit", *run(drawn_folder), "-m", "first try", "--yes")
    assert code == 0, said
    assert "public 1.54321 px (" in said
    (line,) = ledger.read(book(real))
    assert (line.status, line.public, line.private, line.message) == (SCORED, 1.54321, 1.29876, "first try")
    record = json.loads((real / "submissions" / "faces" / "submission.json").read_text())
    assert line.sha256 == record["sha256"]
    for name in ledger.FIGURES:
        assert getattr(line, name) == record[name]["overall"]
    low, high = record["expected_intervals"]["overall"]
    told = f"Expected score: {line.expected:.4f} px (a test file of this size scores {low:.4f} to {high:.4f} 95 times"
    assert told in said
    assert list(site.uploads.values()) == [(real / "submissions" / "faces" / "submission.csv").read_bytes()]
    assert site.submissions[0]["description"] == "first try"
    code, said = verb(real, "scores")
    assert code == 0
    assert "1.54321" in said
    assert "public 1.54321" in (real / "folds" / "faces" / "log.txt").read_text()
    assert_nothing_shown(said, real)
    assert_nothing_shown(said, real, SIGNATURE)


def test_without_waiting_the_score_comes_by_a_refresh(real: Path, client: Client, verb: Verb, drawn_folder: Path):
    client(submit=SENT)
    code, said = verb(real, "submit", "submission-plain", *run(drawn_folder), "-m", "plain", "-y", "--no-wait")
    assert code == 0, said
    assert "scores --refresh" in said
    assert [(line.name, line.status) for line in ledger.read(book(real))] == [("submission-plain.csv", PENDING)]
    client(submissions=f"echo '{HEADER}'; echo '1,submission-plain.csv,2026-01-01,plain,COMPLETE,1.5,1.25'")
    code, said = verb(real, "scores", "--refresh", "--json", "--data", str(drawn_folder))
    assert code == 0
    assert json.loads(said)["faces"]["lines"][0]["public"] == 1.5


def test_a_refused_submission_is_not_sent(real: Path, client: Client, verb: Verb, drawn_folder: Path):
    calls = client(submit=SENT)
    sending = ["submit", *run(drawn_folder), "-m", "x"]
    code, said = verb(real, *sending)
    assert (code, "Add --yes to send this" in said) == (2, True)
    code, said = verb(real, *sending, "--yes", "best")
    assert (code, "best.csv: expected a submission, got none" in said) == (2, True)
    code, said = verb(real, *sending, "--yes", "--use-twins")
    assert (code, "expected the submission with the labels of duplicates, found none" in said) == (2, True)
    manifest = next((real / "folds" / "faces" / "other").glob("fold3/manifest.json"))
    content = manifest.read_bytes()
    manifest.unlink()
    code, said = verb(real, *sending, "--yes")
    assert (code, "14 of 15 trainings complete; other/fold3 is not" in said) == (2, True)
    manifest.write_bytes(content)
    record = real / "submissions" / "faces" / "submission.json"
    facts = json.loads(record.read_text())
    record.write_text(json.dumps(facts | {"stack": "another"}))
    code, said = verb(real, *sending, "--yes")
    assert (code, "got one of others" in said) == (2, True)
    record.write_text(json.dumps(facts | {"sha256": "another"}))
    code, said = verb(real, *sending, "--yes")
    assert (code, "content that submission.json describes" in said) == (2, True)
    earlier = {name: value for name, value in facts.items() if name != "format"}
    record.write_text(json.dumps(earlier | {"cv": 1.25}))
    code, said = verb(real, *sending, "--yes")
    assert (code, "Run `python -m solution run` with the same" in said) == (2, True)
    assert not calls.exists()
    assert not book(real).exists()


def test_scores_without_a_ledger(tmp_path: Path, verb: Verb):
    code, said = verb(tmp_path, "scores")
    assert code == 2
    assert "`python -m solution submit` makes one" in said
    assert "\n" not in said.strip()


def test_scores_of_one_folder_or_of_all(tmp_path: Path, verb: Verb):
    for name in ("kaggle", "fkd"):
        folder = tmp_path / "submissions" / name
        folder.mkdir(parents=True)
        (folder / "scores.csv").write_text("time,name,message,status,cv\n2026-01-01T00:00:00,a.csv,m,failed,1.25\n")
    code, said = verb(tmp_path, "scores", "--json")
    assert (code, sorted(json.loads(said))) == (0, ["fkd", "kaggle"])
    for data, name in ((tmp_path / "data", "kaggle"), (tmp_path / "x" / "fkd", "fkd")):
        assert list(json.loads(verb(tmp_path, "scores", "--json", "--data", str(data))[1])) == [name]
    code, said = verb(tmp_path, "scores", "--data", str(tmp_path / "none"))
    assert (code, "found none for --data" in said) == (2, True)


LEAKS = {
    "a download that fails": ("download", "download", "exit 1"),
    "a download without a zip": ("download", "download", "exit 0"),
    "an upload that fails": ("submit", "submit", "exit 1"),
    "an upload that fails with status 0": ("submit", "submit", "exit 0"),
    "an upload that succeeds": ("submit", "submit", SENT),
    "a list that fails": ("submit", "submissions", "exit 1"),
    "a list that is none": ("submit", "submissions", "exit 0"),
    "a refresh that fails": ("scores", "submissions", "exit 1"),
}


@pytest.mark.parametrize("case", LEAKS)
def test_no_path_shows_a_token(
    real: Path, client: Client, verb: Verb, drawn_folder: Path, monkeypatch: pytest.MonkeyPatch, case: str
):
    name, step, end = LEAKS[case]
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    client(**{step: f"echo 'with {TOKEN} /x?{SIGNATURE}'; echo 'and {TOKEN} /x?{SIGNATURE}' >&2; {end}"})
    if name == "scores":
        ledger.add(book(real), ledger.Entry(time="t", name="submission.csv", message="m", status=PENDING))
    words = {
        "download": ["--data", str(real / "new")],
        "submit": [*run(drawn_folder), "-m", "x", "--yes", "--wait", "0"],
        "scores": ["--refresh"],
    }
    code, said = verb(real, name, *words[name])
    assert (code == 0) == (end == SENT)
    assert_nothing_shown(said, real)
    assert_nothing_shown(said, real, SIGNATURE)
    if name == "submit":
        assert [line.status for line in ledger.read(book(real))] == [PENDING if end == SENT else FAILED]


def test_a_download_by_its_verb(client: Client, verb: Verb, tmp_path: Path, bundle: bytes):
    (tmp_path / "given.zip").write_bytes(bundle)
    client(download=f'cp "{tmp_path / "given.zip"}" "$6/facial-keypoints-detection.zip"')
    code, said = verb(tmp_path, "download")
    assert code == 0
    assert said.splitlines()[-1] == f"Kaggle: the competition's files are in {tmp_path / 'data'}"
    shutil.rmtree(tmp_path / "data")
