"""A finished run's trainings dealt out to 1 to 64 machines: how long it would take, and when more stop helping.

Times are the manifests' own, so every machine is one as fast as those that trained (one core, or one GPU), and what a
training waits for before it starts (its process, its data) counts nothing.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solution.run import Run
from solution.runtime.artifacts import manifest
from solution.runtime.errors import UserError

MACHINES = (1, 2, 4, 8, 16, 32, 64)
ENOUGH = 1.02
"""Machines are enough when the run takes no more than this many times the shortest that any number reaches."""


@dataclass(frozen=True)
class Timed:
    """A training that took so long, and the one that it starts from, if any."""

    name: str
    seconds: float
    after: str | None = None


@dataclass(frozen=True)
class Simulation:
    """By number of machines: seconds until the last training is done. path: the longest chain of trainings."""

    seconds: dict[int, float]
    path: tuple[Timed, ...]

    @property
    def work(self) -> float:
        """Seconds of all trainings together."""
        return self.seconds[1]

    @property
    def shortest(self) -> float:
        """Seconds that no number of machines can go below."""
        return sum(job.seconds for job in self.path)

    def speed_up(self, machines: int) -> float:
        """Times faster than one machine."""
        return self.work / self.seconds[machines]

    @property
    def enough(self) -> int:
        """The fewest machines that come as near to the shortest time as matters."""
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
    """The run on each number of machines (one is always among them), and its critical path."""
    counts = sorted({1, *machines})
    return Simulation({count: makespan(jobs, count) for count in counts}, tuple(critical_path(jobs)))


def makespan(jobs: Sequence[Timed], machines: int) -> float:
    """Seconds until all are done: a free machine takes the first job that waits for nobody, as the executors do."""
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
    """The chain of jobs, each starting from the one before, that takes longest."""
    by_name = {job.name: job for job in jobs}

    def chain(job: Timed) -> list[Timed]:
        return [*(chain(by_name[job.after]) if job.after in by_name else []), job]

    return max((chain(job) for job in jobs), key=lambda chain: sum(job.seconds for job in chain))


def timed_jobs(run: Run) -> list[Timed]:
    """The run's trainings as their manifests time them. UserError where one is not finished."""
    names = {recipe.name for recipe in run.recipes}
    jobs = []
    for recipe in run.recipes:
        after = recipe.parent if recipe.parent in names else None
        for fold in range(run.table.k):
            folder = run.workspace.fold(recipe.name, fold)
            content = manifest(folder)
            if content is None or not run.job(recipe, fold).is_complete():
                raise UserError(
                    f"{folder}: expected a finished training, whose time is to be dealt out. "
                    "Run `python -m solution train` with the same --data and --scale first."
                )
            jobs.append(Timed(f"{recipe.name}/{fold}", float(content["seconds"]), after and f"{after}/{fold}"))
    return jobs
