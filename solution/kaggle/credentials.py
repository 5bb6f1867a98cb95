"""The credentials of Kaggle's client (as of its release 2.2.4), and how to keep them out of all output."""

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

SECRET_LENGTH = 8  # Shortest text that is blanked as a secret. Kaggle's keys have 32 characters, its tokens more.
BLANK = "***"

_SIGNED = re.compile(r"(/[^\s?]*)\?[^\s'\")]+")
"""An address with a query. In the addresses of Kaggle's store the query gives the right to read or write the file."""


def has_credentials() -> bool:
    """Whether there are any credentials. Only a call shows whether Kaggle accepts them."""
    return bool(places())


def places() -> list[str]:
    """The places that have credentials, in the order in which the client reads them."""
    user, key = _username_and_key()
    login = _json(_home() / "credentials.json").get("refresh_token", "")
    every = {**_tokens(), "username and key": user and key, "kaggle auth login": login}
    return [place for place, secret in every.items() if secret]


def remedy() -> str:
    """What to do where Kaggle refuses the login, a sentence."""
    if not places():
        return f"No credentials are set up. {HOW}."
    return f"Kaggle did not accept the credentials of {', '.join(places())}; they may have expired. {HOW}."


def secrets() -> set[str]:
    """Every secret text: tokens and keys, and the forms in which they are sent."""
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
    """The text without these secrets and without the queries of addresses."""
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, BLANK)
    return _SIGNED.sub(rf"\1?{BLANK}", text)


def _tokens() -> dict[str, str]:
    """The token in each place for one, empty where there is none."""
    variable = os.environ.get("KAGGLE_API_TOKEN", "")
    in_notebook = "KAGGLE_KERNEL_RUN_TYPE" in os.environ and "KAGGLE_DATA_PROXY_URL" in os.environ
    return {
        "KAGGLE_API_V1_TOKEN": _text(Path(os.environ.get("KAGGLE_API_V1_TOKEN", ""))) if in_notebook else "",
        "KAGGLE_API_TOKEN": _text(Path(variable)) if _is_file(variable) else variable,
        "~/.kaggle/access_token": _text(_home() / "access_token"),
        "~/.kaggle/access_token.txt": _text(_home() / "access_token.txt"),
    }


def _username_and_key() -> tuple[str, str]:
    """The older kind of credentials, each from its variable or else from kaggle.json; empty where there is none."""
    config = _json(_config_folder() / "kaggle.json")
    return (
        os.environ.get("KAGGLE_USERNAME", config.get("username", "")),
        os.environ.get("KAGGLE_KEY", config.get("key", "")),
    )


def _home() -> Path:
    """The folder of tokens; KAGGLE_CONFIG_DIR does not change it."""
    return Path.home() / ".kaggle"


def _config_folder() -> Path:
    """The folder of kaggle.json: KAGGLE_CONFIG_DIR, else ~/.kaggle if it exists, else the XDG folder."""
    if folder := os.environ.get("KAGGLE_CONFIG_DIR"):
        return Path(folder)
    if _home().exists():
        return _home()
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "kaggle"


def _is_file(name: str) -> bool:
    """Whether a variable names a file; a token may be too long for a file's name, then it does not."""
    try:
        return bool(name) and Path(name).is_file()
    except (OSError, ValueError):
        return False


def _text(path: Path) -> str:
    """A small file's text, stripped; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _json(path: Path) -> dict[str, str]:
    """A JSON object's entries that are text; empty where it cannot be read."""
    try:
        content = json.loads(_text(path))
    except ValueError:
        return {}
    return {key: value for key, value in content.items() if isinstance(value, str)} if isinstance(content, dict) else {}
