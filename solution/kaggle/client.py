"""Calls of Kaggle's client: find it, run it, blank secrets in its output, and add a remedy to its errors."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from solution.kaggle import PAGE, credentials
from solution.runtime.errors import UserError

LIMIT = 600  # Seconds after which a call is stopped. A submission has under 1 MB.
INSTALL = "Install it: pip install -r requirements.txt"
LONGEST = 300  # most characters of the client's output that an error quotes

TALKATIVE = ("VERBOSE", "VERBOSE_OUTPUT")  # variables that make the client print every request, with the credentials


class NoAnswerError(UserError):
    """The client was stopped while it worked: it is not known whether Kaggle received the request."""


@dataclass(frozen=True)
class Answer:
    """The client's exit status and output, with all secrets blanked."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Problem:
    """A known error of the client."""

    signs: tuple[str, ...]  # texts of which any shows the error, in lower or upper case
    remedy: Callable[[], str] | str  # what to do about it, a sentence or a function that returns one


# The first that fits is reported. A proxy's refusal also contains 403, so the network comes before the rules.
PROBLEMS = (
    Problem(
        ("ModuleNotFoundError", "unrecognized arguments", "invalid choice"),
        f"The client is broken or too old. {INSTALL}.",
    ),
    Problem(("Could not submit to competition",), "The upload was interrupted and nothing was sent: try again."),
    Problem(
        ("NameResolutionError", "Max retries exceeded", "ConnectionError", "ProxyError", "SSLError", "timed out"),
        "Is there a network connection to www.kaggle.com? Try again with one.",
    ),
    Problem(
        ("Invalid credentials",),
        f"The login by `kaggle auth login` is no longer valid, and the client has removed it. {credentials.HOW}.",
    ),
    Problem(("daily submission",), "Kaggle accepts a few a day: try again tomorrow (UTC)."),
    Problem(("Authentication required", "401 Client Error", "Unauthorized"), credentials.remedy),
    Problem(
        ("must accept", "was denied", "403 Client Error", "Forbidden"),
        f"Accept the competition's rules at {PAGE}/rules, logged in to the account of these credentials. "
        "If you have done that, the token may lack the right: make a new one at https://www.kaggle.com/settings/api.",
    ),
    Problem(
        ("404 Client Error", "Could not find competition", "Not Found"),
        f"Check whether {PAGE} is still there. A client that is too old asks in the wrong place. {INSTALL}.",
    ),
    Problem(("429 Client Error", "Too Many Requests"), "There were too many requests: try again in some minutes."),
    Problem(("Server Error",), "The error is on Kaggle's side: try again later."),
    Problem(("No space left on device",), "Make room on the disk, then try again."),
)


def call(*arguments: str, limit: float | None = None) -> Answer:
    """Run the client and return its output. limit: seconds, LIMIT by default.

    UserError where it cannot run or ends with an error; NoAnswerError where it takes longer.
    """
    hidden = credentials.secrets()
    client = _executable()
    try:
        done = subprocess.run(
            [client, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit or LIMIT,
            env=_environment(),
        )
    except OSError as error:
        raise UserError(
            f"{client}: expected Kaggle's client, it cannot be run: {error.strerror}. {INSTALL}."
        ) from error
    except subprocess.TimeoutExpired:
        raise NoAnswerError(
            f"Kaggle's client: expected an answer within {limit or LIMIT:g} s, got none. Try again."
        ) from None  # the cause contains the client's output with its secrets
    hidden |= credentials.secrets()  # a new login writes new secrets while the client runs
    answer = Answer(done.returncode, credentials.blanked(done.stdout, hidden), credentials.blanked(done.stderr, hidden))
    if answer.status != 0:
        raise failure(answer)
    return answer


def failure(answer: Answer) -> UserError:
    """The client's error with a remedy."""
    # Progress bars go to stderr, and some failures end with status 0 and a sentence on stdout.
    first, second = (answer.stderr, answer.stdout) if answer.status else (answer.stdout, answer.stderr)
    lines = [line.strip() for line in [*second.splitlines(), *first.splitlines()] if line.strip()]
    reason, remedy = lines[-1] if lines else "nothing", f"Correct that and try again; {PAGE} shows the requirements."
    for problem in PROBLEMS:
        matches = [line for line in lines if any(sign.lower() in line.lower() for sign in problem.signs)]
        if matches:
            reason, remedy = matches[-1], problem.remedy if isinstance(problem.remedy, str) else problem.remedy()
            break
    return UserError(
        f"Kaggle's client: expected success, got status {answer.status} and '{reason[:LONGEST]}'. {remedy}"
    )


def _executable() -> str:
    """The client's path; UserError where there is none."""
    # PATH comes first, for a client that the user installed. The interpreter's folder has that of an inactive venv.
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    client = shutil.which("kaggle", path=places)
    if client is None:
        raise UserError(f"Expected Kaggle's client, got no command `kaggle`. {INSTALL}.")
    return client


def _environment() -> dict[str, str]:
    """This process's variables without TALKATIVE, and UTF-8 as the encoding."""
    return {name: value for name, value in os.environ.items() if name not in TALKATIVE} | {"PYTHONUTF8": "1"}
