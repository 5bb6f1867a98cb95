"""How long to train, in epochs, steps or seconds, and when to evaluate."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Progress:
    """What is spent so far, in this phase."""

    epochs: int = 0  # finished ones
    steps: int = 0  # of the optimiser: skipped batches do not count
    seconds: float = 0.0  # of training, without evaluations


@dataclass(frozen=True)
class Epochs:
    """A budget of passes over the rows, with a record of each."""

    count: int
    every: int = 1  # epochs from one evaluation to the next. The last epoch has one, too

    def is_spent(self, progress: Progress) -> bool:
        """Whether training ends here."""
        return progress.epochs >= self.count

    def share(self, progress: Progress, steps_per_epoch: int) -> float:
        """The share that is spent, 0 to 1: the learning rate follows it."""
        return progress.steps / (self.count * steps_per_epoch)

    def due(self, progress: Progress, records: int) -> Sequence[float]:
        """The shares that a record is due for, if there are so many records already."""
        return [progress.epochs / self.count] if progress.epochs > records else []

    def evaluates(self, progress: Progress) -> bool:
        """Whether the records that are due have an evaluation."""
        return progress.epochs % self.every == 0 or progress.epochs == self.count

    def describe(self, progress: Progress) -> str:
        """How far it is, for a log line."""
        return f"epoch {progress.epochs}/{self.count}"


@dataclass(frozen=True)
class Steps:
    """A budget of steps of the optimiser, with an evaluation when each of `shares` is spent."""

    count: float
    shares: tuple[float, ...] = (1.0,)

    def is_spent(self, progress: Progress) -> bool:
        return self._spent(progress) >= self.count

    def share(self, progress: Progress, steps_per_epoch: int) -> float:
        return self._spent(progress) / self.count

    def due(self, progress: Progress, records: int) -> Sequence[float]:
        spent = self._spent(progress)
        return [share for share in self.shares[records:] if spent >= self._mark(share)]

    def evaluates(self, progress: Progress) -> bool:
        return True

    def describe(self, progress: Progress) -> str:
        return f"{100 * self._spent(progress) / self.count:.0f} % of its time"

    def _spent(self, progress: Progress) -> float:
        return progress.steps

    def _mark(self, share: float) -> float:
        """What must be spent for an evaluation."""
        return max(1, round(share * self.count))


@dataclass(frozen=True)
class Seconds(Steps):
    """A budget of seconds of training: `count` is in seconds, and evaluations do not count."""

    def _spent(self, progress: Progress) -> float:
        return progress.seconds

    def _mark(self, share: float) -> float:
        return share * self.count


Budget = Epochs | Steps
