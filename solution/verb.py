"""A verb of the command line as data, and the options that several verbs share."""

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verb:
    """What a verb says of itself, what it needs and makes, and how it is used: what follows `python -m solution`."""

    help: str
    needs: str
    makes: str
    examples: tuple[str, ...]


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
