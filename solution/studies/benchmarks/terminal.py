"""A bench on the terminal: tables, plain text where the output is no terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from solution.studies.benchmarks.results import PYTHON, Measured, Ratio, Row
from solution.studies.benchmarks.scaling import Curve
from solution.studies.benchmarks.simulate import Simulation

WIDTH = 120
LEGEND = (
    "median: of one repeat, give or take half the distance of the quartiles. of peak: counted multiply-adds a second, "
    "as a share of what one thread (or the GPU) reaches in a matrix product. core: how much of the time its "
    "threads had a core each; the rest went to the disk, or to other programs. memory: the most that it took."
)
AGAINST = (
    "then: the cores' time over that of the earlier bench, each times the speed that a core showed between the repeats "
    "(at a matrix product, or a plain loop); in brackets as the clock has it. slower, faster: beyond both's scatter."
)


def show(measured: Measured, against: Mapping[str, Ratio] | None, console: Console | None = None) -> None:
    """The rows, with their ratios to an earlier bench's where there is one."""
    console = console or _console()
    facts = measured.facts
    speed = facts["multiply_adds_a_second"] / 1e9
    console.print(
        Text(f"{facts['gpu'] or facts['processor']}, {facts['cores']} cores, torch {facts['torch']}, scale "
             f"{facts['scale']}: a {facts['precision']} matrix product reaches {speed:.0f} G multiply-adds/s")
    )  # fmt: skip
    table = _plain("", "median", "faces/s", "of peak", "core", "memory", *(["then"] if against is not None else []))
    for row in measured.rows:
        rate = f"{row.rate:,.0f}" if row.items > 1 else ""
        cells = [_seconds(row), rate, _share(row), f"{row.busy:.0%}", _mib(row)]
        ratio = [] if against is None else [_ratio(against.get(row.key))]
        table.add_row(row.key, *cells, *ratio)
    console.print(table)
    console.print(Text(LEGEND if against is None else f"{LEGEND} {AGAINST}"))


def show_scaling(curves: Sequence[Curve], console: Console | None = None) -> None:
    """Time and memory against sizes, and the fitted powers."""
    console = console or _console()
    for curve in curves:
        table = _plain(f"{curve.what}, by {curve.against}", *(f"{point.size:,}" for point in curve.points), "power")
        table.add_row("seconds", *(f"{point.seconds:.2f}" for point in curve.points), f"{curve.exponent:.2f}")
        memory = [f"{point.memory:.0f}" for point in curve.points]
        table.add_row("memory, MiB", *memory, f"{curve.memory_exponent:.2f}")
        console.print(table)
    console.print(Text("power: seconds grow as the size to this power; 1 is in step with it, 0 not at all."))


def show_simulation(found: Simulation, console: Console | None = None) -> None:
    """The run on more and more machines."""
    console = console or _console()
    table = _plain("machines", "minutes", "times faster", "busy")
    for count, seconds in found.seconds.items():
        faster = found.speed_up(count)
        table.add_row(str(count), f"{seconds / 60:.1f}", f"{faster:.1f}", f"{faster / count:.0%}")
    console.print(table)
    path = " → ".join(job.name for job in found.path)
    console.print(
        Text(f"No number of machines takes less than {found.shortest / 60:.1f} min: {path}. "
             f"More than {found.enough} stop helping.")
    )  # fmt: skip


def _console() -> Console:
    """Where the output is no terminal, lines as long as they need to be."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _plain(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(titles[0], overflow="fold", min_width=24)
    for title in titles[1:]:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _seconds(row: Row) -> str:
    shown = f"{row.median:.2f} s" if row.median >= 1 else f"{row.median * 1e3:.1f} ms"
    return f"{shown} ±{row.spread:.0%}" if len(row.seconds) > 1 else shown


def _share(row: Row) -> str:
    return "" if row.share is None or row.reference == PYTHON else f"{row.share:.0%}"


def _mib(row: Row) -> str:
    return "" if row.memory is None else f"{row.memory:,.0f} MiB"


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return "new"
    verdict = "" if not ratio.clear else " slower" if ratio.fair > 1 else " faster"
    return f"{ratio.fair:.2f} ({ratio.plain:.2f}){verdict}"
