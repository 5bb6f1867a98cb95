"""What the executors run: tasks, their schedule, and data that each process reads once."""

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

import torch

from solution.runtime.device import LOG


class Runnable(Protocol):
    """One training, picklable and small: a worker process reads its data itself."""

    @property
    def name(self) -> str:
        """KIND/NUMBER, or a name alone. Tasks of one kind take about the same time."""

    @property
    def after(self) -> frozenset[str]:
        """The names of the tasks that must be done before, if they are among those that run."""

    def is_complete(self) -> bool:
        """Whether its files are there and made from the same inputs."""

    def run(self, device: torch.device) -> float:
        """Run the task in this process. Returns the seconds that it took."""


T = TypeVar("T", bound=Runnable)


def incomplete(title: str, tasks: Sequence[T], what: str = "trainings") -> list[T]:
    """The tasks that are not complete. One log line has the number of complete ones."""
    missing = [task for task in tasks if not task.is_complete()]
    LOG.info("%s: %d of %d %s are complete", title, len(tasks) - len(missing), len(tasks), what)
    return missing


class ReadOnce:
    """A frozen dataclass that reads its data when they are first needed.

    It travels to another process as its fields alone. There, all equal instances become one value, so that the data are
    read once.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (type(self), *(getattr(self, field.name) for field in fields(self)))  # type: ignore[arg-type]


@cache
def _reopen(kind: type, *values: Any) -> Any:  # noqa: ANN401 - the fields of any dataclass
    return kind(*values)


class Schedule(Generic[T]):
    """Which tasks may start, and how many are done. It logs after each task how long the others may take.

    A kind's time is known once a task of it is done. Recipes differ tenfold in their times, so the mean of the known
    times is no estimate of the others.
    """

    def __init__(self, tasks: Sequence[T], workers: int) -> None:
        self.waiting, self.unfinished = list(tasks), list(tasks)
        self.total, self.workers = len(tasks), workers
        self.seconds: dict[str, list[float]] = {}

    def start(self, count: int | None) -> list[T]:
        """Up to `count` waiting tasks (None: all) whose `after` is done. They are no longer in `waiting`."""
        unfinished = {task.name for task in self.unfinished}
        ready = [task for task in self.waiting if not task.after & unfinished][:count]
        self.waiting = [task for task in self.waiting if task not in ready]
        return ready

    def again(self, task: T) -> None:
        """Let a task that failed wait again, before the others."""
        self.waiting.insert(0, task)

    def finished(self, task: T, seconds: float) -> None:
        """Note a task's end."""
        self.unfinished.remove(task)
        self.seconds.setdefault(_kind(task), []).append(seconds)
        timed = [self.seconds[_kind(task)] for task in self.unfinished if _kind(task) in self.seconds]
        minutes = sum(sum(times) / len(times) for times in timed) / self.workers / 60
        message = f"{self.total - len(self.unfinished)} of {self.total} trainings done"
        message += f", about {minutes:.1f} min left" if timed else ""
        new = len(self.unfinished) - len(timed)
        message += f"{' and' if timed else ','} {new} trainings of recipes not timed yet" if new else ""
        LOG.info("%s", message)


def _kind(task: Runnable) -> str:
    return task.name.rpartition("/")[0]
