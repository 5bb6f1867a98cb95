"""The command line: `python -m solution VERB`. One verb a stage; `run` does them all. See commands/ for the verbs."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from solution import __version__, commands
from solution.errors import UserError

STOPPED = 130  # what a shell expects of a program ended by Ctrl-C


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="python -m solution",
        description="From the files of Kaggle's Facial Keypoints Detection to a submission.",
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in commands.ORDER:
        _add(verbs, name)
    return top


def _add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str) -> None:
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


def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Run one verb; its exit code: 0, 2 for an error of the user's, 130 for Ctrl-C, or one of the verb's own."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: a job owns one core
    try:
        return commands.load(options.verb).run(options, root or Path.cwd()) or 0
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. Every finished epoch is kept: the same command goes on from there.", file=sys.stderr)
        return STOPPED


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """A polite kill stops as Ctrl-C does: workers ended, nothing half-written used."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
