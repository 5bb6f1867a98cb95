"""The command line: `python -m solution VERB`. One verb a stage; `run` does them all. See commands/ for the verbs."""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from types import FrameType

from solution.cli.parser import load_command, parse, parser
from solution.runtime.errors import STOPPED, UserError

BROKEN_PIPE = 141  # what a shell expects of a program whose output nobody reads any more


def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Run one verb; its exit code: 0, 2 for an error of the user's, 130 for Ctrl-C, 141 for a pipe that was
    closed, or one of the verb's own."""
    options = parse(parser(), sys.argv[1:] if arguments is None else arguments)
    lines = sys.stderr if getattr(options, "json", False) else sys.stdout  # with --json, stdout holds JSON alone
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file's name need be no text at all
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=lines, force=True)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: a job owns one core
    try:
        code = load_command(options.verb).run(options, root or Path.cwd()) or 0
        sys.stdout.flush()
        return code
    except UserError as error:
        return _refused(error)
    except KeyboardInterrupt:
        print("\nStopped. Every finished epoch is kept: the same command goes on from there.", file=sys.stderr)
        _note("Stopped")
        return STOPPED
    except BrokenPipeError:  # `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:  # a folder that may not be entered, a name too long: what a path is may be asked anywhere
        if error.filename is None:
            raise
        return _refused(UserError(f"{error.filename}: expected a path that can be used, got: {error.strerror}"))


def _refused(error: UserError) -> int:
    print(f"error: {error}", file=sys.stderr)
    _note(f"error: {error}")
    return 2


def _note(line: str) -> None:
    """Put how it ended into the run's log file, where one is open; the terminal has it."""
    log = logging.getLogger("solution")
    record = log.makeRecord(log.name, logging.ERROR, __file__, 0, line, (), None)
    for handler in log.handlers:
        handler.handle(record)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """A polite kill stops as Ctrl-C does: workers ended, nothing half-written used."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
