import json
import sys
from pathlib import Path

import pytest

from solution.kaggle import COMPETITION
from solution.kaggle.client import Answer, NoAnswerError, call, failure
from solution.runtime.errors import UserError
from tests.kaggle.conftest import Client
from tests.kaggle.stand_in import REFRESH, TOKEN, USER, StandIn

COMPLAINTS = {
    "rules, told by status": ("403 Client Error: Forbidden for url: https://x/y", "Accept the competition's rules at"),
    "rules, told in words": ("You must accept this competition's rules first.", "Accept the competition's rules at"),
    "a right that lacks": ("Permission 'competitions.get' was denied", "Accept the competition's rules at"),
    "no credentials": ("Authentication required to call the Kaggle API.", "No credentials are set up."),
    "refused credentials": ("401 Client Error: Unauthorized for url: https://x", "No credentials are set up."),
    "no network": ("Max retries exceeded (NameResolutionError)", "network connection"),
    "a proxy that refuses": ("ProxyError('Tunnel connection failed: 403 Forbidden')", "network connection"),
    "a slow network": ("HTTPSConnectionPool: Read timed out.", "network connection"),
    "gone": ("404 Client Error: Not Found for url: https://x", "is still there"),
    "too many a day": ("Your team has used its daily Submission allowance (5) today", "tomorrow (UTC)"),
    "too often": ("429 Client Error: Too Many Requests for url: https://x", "in some minutes"),
    "Kaggle down": ("503 Server Error: Service Unavailable for url: https://x", "on Kaggle's side"),
    "upload broken off": ("Could not submit to competition", "nothing was sent: try again"),
    "a full disk": ("[Errno 28] No space left on device", "Make room on the disk"),
    "half a client": ("ModuleNotFoundError: No module named 'six'", "pip install -r requirements.txt"),
    "an old client": ("kaggle: error: unrecognized arguments: --page-size 100", "too old"),
    "anything else": ("the moon is full", "Correct that and try again"),
}


@pytest.mark.parametrize("complaint", COMPLAINTS)
@pytest.mark.parametrize("status", [0, 1])
def test_an_error_is_quoted_with_a_remedy(complaint: str, status: int):
    said, remedy = COMPLAINTS[complaint]
    chatter = "Warning: Looks like you're using an outdated version\n"
    for answer in (Answer(status, f"{chatter}{said}\n", "100%|####| 1k/1k\r"), Answer(status, chatter, f"{said}\n")):
        message = str(failure(answer))
        assert message.startswith(f"Kaggle's client: expected success, got status {status} and '")
        if complaint != "anything else" or answer.stderr.startswith(said) == bool(status):
            assert f"and '{said}'" in message
        assert remedy in message or complaint == "anything else"
        assert "\n" not in message


def test_an_empty_output_is_an_error():
    assert "status 0 and 'nothing'" in str(failure(Answer(0, "\n", "")))


def test_a_long_error_is_cut():
    assert len(str(failure(Answer(1, "", "x" * 5000)))) < 600


def test_a_success_gives_what_was_printed(client: Client):
    client(submit="echo 'as you wish: ü'; echo 'no bar' >&2")
    assert call("competitions", "submit") == Answer(0, "as you wish: ü\n", "no bar\n")


@pytest.mark.parametrize("known", [True, False])
def test_a_login_in_the_browser(site: StandIn, home: Path, monkeypatch: pytest.MonkeyPatch, known: bool):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    login = home / ".kaggle" / "credentials.json"
    login.parent.mkdir()
    login.write_text(json.dumps({"refresh_token": REFRESH if known else REFRESH[::-1], "username": USER}))
    if known:
        assert "No submissions found" in call("competitions", "submissions", "-c", COMPETITION).stdout
        assert json.loads(login.read_text())["access_token"] == TOKEN
    else:
        with pytest.raises(UserError, match="is no longer valid, and the client has removed it"):
            call("competitions", "submissions", "-c", COMPETITION)
        assert not login.exists()


@pytest.mark.parametrize("place", ["variable", "file", "key"])
@pytest.mark.parametrize("status", [0, 1])
def test_secrets_are_blanked(client: Client, home: Path, monkeypatch: pytest.MonkeyPatch, place: str, status: int):
    if place == "file":
        (home / ".kaggle").mkdir()
        (home / ".kaggle" / "access_token").write_text(f"{TOKEN}\n")
    else:
        monkeypatch.setenv("KAGGLE_API_TOKEN" if place == "variable" else "KAGGLE_KEY", TOKEN)
    client(submit=f"echo 'out {TOKEN}'; echo 'no user has {TOKEN}' >&2; exit {status}")
    if status:
        with pytest.raises(UserError, match=r"no user has \*\*\*") as caught:
            call("competitions", "submit")
        assert TOKEN not in str(caught.value)
    else:
        assert call("competitions", "submit") == Answer(0, "out ***\n", "no user has ***\n")


def test_a_token_that_the_client_has_made_itself_is_blanked(client: Client, home: Path):
    login = home / ".kaggle" / "credentials.json"
    client(submit=f"mkdir -p '{login.parent}'; echo '{{\"access_token\": \"{TOKEN}\"}}' > '{login}'; echo got {TOKEN}")
    assert call("competitions", "submit").stdout == "got ***\n"


def test_the_client_prints_no_requests(client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VERBOSE", "1")
    monkeypatch.setenv("VERBOSE_OUTPUT", "1")
    client(submit='echo "[$VERBOSE$VERBOSE_OUTPUT]"')
    assert call("competitions", "submit").stdout == "[]\n"


def test_a_client_that_hangs_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    client(submit=f"echo {TOKEN}; exec sleep 20")
    with pytest.raises(NoAnswerError, match=r"within 0\.3 s") as caught:
        call("competitions", "submit", limit=0.3)
    assert caught.value.__cause__ is None


def test_no_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UserError, match=r"no command `kaggle`\. Install it: pip install"):
        call("competitions", "submit")


def test_a_client_that_cannot_run(client: Client, tmp_path: Path):
    client()
    (tmp_path / "bin" / "kaggle").write_text("#!/no/such/interpreter\n")
    with pytest.raises(UserError, match="cannot be run"):
        call("competitions", "submit")


def test_the_interpreters_own_client_is_found(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    client(submit="echo 'this very client'")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    assert call("competitions", "submit").stdout == "this very client\n"
