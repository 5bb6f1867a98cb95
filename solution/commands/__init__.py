"""The command line's verbs: one file a verb, named after it, listed here in the order of `--help`.

A verb's file has `VERB`, what it says of itself; `options(parser)`, its own options; and `run(options, root)`, which
returns an exit code or None for 0. It imports what computes inside `run`: `--help` waits for nobody's torch.
"""

from importlib import import_module
from types import ModuleType

ORDER = (
    "run",
    "data",
    "folds",
    "train",
    "stack",
    "submission",
    "report",
    "audit",
    "export",
    "extract",
    "holdout",
    "trial",
    "compare",
    "bench",
    "submit",
    "scores",
    "download",
    "photo",
    "video",
    "faces68",
    "evaluate",
    "completion",
)


def load(name: str) -> ModuleType:
    """The verb's file."""
    return import_module(f"solution.commands.{name}")
