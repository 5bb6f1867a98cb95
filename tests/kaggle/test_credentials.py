import base64
from pathlib import Path

import pytest

from solution.kaggle.credentials import blanked, has_credentials, places, remedy, secrets
from tests.kaggle.stand_in import KEY, TOKEN, USER


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("file_name", "text", "want"),
    [
        (".kaggle/access_token", TOKEN, ["~/.kaggle/access_token"]),
        (".kaggle/access_token.txt", TOKEN, ["~/.kaggle/access_token.txt"]),
        (".kaggle/access_token", "\n", []),
        (".kaggle/kaggle.json", '{"username": "me", "key": "0123456789abcdef"}', ["username and key"]),
        (".kaggle/kaggle.json", '{"username": "me"}', []),
        (".kaggle/kaggle.json", "{", []),
        (".kaggle/kaggle.json", "[]", []),
        (".kaggle/credentials.json", '{"refresh_token": "0123456789", "scopes": []}', ["kaggle auth login"]),
        (".kaggle/credentials.json", '{"access_token": "0123456789"}', []),
        (".config/kaggle/kaggle.json", '{"username": "me", "key": "0123456789abcdef"}', ["username and key"]),
    ],
)
def test_credentials_in_files(home: Path, file_name: str, text: str, want: list[str]):
    assert not has_credentials()
    _write(home / file_name, text)
    assert places() == want
    assert has_credentials() is bool(want)


def test_credentials_in_variables(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAGGLE_USERNAME", USER)
    assert not has_credentials()
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    assert places() == ["username and key"]
    monkeypatch.delenv("KAGGLE_USERNAME")
    assert not has_credentials()
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    assert places() == ["KAGGLE_API_TOKEN"]


def test_a_variable_may_name_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(tmp_path / "token"))
    _write(tmp_path / "token", f"{TOKEN}\n")
    assert has_credentials()
    assert TOKEN in secrets()
    assert str(tmp_path / "token") not in secrets()
    _write(tmp_path / "token", "")
    assert not has_credentials()


def test_credentials_in_a_named_folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch):
    _write(tmp_path / "mine" / "kaggle.json", '{"username": "me", "key": "0123456789abcdef"}')
    assert not has_credentials()
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "mine"))
    assert has_credentials()
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(home))
    _write(home / ".kaggle" / "kaggle.json", '{"username": "me", "key": "0123456789abcdef"}')
    assert not has_credentials()  # the named folder stands in for the usual one


def test_in_a_notebook_kaggle_gives_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _write(tmp_path / "v1", TOKEN)
    monkeypatch.setenv("KAGGLE_API_V1_TOKEN", str(tmp_path / "v1"))
    assert not has_credentials()
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    monkeypatch.setenv("KAGGLE_DATA_PROXY_URL", "https://somewhere")
    assert places() == ["KAGGLE_API_V1_TOKEN"]
    assert TOKEN in secrets()


def test_every_secret_is_known_in_every_form(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAGGLE_USERNAME", USER)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    monkeypatch.setenv("KAGGLE_API_TOKEN", f"{TOKEN}/+")
    monkeypatch.setenv("KAGGLE_IAP_TOKEN", "iap-0123456789")
    _write(home / ".kaggle" / "credentials.json", '{"refresh_token": "refresh-0123", "access_token": "access-0123"}')
    _write(home / ".kaggle" / "kaggle.json", '{"username": "old", "key": "old-key-0123456789"}')
    basic = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
    want = {KEY, f"{TOKEN}/+", f"{TOKEN}%2F%2B", "iap-0123456789", "refresh-0123", "access-0123", basic}
    assert want | {"old-key-0123456789"} <= secrets()
    assert USER not in secrets()


def test_short_words_are_no_secrets(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAGGLE_KEY", "the")
    assert "the" not in secrets()


def test_blanking():
    text = "url: https://store/x.zip?X-Goog-Signature=12ab&d=1 with key long-secret, secret (Caused by /a?b=c)"
    want = "url: https://store/x.zip?*** with key ***, *** (Caused by /a?***)"
    assert blanked(text, ["secret", "long-secret"]) == want
    assert blanked("Is it there? Yes", []) == "Is it there? Yes"


def test_the_remedy_lists_every_way_to_give_credentials(monkeypatch: pytest.MonkeyPatch):
    ways = ("KAGGLE_API_TOKEN", "~/.kaggle/access_token", "`kaggle auth login`", "KAGGLE_USERNAME", "kaggle.json")
    assert remedy().startswith("No credentials are set up.")
    assert all(way in remedy() for way in ways)
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    assert remedy().startswith("Kaggle did not accept the credentials of KAGGLE_API_TOKEN")
    assert all(way in remedy() for way in ways)
    assert TOKEN not in remedy()
