"""What a bench measured: a row a thing, kept as JSON, and compared with an earlier bench's."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solution.runtime.errors import UPDATE, UserError, is_later

VERSION = 2
MATMUL, PYTHON = "matrix product", "plain Python"
"""The references: what a row's time is divided by the speed of, when two benches are compared."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured thing. seconds: of each repeat. items: how many images, faces or rows a repeat handles.

    busy: the share of the time that its threads had a core each; the rest went to the disk, or to other programs. 1 for
    what a GPU does. multiply_adds: counted, of a repeat; None where nobody counts. memory: the most that it took, MiB.
    speed: of the reference, measured between the repeats: multiply-adds, or rounds of a loop, a second (of a core).
    """

    part: str
    name: str
    seconds: tuple[float, ...]
    items: int
    reference: str
    speed: float
    busy: float
    multiply_adds: int | None = None
    memory: float | None = None

    @property
    def key(self) -> str:
        return f"{self.part}: {self.name}"

    @property
    def median(self) -> float:
        """Seconds of a repeat."""
        return float(np.median(self.seconds))

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a share of the median."""
        low, high = np.percentile(self.seconds, [25, 75])
        return float((high - low) / 2 / self.median)

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.median

    @property
    def work(self) -> float:
        """Seconds that each thread had a core in a repeat: what a repeat takes where nothing else runs."""
        return self.median * self.busy

    @property
    def share(self) -> float | None:
        """Of what matrix products reach on the same core or GPU; None where multiply-adds are not counted."""
        if self.multiply_adds is None or self.reference != MATMUL:
            return None
        return self.multiply_adds / self.work / self.speed


@dataclass(frozen=True)
class Measured:
    """A whole bench: facts of the machine and the settings, and the rows."""

    facts: dict[str, Any]
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON values, with what follows from a row's numbers beside them."""
        derived = ("median", "spread", "rate", "work", "share")
        rows = [asdict(row) | {name: getattr(row, name) for name in derived} for row in self.rows]
        return {"version": VERSION, "facts": self.facts, "rows": rows}


def read_measured(path: Path) -> Measured:
    """What `bench --json` wrote into a file. UserError where it is not that."""
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
            f"--against {path}: expected what `python -m solution bench --json` of this version wrote, got: {error}. "
            "Measure again with --json and keep its output."
        ) from error


@dataclass(frozen=True)
class Ratio:
    """This bench's time over an earlier one's.

    plain: as the clock has it. fair: of the cores' work, each times the speed of the reference just then. clear: the
    fair one lies beyond what both benches' repeats scatter.
    """

    plain: float
    fair: float
    clear: bool


def ratios(now: Sequence[Row], then: Sequence[Row]) -> dict[str, Ratio]:
    """By a row's key, for the rows that both benches have with the same number of items."""
    earlier = {row.key: row for row in then}
    return {
        row.key: _ratio(row, earlier[row.key])
        for row in now
        if row.key in earlier and earlier[row.key].items == row.items and earlier[row.key].reference == row.reference
    }


def _ratio(now: Row, then: Row) -> Ratio:
    plain = now.median / then.median
    fair = now.work * now.speed / (then.work * then.speed)
    scatter = 2 * (now.spread + then.spread)
    return Ratio(plain, fair, abs(float(np.log(fair))) > max(0.05, scatter))
