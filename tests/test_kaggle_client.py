import csv
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from solution import kaggle_client
from solution.data.competition import Competition
from solution.errors import UserError
from solution.kaggle_client import COMPETITION, download, has_credentials, submit
from solution.submission import write_submission
from tests.small import predicted, small_competition

TOKEN = "KGAT_0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and no Kaggle settings, so that nobody's own credentials are seen."""
    for name in [name for name in os.environ if name.startswith(("KAGGLE_", "XDG_"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a `kaggle` of these shell lines first on PATH; give the file that takes down what it was called with."""

    def install(lines: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        calls = tmp_path / "calls"
        script = folder / "kaggle"
        script.write_text(f'#!/bin/sh\nfor word in "$@"; do echo "$word" >> \'{calls}\'; done\n{lines}\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return calls

    return install


@pytest.fixture
def competition() -> Competition:
    return small_competition(drawn=False)[0]


@pytest.fixture
def file(tmp_path: Path, competition: Competition) -> Path:
    return write_submission(tmp_path / "sub" / "best.csv", competition, predicted(small_competition()[1]), {"cv": 1.25})


def ledger(file: Path) -> list[dict[str, str]]:
    path = file.parent / "scores.csv"
    if not path.exists():
        return []
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_a_success_is_entered_as_sent(client: Callable[[str], Path], file: Path, competition: Competition) -> None:
    calls = client("echo '9 submissions remaining today.'; echo 'Successfully submitted to Facial Keypoints Detection'")
    answer = submit(file, competition, "five folds, stacked")
    assert answer == "Successfully submitted to Facial Keypoints Detection"
    want = ["competitions", "submit", "-c", COMPETITION, "-f", str(file), "-m", "five folds, stacked"]
    assert calls.read_text().splitlines() == want
    submit(file, competition, "again")
    rows = ledger(file)
    assert [list(row)[1:] for row in rows] == [["name", "message", "status", "cv"]] * 2
    assert [row["message"] for row in rows] == ["five folds, stacked", "again"]
    assert {row["status"] for row in rows} == {"sent"}
    assert {row["name"] for row in rows} == {"best.csv"}
    assert {row["cv"] for row in rows} == {"1.25"}


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


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_never_counts_as_sent(
    client: Callable[[str], Path], file: Path, competition: Competition, failure: str
) -> None:
    lines, message = FAILURES[failure]
    client(lines)
    with pytest.raises(UserError) as caught:
        submit(file, competition, "try")
    assert message in str(caught.value)
    assert [row["status"] for row in ledger(file)] == ["failed"]


@pytest.mark.parametrize("place", ["variable", "file", "key"])
def test_secrets_are_blanked(
    client: Callable[[str], Path],
    file: Path,
    competition: Competition,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    if place == "file":
        (home / ".kaggle").mkdir()
        (home / ".kaggle" / "access_token").write_text(f"{TOKEN}\n")
    else:
        monkeypatch.setenv("KAGGLE_API_TOKEN" if place == "variable" else "KAGGLE_KEY", TOKEN)
    client(f"echo 'no user has {TOKEN}' >&2; exit 1")
    with pytest.raises(UserError, match=r"no user has \*\*\*") as caught:
        submit(file, competition, "try")
    assert TOKEN not in str(caught.value)
    assert TOKEN not in (file.parent / "scores.csv").read_text()


def test_drawn_faces_are_refused(client: Callable[[str], Path], tmp_path: Path) -> None:
    calls = client("echo Successfully submitted")
    drawn, truth = small_competition(drawn=True)
    file = write_submission(tmp_path / "drawn.csv", drawn, predicted(truth), {})
    with pytest.raises(UserError, match="drawn faces"):
        submit(file, drawn, "try")
    assert not calls.exists()
    assert ledger(file) == []


def test_a_changed_file_is_refused(client: Callable[[str], Path], file: Path, competition: Competition) -> None:
    calls = client("echo Successfully submitted")
    rows = file.read_text().splitlines()
    file.write_text("\n".join([rows[0], "1,1.0", *rows[2:]]) + "\n")
    with pytest.raises(UserError, match=r"content that best\.json describes"):
        submit(file, competition, "try")
    assert not calls.exists()
    assert ledger(file) == []


def test_a_client_that_hangs_is_given_up(
    client: Callable[[str], Path], file: Path, competition: Competition, monkeypatch: pytest.MonkeyPatch
) -> None:
    client("exec sleep 20")
    monkeypatch.setattr(kaggle_client, "TIMEOUT", 0.3)
    with pytest.raises(UserError, match=r"within 0\.3 s"):
        submit(file, competition, "try")
    assert [row["status"] for row in ledger(file)] == ["failed"]


def test_no_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UserError, match="pip install kaggle"):
        download(tmp_path / "data")


def test_a_client_that_cannot_run(client: Callable[[str], Path], tmp_path: Path) -> None:
    client("")
    (tmp_path / "bin" / "kaggle").write_text("#!/no/such/interpreter\n")
    with pytest.raises(UserError, match="cannot be run"):
        download(tmp_path / "data")


def test_the_interpreters_own_client_is_found(
    client: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client("echo 'this very client' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    with pytest.raises(UserError, match="this very client"):
        download(tmp_path / "data")


def test_download_gives_the_zip(client: Callable[[str], Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "given.zip", "w") as handle:
        handle.writestr("IdLookupTable.csv", "RowId\n")
    calls = client(f"cp '{tmp_path / 'given.zip'}' \"$6/{COMPETITION}.zip\"")
    archive = download(tmp_path / "data")
    assert archive.read_bytes() == (tmp_path / "given.zip").read_bytes()
    assert calls.read_text().splitlines() == [
        "competitions",
        "download",
        "-c",
        COMPETITION,
        "-p",
        str(tmp_path / "data"),
    ]


def test_a_download_that_brings_no_zip(client: Callable[[str], Path], tmp_path: Path) -> None:
    client(f'printf cut > "$6/{COMPETITION}.zip"')
    with pytest.raises(UserError, match="missing or cut off"):
        download(tmp_path / "data")


def test_a_download_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(UserError, match="expected a folder to download to"):
        download(tmp_path / "data")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("file_name", "text", "want"),
    [
        (".kaggle/access_token", TOKEN, True),
        (".kaggle/access_token.txt", TOKEN, True),
        (".kaggle/access_token", "\n", False),
        (".kaggle/kaggle.json", '{"username": "me", "key": "0123456789abcdef"}', True),
        (".kaggle/kaggle.json", '{"username": "me"}', False),
        (".kaggle/kaggle.json", "{", False),
        (".kaggle/kaggle.json", "[]", False),
        (".kaggle/credentials.json", '{"refresh_token": "0123456789abcdef", "scopes": []}', True),
        (".config/kaggle/kaggle.json", '{"username": "me", "key": "0123456789abcdef"}', True),
    ],
)
def test_credentials_in_files(home: Path, file_name: str, text: str, want: bool) -> None:
    assert not has_credentials()
    _write(home / file_name, text)
    assert has_credentials() is want


def test_credentials_in_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    assert not has_credentials()
    monkeypatch.setenv("KAGGLE_KEY", "0123456789abcdef")
    assert has_credentials()
    monkeypatch.delenv("KAGGLE_USERNAME")
    assert not has_credentials()
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    assert has_credentials()


def test_credentials_in_a_named_folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / "mine" / "kaggle.json", '{"username": "me", "key": "0123456789abcdef"}')
    assert not has_credentials()
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "mine"))
    assert has_credentials()
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(home))
    _write(home / ".kaggle" / "kaggle.json", '{"username": "me", "key": "0123456789abcdef"}')
    assert not has_credentials()  # the named folder stands in for the usual one
