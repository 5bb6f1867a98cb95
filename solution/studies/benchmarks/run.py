"""A whole bench: the parts asked for, one after another, in a temporary folder that is gone afterwards."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from solution.runtime.device import LOG, set_threads, take_device
from solution.runtime.errors import UserError, suggestion
from solution.studies.benchmarks.parts import PARTS
from solution.studies.benchmarks.results import Measured, Row
from solution.studies.benchmarks.scaling import Curve, scaling
from solution.studies.benchmarks.setup import QUICK, BenchmarkSetup, Size
from solution.studies.benchmarks.timer import machine


def check_parts(names: Sequence[str]) -> tuple[str, ...]:
    """The parts as asked for, all where none is named. UserError where there is no such part."""
    for name in names:
        if name not in PARTS:
            hint = suggestion(name, PARTS)
            raise UserError(f"--only {name}: expected one of {', '.join(PARTS)}. {hint}".strip())
    return tuple(name for name in PARTS if not names or name in names)


def measure(
    scale: str, device: torch.device, names: Sequence[str] = (), data: Path | None = None, quick: bool = False
) -> Measured:
    """Every part named, or all. data: a folder with the competition's files to read, in place of tiled faces.

    Ctrl-C ends it with the rows that are there by then.
    """
    parts = check_parts(names)
    with _shop(scale, device, data, quick) as shop:
        facts = {**machine(shop.device), "scale": scale, "quick": quick, "data": str(data) if data else "tiled"}
        rows: list[Row] = []
        facts["stopped_in"] = None
        for part in parts:
            LOG.warning("Bench: %s", part)
            try:
                rows.extend(PARTS[part](shop))  # a list keeps what came before an exception
            except KeyboardInterrupt:
                facts["stopped_in"] = part
                break
    return Measured(facts, tuple(rows))


def measure_scaling(scale: str, device: torch.device, quick: bool = False) -> tuple[Curve, ...]:
    """Every curve."""
    with _shop(scale, device, None, quick) as shop:
        return tuple(scaling(shop, quick))


@contextmanager
def _shop(scale: str, device: torch.device, data: Path | None, quick: bool) -> Iterator[BenchmarkSetup]:
    """A place to measure in, with one thread as a training has, and without the lines that trainings say."""
    before = LOG.level, torch.get_num_threads()
    set_threads(1)
    taken = take_device("cuda:0" if device.type == "cuda" and device.index is None else str(device))
    LOG.setLevel(logging.WARNING)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield BenchmarkSetup(Path(folder), scale, taken, QUICK if quick else Size(), data)
    finally:
        LOG.setLevel(before[0])
        set_threads(before[1])
