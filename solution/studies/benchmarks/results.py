"""The results of a benchmark: kept as JSON, compared with an earlier benchmark, printed as tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solution.runtime.errors import UPDATE, UserError, is_later

VERSION = 2
MATMUL, PYTHON = "matrix product", "plain Python"
"""The references. Two benchmarks compare times in units of the speed of a reference."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured thing."""

    part: str
    name: str
    seconds: tuple[float, ...]
    """Wall-clock time of each repeat."""
    items: int
    """Images, faces or rows of a repeat."""
    reference: str
    speed: float
    """Of the reference, between the repeats: multiply-adds, or rounds of a loop, a second on a core."""
    busy: float
    """Share of the time in which its threads had a core each. The rest went to the disk or to other programs."""
    multiply_adds: int | None = None
    """Of a repeat; None if not counted."""
    memory: float | None = None
    """The most that it used, MiB."""

    @property
    def key(self) -> str:
        return f"{self.part}: {self.name}"

    @property
    def median(self) -> float:
        """Seconds of a repeat."""
        return float(np.median(self.seconds))

    @property
    def spread(self) -> float:
        """Half the interquartile range, as a share of the median."""
        low, high = np.percentile(self.seconds, [25, 75])
        return float((high - low) / 2 / self.median)

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.median

    @property
    def work(self) -> float:
        """Core seconds of each thread in a repeat: the time of a repeat if nothing else runs."""
        return self.median * self.busy

    @property
    def share(self) -> float | None:
        """Its multiply-adds a second, as a share of those of a matrix product. None if they are not counted."""
        if self.multiply_adds is None or self.reference != MATMUL:
            return None
        return self.multiply_adds / self.work / self.speed


@dataclass(frozen=True)
class Measured:
    """A whole benchmark."""

    facts: dict[str, Any]
    """The machine and the settings."""
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON values, with the derived figures of each row."""
        derived = ("median", "spread", "rate", "work", "share")
        rows = [asdict(row) | {name: getattr(row, name) for name in derived} for row in self.rows]
        return {"version": VERSION, "facts": self.facts, "rows": rows}


def read_measured(path: Path) -> Measured:
    """Read what `bench --json` printed. UserError if the file holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if is_later(content["version"], VERSION):
            raise UserError(
                f"--against {path}: expected a bench of version {VERSION}, got version {content['version']}, which a "
                f"later version of the code wrote. {UPDATE}, or measure again with --json."
            )
        if content["version"] != VERSION:
            raise ValueError(f"version {content['version']}")
        names = Row.__dataclass_fields__
        rows = [{k: v for k, v in row.items() if k in names} for row in content["rows"]]
        return Measured(content["facts"], tuple(Row(**{**row, "seconds": tuple(row["seconds"])}) for row in rows))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"--against {path}: expected the output of `python -m solution bench --json` of this version, got: {error}"
            ". Run it again and keep its output."
        ) from error


@dataclass(frozen=True)
class Ratio:
    """The time of this benchmark divided by that of an earlier one."""

    plain: float
    """Of wall-clock times."""
    fair: float
    """Of core time times the speed of the reference, so that a slower or a busy machine does not matter."""
    clear: bool
    """Whether the fair ratio differs from 1 by more than the repeats of both benchmarks vary."""


def ratios(now: Sequence[Row], then: Sequence[Row]) -> dict[str, Ratio]:
    """The ratios by the keys of the rows, for rows that both benchmarks have with the same number of items."""
    earlier = {(row.key, row.items, row.reference): row for row in then}
    pairs = [(row, earlier.get((row.key, row.items, row.reference))) for row in now]
    return {row.key: _ratio(row, before) for row, before in pairs if before}


def _ratio(now: Row, then: Row) -> Ratio:
    fair = now.work * now.speed / (then.work * then.speed)
    variation = max(0.05, 2 * (now.spread + then.spread))
    return Ratio(now.median / then.median, fair, abs(float(np.log(fair))) > variation)


WIDTH = 120
LEGEND = (
    "median: of one repeat, ± half the interquartile range. of peak: counted multiply-adds a second, as a share of "
    "those of a matrix product on one thread (or the GPU). core: share of the time in which its threads had a core "
    "each; the rest went to the disk or to other programs. memory: the most that it used."
)
AGAINST = (
    "then: core time relative to the earlier benchmark, each in units of the machine's speed between the repeats (a "
    "matrix product or a plain loop); in brackets wall-clock time. slower, faster: by more than the repeats vary."
)


def show(measured: Measured, against: Mapping[str, Ratio] | None, console: Console | None = None) -> None:
    """Print the rows, with their ratios to an earlier benchmark if there is one."""
    console = console or wide_console()
    facts = measured.facts
    speed = facts["multiply_adds_a_second"] / 1e9
    console.print(
        Text(f"{facts['gpu'] or facts['processor']}, {facts['cores']} cores, torch {facts['torch']}, scale "
             f"{facts['scale']}: a {facts['precision']} matrix product reaches {speed:.0f} G multiply-adds/s")
    )  # fmt: skip
    table = plain_table(
        "", "median", "faces/s", "of peak", "core", "memory", *(["then"] if against is not None else [])
    )
    for row in measured.rows:
        rate = f"{row.rate:,.0f}" if row.items > 1 else ""
        share = "" if row.share is None else f"{row.share:.0%}"
        memory = "" if row.memory is None else f"{row.memory:,.0f} MiB"
        ratio = [] if against is None else [_ratio_text(against.get(row.key))]
        table.add_row(row.key, _seconds_text(row), rate, share, f"{row.busy:.0%}", memory, *ratio)
    console.print(table)
    console.print(Text(LEGEND if against is None else f"{LEGEND} {AGAINST}"))


def wide_console() -> Console:
    """The terminal. For a file or a pipe, lines are WIDTH characters wide."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def plain_table(*titles: str) -> Table:
    """A table without lines, its first column to the left and the others to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(titles[0], overflow="fold", min_width=24)
    for title in titles[1:]:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _seconds_text(row: Row) -> str:
    text = f"{row.median:.2f} s" if row.median >= 1 else f"{row.median * 1e3:.1f} ms"
    return f"{text} ±{row.spread:.0%}" if len(row.seconds) > 1 else text


def _ratio_text(ratio: Ratio | None) -> str:
    if ratio is None:
        return "new"
    verdict = "" if not ratio.clear else " slower" if ratio.fair > 1 else " faster"
    return f"{ratio.fair:.2f} ({ratio.plain:.2f}){verdict}"
