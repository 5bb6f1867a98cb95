"""The command line: `python -m solution COMMAND`. The commands are in solution/cli/."""

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

BROKEN_PIPE = 141
"""Exit code after the reader of the output has closed it, as shells expect it."""


def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Run one command below a root folder (default: the current one). Returns its exit code.

    0: done. 2: an error that the user can fix. 130: stopped by Ctrl-C. 141: the output was closed. Some commands have
    codes of their own.
    """
    options = parse(parser(), sys.argv[1:] if arguments is None else arguments)
    lines = sys.stderr if getattr(options, "json", False) else sys.stdout  # with --json, stdout holds JSON alone
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file's name may be no valid text
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=lines, force=True)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported, because a job uses one core
    try:
        code = load_command(options.command).run(options, root or Path.cwd()) or 0
        sys.stdout.flush()
        return code
    except UserError as error:
        return _refused(error)
    except KeyboardInterrupt:
        print("\nStopped. Every finished epoch is kept. The same command continues from there.", file=sys.stderr)
        _note("Stopped")
        return STOPPED
    except BrokenPipeError:  # as in `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:  # a folder without permission, or a name that is too long; any part may meet such a path
        if error.filename is None:
            raise
        return _refused(UserError(f"{error.filename}: expected a path that can be used, got: {error.strerror}"))


def _refused(error: UserError) -> int:
    print(f"error: {error}", file=sys.stderr)
    _note(f"error: {error}")
    return 2


def _note(line: str) -> None:
    """Write the last line into the run's log file, if one is open. The terminal has it already."""
    log = logging.getLogger("solution")
    record = log.makeRecord(log.name, logging.ERROR, __file__, 0, line, (), None)
    for handler in log.handlers:
        handler.handle(record)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """SIGTERM stops the program as Ctrl-C does: its workers end, and no half-written file is used."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
