"""The command line's parser: verbs with options that explain themselves, and usage errors of one line."""

import argparse
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from solution import __version__
from solution.cli import EARLIER_NAMES, FAMILY, ORDER
from solution.runtime.errors import suggestion


@dataclass(frozen=True)
class Command:
    """What a verb says of itself, needs and makes, and how it is used: what follows `python -m solution`.

    options: adds its own to a parser. run: does it, below a root; its exit code, None for 0.
    """

    help: str
    needs: str
    makes: str
    examples: tuple[str, ...]
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Path], int | None]


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """What names a run: its data, its scale, and how it computes."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with the competition's files")
    parser.add_argument("--scale", help="smoke, cpu or full (default: full with a GPU, cpu without, smoke if drawn)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_argument("--jobs", type=int, metavar="N", help="trainings at once (default: one a core, or one a GPU)")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--weights", type=Path, metavar="DIR", help="BACKBONE.safetensors files of ImageNet (default: timm's hub)"
    )
    source.add_argument("--no-pretrained", action="store_true", help="start every recipe from random weights")
    duplicates = "write a third submission with the labels of training pictures that are in the test file, too"
    parser.add_argument("--use-duplicates", "--use-twins", action="store_true", help=duplicates)
    parser.set_defaults(executor="local")


def add_executor_option(parser: argparse.ArgumentParser) -> None:
    """Where trainings run. After `add_run_options`, which has the default."""
    where = (
        "where trainings run: local, ray (a cluster of this machine alone), ray:HOST:PORT or ray:auto (default: local)"
    )
    parser.add_argument("--executor", metavar="WHERE", help=where)


def load_command(name: str) -> Command:
    """The verb, from its family's file."""
    return import_module(f"solution.cli.{FAMILY[name]}").COMMANDS[name]


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
    commands = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in ORDER:
        _add(commands, name)
    return top


def _add(commands: "argparse._SubParsersAction[_Parser]", name: str) -> None:
    command = load_command(name)
    one = commands.add_parser(
        name,
        help=command.help,
        description=f"{command.help[0].upper()}{command.help[1:]}. Needs: {command.needs}. Makes: {command.makes}.",
        epilog="\n".join(["examples:", *(f"  python -m solution {example}" for example in command.examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.options(one)


def parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """The words as options. Ends the program with 2 and one line where they are wrong; a misspelt verb gets a hint."""
    words = [EARLIER_NAMES.get(words[0], words[0]), *words[1:]] if words else words
    if words and not words[0].startswith("-") and words[0] not in ORDER:
        hint = suggestion(words[0], ORDER) or f"There are: {', '.join(ORDER)}."
        parser.error(f"VERB: invalid choice: {words[0]!r}. {hint}")
    return parser.parse_args(words)


def versions() -> str:
    """This code's version and those of what it stands on, in one line. Imports none of them."""
    libraries = ", ".join(f"{name} {_installed(name)}" for name in LIBRARIES)
    return f"facial-keypoints {__version__} (python {platform.python_version()}, {libraries})"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
