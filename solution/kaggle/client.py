"""One call of Kaggle's client: found, run, its secrets blanked, and its complaints told with what to do about them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from solution.kaggle import PAGE, credentials
from solution.runtime.errors import UserError

LIMIT = 600
"""Seconds after which a call is given up. A submission has under 1 MB."""

INSTALL = "Install it: pip install -r requirements.txt"
LONGEST = 300
"""Most characters of the client's own words that an error quotes."""

TALKATIVE = ("VERBOSE", "VERBOSE_OUTPUT")
"""Variables that make the client print every request, credentials and all."""


class NoAnswerError(UserError):
    """The client was given up while it worked: whether Kaggle heard it is not known."""


@dataclass(frozen=True)
class Answer:
    """How the client ended and what it printed, every secret blanked."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Problem:
    """A complaint of the client: any of these signs in what it prints, and what to do about it."""

    signs: tuple[str, ...]
    remedy: Callable[[], str] | str


# The first that fits is told. A proxy's refusal also says 403, so the network comes before the rules.
PROBLEMS = (
    Problem(
        ("ModuleNotFoundError", "unrecognized arguments", "invalid choice"),
        f"The client is broken or too old. {INSTALL}.",
    ),
    Problem(("Could not submit to competition",), "The upload broke off and nothing was sent: try again."),
    Problem(
        ("NameResolutionError", "Max retries exceeded", "ConnectionError", "ProxyError", "SSLError", "timed out"),
        "Is there a network connection to www.kaggle.com? Try again with one.",
    ),
    Problem(
        ("Invalid credentials",),
        f"The login by `kaggle auth login` is no longer valid, and the client has removed it. {credentials.HOW}.",
    ),
    Problem(("daily submission",), "Kaggle takes a few a day: try again tomorrow (UTC)."),
    Problem(("Authentication required", "401 Client Error", "Unauthorized"), credentials.remedy),
    Problem(
        ("must accept", "was denied", "403 Client Error", "Forbidden"),
        f"Accept the competition's rules at {PAGE}/rules, logged in as the one whose credentials these are. "
        "If you have: the token may lack the right to it, make a new one at https://www.kaggle.com/settings/api.",
    ),
    Problem(
        ("404 Client Error", "Could not find competition", "Not Found"),
        f"See whether {PAGE} is still there; a client too old also asks in the wrong place. {INSTALL}.",
    ),
    Problem(("429 Client Error", "Too Many Requests"), "Kaggle was asked too often: try again in some minutes."),
    Problem(("Server Error",), "The trouble is on Kaggle's side: try again later."),
    Problem(("No space left on device",), "Make room on the disk, then try again."),
)


def call(*arguments: str, limit: float | None = None) -> Answer:
    """Run the client and give what it printed. limit: seconds, LIMIT if not given.

    UserError where it cannot run or ends with an error; NoAnswerError where it hangs.
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
        ) from None  # the cause holds what the client printed, secrets and all
    hidden |= credentials.secrets()  # a login made afresh writes new ones while it runs
    answer = Answer(done.returncode, credentials.blanked(done.stdout, hidden), credentials.blanked(done.stderr, hidden))
    if answer.status != 0:
        raise failure(answer)
    return answer


def failure(answer: Answer) -> UserError:
    """What the client complained of, and what to do about it."""
    # Progress bars go to stderr, and the client ends some failures with status 0 and a sentence on stdout.
    first, second = (answer.stderr, answer.stdout) if answer.status else (answer.stdout, answer.stderr)
    lines = [line.strip() for line in [*second.splitlines(), *first.splitlines()] if line.strip()]
    said, remedy = lines[-1] if lines else "nothing", f"Put that right and try again; {PAGE} shows what it takes."
    for problem in PROBLEMS:
        fitting = [line for line in lines if any(sign.lower() in line.lower() for sign in problem.signs)]
        if fitting:
            said, remedy = fitting[-1], problem.remedy if isinstance(problem.remedy, str) else problem.remedy()
            break
    return UserError(f"Kaggle's client: expected success, got status {answer.status} and '{said[:LONGEST]}'. {remedy}")


def _executable() -> str:
    """The client's path; UserError where there is none."""
    # PATH comes first so that a user's own client wins; the interpreter's folder finds that of a venv not activated.
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    client = shutil.which("kaggle", path=places)
    if client is None:
        raise UserError(f"Expected Kaggle's client, found no command `kaggle`. {INSTALL}.")
    return client


def _environment() -> dict[str, str]:
    """This process's variables, less those that make the client talk, and its text in the encoding read here."""
    return {name: value for name, value in os.environ.items() if name not in TALKATIVE} | {"PYTHONUTF8": "1"}
