"""Errors that a user can fix. The command line prints the message alone and exits with 2."""

from collections.abc import Collection
from difflib import get_close_matches

STOPPED = 130
"""The exit code of a program that Ctrl-C ended."""


class UserError(Exception):
    """Its message has what was expected, what was found, and what to do next, with the file and row if there is one."""


def suggestion(word: str, known: Collection[str], before: str = "") -> str:
    """The known word nearest to a misspelt one, as a question; empty if none is near.

    before: a prefix of the word, such as the recipe before an ablation's name.
    """
    near = get_close_matches(word.lower(), known, n=1)
    return f"Did you mean {before}{near[0]}?" if near else ""


UPDATE = "Update the code (`git pull`)"
"""What to do with a file that a later version of the code wrote."""


def is_later(found: object, ours: int) -> bool:
    """Whether a file's format number is one that a later version of the code writes."""
    return isinstance(found, int) and found > ours
