"""What Kaggle's client logs in with (as of its release 2.2.4), and how to keep it out of everything that is shown."""

import base64
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

HOW = (
    "Make a token at https://www.kaggle.com/settings/api and give it as the variable KAGGLE_API_TOKEN (the token or a "
    "file with it) or in the file ~/.kaggle/access_token; or log in with `kaggle auth login`; or give an older key as "
    "KAGGLE_USERNAME and KAGGLE_KEY or as kaggle.json in ~/.kaggle"
)

SECRET_LENGTH = 8
"""Shortest text that is blanked as a secret. Kaggle's keys have 32 characters, its tokens more."""

BLANK = "***"

_SIGNED = re.compile(r"(/[^\s?]*)\?[^\s'\")]+")
"""An address with a query: the store's addresses carry in it what lets anybody fetch or write the file."""


def has_credentials() -> bool:
    """Whether there is anything the client could log in with. Whether Kaggle takes it, only a call can tell."""
    return bool(places())


def places() -> list[str]:
    """Where credentials lie, in the order in which the client looks."""
    user, key = _username_and_key()
    found = {
        **_tokens(),
        "username and key": user and key,
        "kaggle auth login": _json(_home() / "credentials.json").get("refresh_token", ""),
    }
    return [place for place, secret in found.items() if secret]


def remedy() -> str:
    """What a person can do where Kaggle lets nobody in."""
    found = places()
    if not found:
        return f"No credentials are set up. {HOW}."
    return f"Kaggle did not take the credentials given ({', '.join(found)}); they may have expired. {HOW}."


def secrets() -> set[str]:
    """Every text that nobody else may read: tokens and keys, and the forms in which they go over the line."""
    user, key = _username_and_key()
    login, config = _json(_home() / "credentials.json"), _json(_config_folder() / "kaggle.json")
    named = [
        value
        for name, value in os.environ.items()
        if name.startswith("KAGGLE_") and ("TOKEN" in name or "KEY" in name) and not _is_file(value)
    ]
    kept = [values.get(name, "") for values in (login, config) for name in ("refresh_token", "access_token", "key")]
    basic = base64.b64encode(f"{user}:{key}".encode()).decode() if key else ""
    plain = [*_tokens().values(), *named, *kept, key, basic]
    return {form for text in plain if len(text) >= SECRET_LENGTH for form in (text, quote(text, safe=""))}


def blanked(text: str, hidden: Iterable[str]) -> str:
    """The text without these secrets and without what addresses say behind their question mark."""
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, BLANK)
    return _SIGNED.sub(rf"\1?{BLANK}", text)


def _tokens() -> dict[str, str]:
    """What each place for a token holds, empty where it holds none."""
    given = os.environ.get("KAGGLE_API_TOKEN", "")
    in_notebook = "KAGGLE_KERNEL_RUN_TYPE" in os.environ and "KAGGLE_DATA_PROXY_URL" in os.environ
    return {
        "KAGGLE_API_V1_TOKEN": _text(Path(os.environ.get("KAGGLE_API_V1_TOKEN", ""))) if in_notebook else "",
        "KAGGLE_API_TOKEN": _text(Path(given)) if _is_file(given) else given,
        "~/.kaggle/access_token": _text(_home() / "access_token"),
        "~/.kaggle/access_token.txt": _text(_home() / "access_token.txt"),
    }


def _username_and_key() -> tuple[str, str]:
    """The older kind of credentials, each from its variable or else from kaggle.json; empty where not given."""
    config = _json(_config_folder() / "kaggle.json")
    return (
        os.environ.get("KAGGLE_USERNAME", config.get("username", "")),
        os.environ.get("KAGGLE_KEY", config.get("key", "")),
    )


def _home() -> Path:
    """Where the client keeps tokens, whatever KAGGLE_CONFIG_DIR says."""
    return Path.home() / ".kaggle"


def _config_folder() -> Path:
    """Where the client keeps kaggle.json: KAGGLE_CONFIG_DIR, else ~/.kaggle if it is there, else the XDG folder."""
    if wish := os.environ.get("KAGGLE_CONFIG_DIR"):
        return Path(wish)
    if _home().exists():
        return _home()
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "kaggle"


def _is_file(name: str) -> bool:
    """Whether a variable names a file; a token is too long for a name on some file systems, which is no."""
    try:
        return bool(name) and Path(name).is_file()
    except (OSError, ValueError):
        return False


def _text(path: Path) -> str:
    """A small file's text, stripped; empty where there is none that can be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _json(path: Path) -> dict[str, str]:
    """A JSON object's entries that are text; empty where there is none that can be read."""
    try:
        content = json.loads(_text(path))
    except ValueError:
        return {}
    return {key: value for key, value in content.items() if isinstance(value, str)} if isinstance(content, dict) else {}
