"""Errors a person can act on. The command line prints the message alone and exits with 2."""

from collections.abc import Collection
from difflib import get_close_matches

STOPPED = 130
"""The exit code that a shell expects of a program ended by Ctrl-C."""


class UserError(Exception):
    """What was expected, what came, and what to do next; with the file and row where there is one."""


def suggestion(word: str, known: Collection[str], before: str = "") -> str:
    """What a misspelt word was meant to be, as a question; empty where nothing that is known comes near.

    before: what stands before the word where it is written, such as the recipe before an ablation's name.
    """
    near = get_close_matches(word.lower(), known, n=1)
    return f"Did you mean {before}{near[0]}?" if near else ""


UPDATE = "Update the code (`git pull`)"
"""What to do with a file that a later version of the code wrote."""


def is_later(found: object, ours: int) -> bool:
    """Whether a file's format number is one that a later version of the code writes."""
    return isinstance(found, int) and found > ours
