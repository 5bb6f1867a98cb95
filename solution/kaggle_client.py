"""Kaggle's official command line client, always as a process of its own.

The `kaggle` package logs in while it is imported and may end the process that imports it, so it is never imported
here. What the client prints is shown to the user only after every secret it could have used has been blanked.
"""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from solution.data.competition import Competition
from solution.errors import UserError
from solution.submission import check_submission

COMPETITION = "facial-keypoints-detection"
PAGE = f"https://www.kaggle.com/c/{COMPETITION}"
LEDGER = "scores.csv"
LEDGER_COLUMNS = ["time", "name", "message", "status", "cv"]
TIMEOUT = 600
"""Seconds after which a call of the client is given up: the download is 80 MB, a submission under 1 MB."""

SECRET_LENGTH = 8
"""Shortest text that is blanked as a secret. Kaggle's keys have 32 characters, its tokens more."""

SAYS_SENT = "successfully submitted"

LOG_IN = (
    "Make a token at https://www.kaggle.com/settings/api and put it into KAGGLE_API_TOKEN or ~/.kaggle/access_token, "
    "or log in with `kaggle auth login`"
)
REMEDIES = (
    (("Authentication required", "401 Client Error", "Unauthorized", "Invalid credentials"), f"{LOG_IN}."),
    (
        ("403 Client Error", "Forbidden", "must accept"),
        f"Accept the competition's rules at {PAGE}/rules. If you have: {LOG_IN}.",
    ),
    (
        ("NameResolutionError", "Max retries exceeded", "ConnectionError", "ProxyError", "timed out"),
        "Is there a network connection to www.kaggle.com? Try again with one.",
    ),
)


def has_credentials() -> bool:
    """Whether there is anything the client could log in with. Whether Kaggle takes it, only a call can tell."""
    return bool(_tokens()) or all(_username_and_key())


def download(folder: Path) -> Path:
    """Fetch the competition's files as one zip into `folder`; give the zip's path.

    UserError with the remedy: no client, no credentials, rules not accepted, no network, or a broken download.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder}: expected a folder to download to, got: {error.strerror}. Name another one."
        ) from error
    _call(["competitions", "download", "-c", COMPETITION, "-p", str(folder)])
    archive = folder / f"{COMPETITION}.zip"
    if not zipfile.is_zipfile(archive):
        raise UserError(
            f"{archive}: expected the competition's zip after the download, it is missing or cut off. "
            f"Delete it and download again, or fetch it by hand from {PAGE}/data."
        )
    return archive


def submit(path: Path, competition: Competition, message: str) -> str:
    """Hand a checked submission to Kaggle; give the client's answer. Every try is a row in the ledger beside the file.

    UserError for drawn faces, for a file that differs from its record, and for every answer but a clear success:
    such a try is entered as failed, never as sent.
    """
    if competition.drawn:
        raise UserError(
            f"{path}: expected a submission for Kaggle's pictures, got one for drawn faces, which Kaggle cannot score. "
            "Run the stages on the competition's files first."
        )
    cv = check_submission(path, competition).get("cv")
    try:
        done = _call(["competitions", "submit", "-c", COMPETITION, "-f", str(path), "-m", message])
        if SAYS_SENT not in done.stdout.lower():
            raise _failure(done)
    except UserError:
        _enter(path, message, "failed", cv)
        raise
    _enter(path, message, "sent", cv)
    return _last_line(done.stdout)


def _call(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the client and give what it printed. UserError where it cannot run, hangs, or ends with an error."""
    # PATH comes first so that a user's own client wins; the interpreter's folder finds that of a venv not activated.
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    client = shutil.which("kaggle", path=places)
    if client is None:
        raise UserError("Expected Kaggle's client, found no command `kaggle`. Install it: pip install kaggle.")
    try:
        done = subprocess.run(
            [client, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
        )
    except OSError as error:
        raise UserError(
            f"{client}: expected Kaggle's client, it cannot be run: {error.strerror}. Install it: pip install kaggle."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"Kaggle's client: expected an answer within {TIMEOUT} s, got none. "
            f"See at {PAGE}/submissions whether anything arrived, then try again."
        ) from error
    if done.returncode != 0:
        raise _failure(done)
    return done


def _failure(done: subprocess.CompletedProcess[str]) -> UserError:
    """What the client complained of, as its last line, and what to do about it."""
    # Progress bars go to stderr, and the client ends some failures with status 0 and a sentence on stdout.
    first, second = (done.stderr, done.stdout) if done.returncode else (done.stdout, done.stderr)
    said = _last_line(first) or _last_line(second) or "nothing"
    everything = done.stdout + done.stderr
    fitting = (remedy for signs, remedy in REMEDIES if any(sign in everything for sign in signs))
    remedy = next(fitting, f"Put that right and try again; {PAGE} shows what the competition still takes.")
    return UserError(f"Kaggle's client: expected success, got status {done.returncode} and '{said}'. {remedy}")


def _last_line(text: str) -> str:
    """The last line that says something, secrets blanked."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    for secret in [*_tokens(), _username_and_key()[1]]:
        if len(secret) >= SECRET_LENGTH:
            last = last.replace(secret, "***")
    return last


def _enter(path: Path, message: str, status: str, cv: float | None) -> None:
    """Append a try to the ledger."""
    ledger = path.parent / LEDGER
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if not ledger.exists():
        writer.writerow(LEDGER_COLUMNS)
    writer.writerow([datetime.now(UTC).isoformat(timespec="seconds"), path.name, message, status, cv])
    with ledger.open("a", encoding="utf-8") as handle:
        handle.write(text.getvalue())


def _tokens() -> list[str]:
    """Every token in the places where the client looks for one (as of its release 2.2.4)."""
    home = Path.home() / ".kaggle"
    given = os.environ.get("KAGGLE_API_TOKEN", "")
    login = _json(home / "credentials.json")
    tokens = [
        _text(Path(given)) or given,  # the variable may hold the token or name a file that does
        _text(home / "access_token"),
        _text(home / "access_token.txt"),
        login.get("refresh_token", ""),
        login.get("access_token", ""),
    ]
    return [token for token in tokens if token]


def _username_and_key() -> tuple[str, str]:
    """The older kind of credentials, each from its variable or else from kaggle.json; empty where not given."""
    config = _json(_config_folder() / "kaggle.json")
    return (
        os.environ.get("KAGGLE_USERNAME", config.get("username", "")),
        os.environ.get("KAGGLE_KEY", config.get("key", "")),
    )


def _config_folder() -> Path:
    """Where the client keeps kaggle.json: KAGGLE_CONFIG_DIR, else ~/.kaggle if it is there, else the XDG folder."""
    if wish := os.environ.get("KAGGLE_CONFIG_DIR"):
        return Path(wish)
    home = Path.home()
    if (home / ".kaggle").exists():
        return home / ".kaggle"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"


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
