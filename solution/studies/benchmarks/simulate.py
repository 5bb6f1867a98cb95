"""Computes how long a finished run's trainings take on 1 to 64 machines, and how many machines are enough.

The times are those of the manifests. So each machine is as fast as the core or GPU that trained, and the start of a
training (its process, its data) takes no time.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from solution.run import Run
from solution.runtime.artifacts import manifest
from solution.runtime.errors import UserError
from solution.studies.benchmarks.results import plain_table, wide_console

MACHINES = (1, 2, 4, 8, 16, 32, 64)
ENOUGH = 1.02
"""Machines are enough if the run takes at most this many times the shortest time of any number of machines."""


@dataclass(frozen=True)
class Timed:
    """A training and its time."""

    name: str
    seconds: float
    after: str | None = None
    """The training that it starts from."""


@dataclass(frozen=True)
class Simulation:
    """The time of a run by number of machines."""

    seconds: dict[int, float]
    """Until the last training is done, by number of machines."""
    path: tuple[Timed, ...]
    """The longest chain of trainings."""

    @property
    def work(self) -> float:
        """The sum of all trainings, in seconds."""
        return self.seconds[1]

    @property
    def shortest(self) -> float:
        """Seconds of the longest chain. No number of machines is faster."""
        return sum(job.seconds for job in self.path)

    def speed_up(self, machines: int) -> float:
        """How many times faster than one machine."""
        return self.work / self.seconds[machines]

    @property
    def enough(self) -> int:
        """The fewest machines that are enough."""
        return next(m for m in sorted(self.seconds) if self.seconds[m] <= ENOUGH * min(self.seconds.values()))

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "seconds": {str(m): s for m, s in self.seconds.items()},
            "critical_path": [[job.name, job.seconds] for job in self.path],
            "critical_path_seconds": self.shortest,
            "enough": self.enough,
        }


def simulate(jobs: Sequence[Timed], machines: Sequence[int] = MACHINES) -> Simulation:
    """The run on these numbers of machines and on one, and its critical path."""
    counts = sorted({1, *machines})
    return Simulation({count: makespan(jobs, count) for count in counts}, tuple(critical_path(jobs)))


def makespan(jobs: Sequence[Timed], machines: int) -> float:
    """Seconds until all jobs are done. As the executors do, a free machine takes the first job that can start."""
    waiting, now = list(jobs), 0.0
    running: list[tuple[float, str]] = []
    while waiting or running:
        unfinished = {job.name for job in waiting} | {name for _, name in running}
        ready = [job for job in waiting if job.after not in unfinished]
        for job in ready[: machines - len(running)]:
            waiting.remove(job)
            heapq.heappush(running, (now + job.seconds, job.name))
        now, _ = heapq.heappop(running)
    return now


def critical_path(jobs: Sequence[Timed]) -> list[Timed]:
    """The chain of jobs, each of which starts from the one before, that takes longest."""
    by_name = {job.name: job for job in jobs}

    def chain(job: Timed) -> list[Timed]:
        return [*(chain(by_name[job.after]) if job.after in by_name else []), job]

    return max((chain(job) for job in jobs), key=lambda chain: sum(job.seconds for job in chain))


def timed_jobs(run: Run) -> list[Timed]:
    """The run's trainings with the times of their manifests. UserError if one is not finished."""
    names = {recipe.name for recipe in run.recipes}
    jobs = []
    for recipe in run.recipes:
        after = recipe.parent if recipe.parent in names else None
        for fold in range(run.table.k):
            folder = run.workspace.fold(recipe.name, fold)
            content = manifest(folder)
            if content is None or not run.job(recipe, fold).is_complete():
                raise UserError(
                    f"{folder}: expected a finished training. "
                    "Run `python -m solution train` with the same --data and --scale first."
                )
            jobs.append(Timed(f"{recipe.name}/{fold}", float(content["seconds"]), after and f"{after}/{fold}"))
    return jobs


def show(simulation: Simulation, console: Console | None = None) -> None:
    """Print the time of the run by number of machines."""
    console = console or wide_console()
    table = plain_table("machines", "minutes", "times faster", "busy")
    for count, seconds in simulation.seconds.items():
        faster = simulation.speed_up(count)
        table.add_row(str(count), f"{seconds / 60:.1f}", f"{faster:.1f}", f"{faster / count:.0%}")
    console.print(table)
    path = " → ".join(job.name for job in simulation.path)
    console.print(
        Text(f"No number of machines takes less than {simulation.shortest / 60:.1f} min: {path}. "
             f"More than {simulation.enough} machines do not help.")
    )  # fmt: skip
