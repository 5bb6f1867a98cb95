"""The parser of the command line. Each command explains its options; a wrong command ends with an error of one line."""

import argparse
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from solution import __version__
from solution.cli import EARLIER_NAMES, FAMILY
from solution.runtime.errors import suggestion

LIBRARIES = ("torch", "timm", "lightgbm", "numpy")
"""The libraries that `--version` names: a run's figures depend on them."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of `python -m solution`."""

    help: str
    """What it does, as one line that starts with a verb."""
    needs: str
    """What must be there before it runs."""
    makes: str
    """What it writes."""
    examples: tuple[str, ...]
    """Command lines, without `python -m solution`."""
    options: Callable[[argparse.ArgumentParser], None]
    """Adds its options to a parser."""
    run: Callable[[argparse.Namespace, Path], int | None]
    """Runs it below a root folder. Returns its exit code; None means 0."""


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that select a run: its data, its scale, and how it computes."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with the competition's files")
    scale = "smoke, cpu or full (default: full with a GPU, cpu without, smoke for drawn faces)"
    parser.add_argument("--scale", help=scale)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    jobs = "number of trainings at the same time (default: one for each core, or for each GPU)"
    parser.add_argument("--jobs", type=int, metavar="N", help=jobs)
    weights = parser.add_mutually_exclusive_group()
    folder = "folder with weights from ImageNet, BACKBONE.safetensors (default: download from timm's hub)"
    weights.add_argument("--weights", type=Path, metavar="DIR", help=folder)
    weights.add_argument("--no-pretrained", action="store_true", help="start every recipe from random weights")
    duplicates = "write a third submission; test pictures that are also training pictures get the training labels"
    parser.add_argument("--use-duplicates", "--use-twins", action="store_true", help=duplicates)
    parser.set_defaults(executor="local")


def add_executor_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that selects where trainings run. Call it after `add_run_options`, which sets the default."""
    where = "where trainings run: local, ray (a cluster of this machine), ray:HOST:PORT or ray:auto (default: local)"
    parser.add_argument("--executor", metavar="WHERE", help=where)


def load_command(name: str) -> Command:
    """Import a command from the file of its family."""
    return import_module(f"solution.cli.{FAMILY[name]}").COMMANDS[name]


class _Parser(argparse.ArgumentParser):
    """Ends a wrong command with exit code 2 and one line on stderr. argparse would print the long usage before it."""

    def error(self, message: str) -> NoReturn:
        ending = "" if message.endswith((".", "?")) else "."
        self.exit(2, f"error: {message}{ending} See `{self.prog} --help`.\n")

    def parse_known_args(
        self,
        args: Iterable[str] | None = None,
        namespace: Any = None,  # noqa: ANN401 - argparse puts the options into any object
    ) -> tuple[Any, list[str]]:
        """As in argparse, but an unknown argument is an error here, where the command's options are known."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            hint = suggestion(unknown[0].split("=")[0], self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}. {hint}".strip())
        return options, unknown


class _Version(argparse.Action):
    """Prints the versions. argparse's own action would look them up whenever a parser is made."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(versions())
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = _Parser(
        prog="python -m solution",
        description="From the files of Kaggle's Facial Keypoints Detection to a submission.",
    )
    top.add_argument(
        "--version",
        action=_Version,
        nargs=0,
        default=argparse.SUPPRESS,
        help="show the versions of this program and of its libraries, and exit",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in FAMILY:
        _add(commands, name)
    return top


def _add(commands: "argparse._SubParsersAction[_Parser]", name: str) -> None:
    command = load_command(name)
    what = f"{command.help[0].upper()}{command.help[1:]}."
    command_parser = commands.add_parser(
        name,
        help=command.help,
        description=f"{what}\n\nneeds: {command.needs}\nmakes: {command.makes}",
        epilog="\n".join(["examples:", *(f"  python -m solution {example}" for example in command.examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.options(command_parser)


def parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse the words of a command line. If they are wrong, the program ends with exit code 2 and a hint."""
    words = [EARLIER_NAMES.get(words[0], words[0]), *words[1:]] if words else words
    if words and not words[0].startswith("-") and words[0] not in FAMILY:
        hint = suggestion(words[0], FAMILY) or f"There are: {', '.join(FAMILY)}."
        parser.error(f"COMMAND: invalid choice: {words[0]!r}. {hint}")
    return parser.parse_args(words)


def versions() -> str:
    """The versions of this program, of Python and of LIBRARIES, in one line. No library is imported."""
    libraries = ", ".join(f"{name} {_installed(name)}" for name in LIBRARIES)
    return f"facial-keypoints {__version__} (python {platform.python_version()}, {libraries})"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
