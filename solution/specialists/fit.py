"""The training loop: it trains for a budget, checks for bad numbers, evaluates at intervals and resumes after a stop.

What differs between trainings is a `Task`: network, batches, loss, optimiser, schedule, and what is evaluated. The
division into loop and task is that of the `task` package of timm (https://github.com/huggingface/pytorch-image-models).
"""

import math
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from solution.runtime import checkpoint
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.specialists.budget import Budget, Progress

FORMAT = 2  # of checkpoints: raise it when an earlier version's can no longer be resumed
SMALLEST_PIECE = 2  # rows of a piece of a batch, at least: batch normalisation needs two
MOST_SKIPPED = 0.1  # share of an epoch's steps whose gradient may be lost. Training stops beyond it

NO_LABEL, NO_GRADIENT = "no point is labelled", "the gradient is not finite"

Batch = tuple[np.ndarray, ...]  # arrays with one row a picture; what they hold is the task's own


class Task(ABC):
    """What is learnt. An epoch's randomness comes from its number, so a training resumes exactly from a state."""

    phase: str = ""  # names a part of a training that has several
    clip: float = math.inf  # the largest norm of a gradient; larger ones are scaled down
    logged: bool = True  # whether evaluations have a log line

    remedy: str = "Lower the recipe's lr or clip and train again."
    """What an error advises the user to try when a number is not finite."""

    def __init__(self, title: str, net: nn.Module, optimiser: torch.optim.Optimizer, steps_per_epoch: int) -> None:
        self.title, self.net, self.optimiser = title, net, optimiser
        self.steps_per_epoch = steps_per_epoch
        self.average: AveragedModel | None = None  # of the weights, where the task wants one

    @abstractmethod
    def batches(self, epoch: int) -> Iterable[Batch]:
        """The batches of an epoch, counted from 0."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The mean loss over the labelled cells of a batch, or of a piece of one: a scalar with a gradient."""

    def cells(self, batch: Batch) -> int:
        """How many cells `loss` is the mean of. A batch with 0 is skipped."""
        return len(batch[0])

    def set_rate(self, share: float) -> None:  # noqa: B027 - not every task needs it
        """Set the learning rate for the next step, when this share of the budget is spent."""

    def zero_grad(self) -> None:
        """Forget the gradient and everything else that an earlier attempt at the batch has left."""
        self.net.zero_grad()

    def after_step(self, batch: Batch) -> None:  # noqa: B027 - not every task needs it
        """The optimiser has taken a step on this batch."""

    def end_epoch(self) -> None:  # noqa: B027 - not every task needs it
        """An epoch has ended."""

    def evaluate(self) -> Any:  # noqa: ANN401 - an RMSE in pixels, or predictions: the caller of `fit` knows which
        """What the record of an evaluation keeps; an RMSE in pixels is logged. It must draw no random numbers."""
        return None

    def state(self) -> dict[str, Any]:
        """What the rest of the training depends on, for `torch.save`."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        """Everything with a `state_dict`, by name."""
        parts: dict[str, Any] = {"net": self.net, "optimiser": self.optimiser}
        return parts if self.average is None else {**parts, "average": self.average}

    def failed(self, what: str) -> UserError:
        """The error that describes what went wrong and what to try."""
        return UserError(f"{self.title}: {what}. {self.remedy}")


@dataclass(frozen=True)
class Record:
    """Where a training stood at the end of an epoch, or when it was evaluated."""

    share: float  # of the budget, spent so far
    steps: int  # steps of the optimiser so far, in this phase
    seconds: float  # training time so far, in this phase, without evaluations
    loss: float  # mean since the record before
    value: Any = None  # what the evaluation gave; None if there was none
    evaluating: float = 0.0  # seconds that the evaluation took
    phase: str = ""


def fit(
    task: Task,
    budget: Budget,
    folder: Path | None = None,
    inputs: dict[str, Any] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Record]:
    """Train until the budget is spent; the records of this phase, and of the phases before it in the same folder.

    folder: a checkpoint is kept there after each epoch, bound to `inputs`, and a stopped training goes on from it with
    the same result. None: no checkpoint. UserError if the loss is not finite, if too many gradients are not, or if even
    the smallest pieces of a batch do not fit into the GPU's memory.
    """
    training = _Training(task, budget, clock)
    if folder is None:
        training.run(lambda: None)
        return training.records
    bound = inputs or {}
    training.resume(checkpoint.load(folder, bound))
    training.run(lambda: checkpoint.save(folder, bound, training.state()))
    return training.records


def moving_average(net: nn.Module, longest: float) -> AveragedModel:
    """An exponential moving average of a network's weights, with a short memory at first; buffers are copied.

    longest: the share of the old average that a step keeps, at most. All tensors are updated in one call: one by one,
    each would wait for the GPU.
    """

    def average(old: Any, new: Any, count: Tensor | int) -> None:  # noqa: ANN401 - as AveragedModel passes them
        kept = min(longest, (1 + int(count)) / (10 + int(count)))
        torch._foreach_lerp_(old, new, 1 - kept)

    return AveragedModel(net, multi_avg_fn=average)


def history_of(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The records of a training in epochs as the lines of its history.csv."""
    lines, before = [], Record(0, 0, 0, 0)
    for number, record in enumerate(records, 1):
        began = before.seconds if before.phase == record.phase else 0.0
        seconds = record.seconds - began + record.evaluating
        line = {"epoch": number, "phase": record.phase, "loss": record.loss, "held_rmse": record.value}
        lines.append(line | {"seconds": seconds})
        before = record
    return lines


@dataclass
class _Training:
    """The state of one call of `fit`."""

    task: Task
    budget: Budget
    clock: Callable[[], float]
    progress: Progress = field(default_factory=Progress)
    records: list[Record] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)  # of the batches since the last record
    skipped: Counter[str] = field(default_factory=Counter)  # batches of this epoch that were skipped, by reason
    pieces: int = 1  # that a batch is divided into, for the GPU's memory
    refusals: int = 0  # how often the GPU has run out of memory

    def run(self, save: Callable[[], None]) -> None:
        while not self.budget.is_spent(self.progress):
            self._epoch(save)

    def state(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "phase": self.task.phase,
            "progress": asdict(self.progress),
            "records": [asdict(record) for record in self.records],
            "task": self.task.state(),
        }

    def resume(self, saved: dict[str, Any] | None) -> None:
        """Continue from a checkpoint. One of a later phase means that this phase is finished."""
        if saved is None:
            return
        if saved.get("format") != FORMAT:
            LOG.warning("%s: the checkpoint of an earlier version is discarded", self.task.title)
            return
        self.records = [Record(**record) for record in saved["records"]]
        if saved["phase"] == self.task.phase:
            self.task.load_state(saved["task"])
            self.progress = Progress(**saved["progress"])
            LOG.info("%s: goes on after epoch %d", self.task.title, len(self.records))
        else:
            self.progress.epochs = self._own_records()

    def _own_records(self) -> int:
        return sum(record.phase == self.task.phase for record in self.records)

    def _epoch(self, save: Callable[[], None]) -> None:
        """One pass over the batches, or the rest of the budget."""
        self.task.net.train()
        self.skipped.clear()
        began = self.clock()
        for batch in self.task.batches(self.progress.epochs):
            self.task.set_rate(self.budget.share(self.progress, self.task.steps_per_epoch))
            self.losses.append(self._step(batch))
            self.progress.seconds += self.clock() - began
            if self._evaluate():
                self._log()
            self.task.net.train()  # an evaluation has switched it to prediction
            if self.budget.is_spent(self.progress):
                return
            began = self.clock()
        self._check_skipped()
        self.task.end_epoch()
        self.progress.epochs += 1
        recorded = self._evaluate()
        save()
        if recorded:
            self._log()

    def _step(self, batch: Batch) -> float:
        """One step of the optimiser; the loss. A batch without a label or a finite gradient is skipped and counted."""
        if not self.task.cells(batch):
            self.skipped[NO_LABEL] += 1
            return 0.0
        loss = self._backward(batch)
        if not math.isfinite(loss):
            raise self.task.failed(f"the loss became {loss}")
        norm = nn.utils.clip_grad_norm_(self.task.net.parameters(), self.task.clip)
        if not norm.isfinite():
            self.skipped[NO_GRADIENT] += 1
            return loss
        self.task.optimiser.step()
        if self.task.average is not None:
            self.task.average.update_parameters(self.task.net)
        self.task.after_step(batch)
        self.progress.steps += 1
        return loss

    def _backward(self, batch: Batch) -> float:
        """Leave the batch's gradient in the network; the loss. Smaller pieces each time the GPU runs out of memory."""
        while True:
            self.task.zero_grad()
            try:
                return self._in_pieces(batch)
            except torch.cuda.OutOfMemoryError as error:
                refused = str(error).split("\n")[0]
            # Out of the except block: the error's traceback would hold the tensors that must go.
            self._split_further(len(batch[0]), refused)

    def _in_pieces(self, batch: Batch) -> float:
        """The gradient of the whole batch: a piece's loss counts by its share of the batch's labelled cells.

        Batch normalisation sees a piece, not the batch: its statistics are then those of fewer rows.
        """
        total, cells = 0.0, self.task.cells(batch)
        for rows in np.array_split(np.arange(len(batch[0])), self.pieces):
            piece = tuple(values[rows] for values in batch)
            loss = self.task.loss(piece) * (self.task.cells(piece) / cells)
            loss.backward()
            total += loss.item()
        return total

    def _split_further(self, rows: int, refused: str) -> None:
        self.refusals += 1
        size = -(-rows // self.pieces)
        most = rows // SMALLEST_PIECE
        if self.pieces >= most:
            raise UserError(
                f"{self.task.title}: expected GPU memory for {size} pictures at once, got: {refused} "
                "Lower --jobs, end what else runs on this GPU, or make the recipe's network smaller."
            )
        self.pieces = min(2 * self.pieces, most)
        torch.cuda.empty_cache()
        LOG.warning(
            "%s: out of GPU memory with %d pictures at once (%d so far): a step now takes %d pieces of about %d",
            *(self.task.title, size, self.refusals, self.pieces, rows // self.pieces),
        )

    def _check_skipped(self) -> None:
        """Warn of the epoch's skipped batches. UserError if too many gradients were not finite."""
        title, batches = self.task.title, self.task.steps_per_epoch
        for why, count in self.skipped.items():
            number = self.progress.epochs + 1
            LOG.warning("%s: epoch %d: %d of %d batches passed over: %s", title, number, count, batches, why)
        lost = self.skipped[NO_GRADIENT]
        if lost > MOST_SKIPPED * batches:
            raise self.task.failed(f"the gradient was not finite in {lost} steps of an epoch")

    def _evaluate(self) -> bool:
        """Add the records that are due; whether one of them is worth a log line."""
        due = self.budget.due(self.progress, self._own_records())
        if not due:
            return False
        evaluates, began = self.budget.evaluates(self.progress), self.clock()
        value = self.task.evaluate() if evaluates else None
        taken, loss = self.clock() - began, float(np.mean(self.losses))
        for share in due:
            record = Record(share, self.progress.steps, self.progress.seconds, loss, value, taken, self.task.phase)
            self.records.append(record)
        self.losses.clear()
        return evaluates and self.task.logged

    def _log(self) -> None:
        last = self.records[-1]
        where = f"{last.phase} {self.budget.describe(self.progress)}".strip()
        held = f", held-out {last.value:.3f} px" if isinstance(last.value, float) else ""
        left = last.seconds * (1 - last.share) / last.share
        LOG.info("%s: %s, loss %.4g%s, %.0f s left", self.task.title, where, last.loss, held, left)
