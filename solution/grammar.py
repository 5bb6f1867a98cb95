"""The command line's grammar: verbs with options that explain themselves, and usage errors of one line."""

import argparse
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

from solution import __version__, commands
from solution.errors import suggestion

LIBRARIES = ("torch", "timm", "lightgbm", "numpy")
"""Those that decide what a run computes: what a report of a fault should name."""


class _Parser(argparse.ArgumentParser):
    """Ends a wrong command with 2 and one line on stderr: the usage, a dozen lines for some verbs, hides the reason."""

    def error(self, message: str) -> NoReturn:
        ending = "" if message.endswith((".", "?")) else "."
        self.exit(2, f"error: {message}{ending} See `{self.prog} --help`.\n")

    def parse_known_args(
        self,
        args: Iterable[str] | None = None,
        namespace: Any = None,  # noqa: ANN401 - argparse puts the options into any object
    ) -> tuple[Any, list[str]]:
        """As argparse's, but nothing unknown is passed on: the verb itself knows what was meant."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            hint = suggestion(unknown[0].split("=")[0], self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}. {hint}".strip())
        return options, unknown


class _Version(argparse.Action):
    """Looks the versions up when asked for, not whenever the grammar is made."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(versions())
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = _Parser(
        prog="python -m solution",
        description="From the files of Kaggle's Facial Keypoints Detection to a submission.",
    )
    top.add_argument(
        "--version",
        action=_Version,
        nargs=0,
        default=argparse.SUPPRESS,
        help="show the versions of code and libraries, and exit",
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in commands.ORDER:
        _add(verbs, name)
    return top


def _add(verbs: "argparse._SubParsersAction[_Parser]", name: str) -> None:
    module = commands.load(name)
    verb = module.VERB
    one = verbs.add_parser(
        name,
        help=verb.help,
        description=f"{verb.help[0].upper()}{verb.help[1:]}. Needs: {verb.needs}. Makes: {verb.makes}.",
        epilog="\n".join(["examples:", *(f"  python -m solution {example}" for example in verb.examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.options(one)


def parse(grammar: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """The words as options. Ends the program with 2 and one line where they are wrong; a misspelt verb gets a hint."""
    if words and not words[0].startswith("-") and words[0] not in commands.ORDER:
        hint = suggestion(words[0], commands.ORDER) or f"There are: {', '.join(commands.ORDER)}."
        grammar.error(f"VERB: invalid choice: {words[0]!r}. {hint}")
    return grammar.parse_args(words)


def versions() -> str:
    """This code's version and those of what it stands on, in one line. Imports none of them."""
    libraries = ", ".join(f"{name} {_installed(name)}" for name in LIBRARIES)
    return f"facial-keypoints {__version__} (python {platform.python_version()}, {libraries})"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
