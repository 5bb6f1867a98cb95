"""Run tasks on a Ray cluster: an existing one by its address, or one of this machine alone.

The data travel once, through the object store. Finished folders come back and are sealed here, so the disk holds the
same files as after a local run. If a task's machine or process is lost, the task runs again elsewhere, from its last
checkpoint.
"""

import logging
import math
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from solution.runtime import checkpoint
from solution.runtime import device as runtime
from solution.runtime.artifacts import write_bytes
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.runtime.workers import ray_worker
from solution.runtime.workers.ray_worker import CHECKPOINT, DamagedError, Payload, RemoteRunnable
from solution.runtime.workers.schedule import Schedule

LOCAL, RAY = "local", "ray"
PACKAGE = Path(__file__).parents[2]
VERSION = "2.60.0"
ATTEMPTS = 3
GRACE = 10.0
"""Seconds in which cancelled tasks may send their last checkpoint."""


def check_executor(executor: str) -> str:
    """The value of --executor. UserError if it is not local, ray or ray:ADDRESS."""
    kind, colon, address = executor.partition(":")
    if executor == LOCAL or (kind == RAY and bool(colon) == bool(address)):
        return executor
    raise UserError(f"--executor {executor}: expected local, ray, or ray:HOST:PORT of a running cluster")


def address_of(executor: str) -> str | None:
    """The address in "ray:ADDRESS"; None for "ray", a cluster of this machine alone."""
    return executor.partition(":")[2] or None


@contextmanager
def cluster(address: str | None) -> Iterator[ModuleType]:
    """Connect to the cluster at `address` (HOST:PORT, or "auto"), or to one of this machine's cores and GPUs.

    An open connection is used and left open. UserError if Ray is not installed or there is no cluster.
    """
    ray = installed()
    if ray.is_initialized():
        yield ray
        return
    terminated = signal.getsignal(signal.SIGTERM)
    try:
        _knock(address)
        ray.init(**_options(address))
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise UserError(
            f"--executor ray{f':{address}' if address else ''}: expected a Ray cluster of version {VERSION}, got: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__} Start one with `ray start --head` "
            "and give its HOST:PORT, or use --executor ray for one of this machine alone."
        ) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminated)  # Ray replaces it, but ours keeps the checkpoints
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str | None) -> None:
    """OSError if HOST:PORT does not answer. Ray itself would try for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def installed() -> ModuleType:
    """Ray. UserError if it is not installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # its own half minute is too short on busy cores
    try:
        import ray
    except ImportError as error:
        raise UserError(
            f"--executor ray: expected Ray to be installed, it is not. Run `pip install ray=={VERSION}` on every "
            "machine of the cluster, or leave --executor out."
        ) from error
    return ray


def _options(address: str | None) -> dict[str, Any]:
    """The arguments of ray.init. The package travels along, so that every machine runs this code."""
    common: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": "ERROR",
        "runtime_env": {"py_modules": [str(PACKAGE)], "env_vars": {"OMP_NUM_THREADS": "1"}},
    }
    if address is None:
        return {**common, "address": "local", "num_cpus": runtime.cores(), "include_dashboard": False}
    return {**common, "address": address}


def pick_device(address: str | None, wish: str) -> torch.device:
    """The kind of device that tasks ask of the cluster, for auto, cpu or cuda. Ray chooses the GPU."""
    if wish not in ("auto", "cpu", "cuda"):
        raise UserError(f"--device {wish}: expected auto, cpu or cuda with --executor ray, which chooses the GPU")
    if address is None:
        return torch.device(runtime.pick_device(wish).type)
    if wish != "auto":
        return torch.device(wish)
    with cluster(address) as ray:
        return torch.device("cuda" if ray.cluster_resources().get("GPU") else "cpu")


def run(
    tasks: Sequence[RemoteRunnable],
    shared: Payload,
    device: torch.device,
    jobs: int | None,
    address: str | None,
) -> None:
    """Run every task on the cluster. An error that a second attempt cannot avoid is raised.

    jobs: the most tasks at once; None: as many as the cluster has room for.
    """
    if not tasks:
        return
    with cluster(address) as ray:
        fleet = _Fleet(ray, tasks, shared, device, jobs)
        try:
            fleet.run_all()
        finally:
            fleet.stop()


@dataclass
class _Attempts:
    """The attempts of one task."""

    count: int = 0
    node: str = ""  # the machine of the last one, once it is known
    avoid: list[str] = field(default_factory=list)  # the machines on which it failed


class _Fleet:
    """The tasks of one run on one cluster. Ray itself retries nothing: it would begin with the first epoch."""

    def __init__(
        self, ray: ModuleType, tasks: Sequence[RemoteRunnable], shared: Payload, device: torch.device, jobs: int | None
    ) -> None:
        from ray.util.queue import Queue  # not at the top: Ray need not be installed
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.ray, self.device = ray, device
        self.folders = {task.name: task.folder for task in tasks}
        slots, share = _room(ray.cluster_resources(), device, jobs)
        self.schedule = Schedule(tasks, slots)
        self.limit = jobs
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.lines: Any = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
        self.there = ray.remote(num_cpus=1, num_gpus=share, max_retries=0)(ray_worker.train_there)
        self.shared = ray.put(shared)
        self.running: dict[Any, RemoteRunnable] = {}
        self.attempts: dict[str, _Attempts] = {}

    def run_all(self) -> None:
        """Start tasks and receive their results until all are done."""
        LOG.info("Ray: %d trainings, room for %d at once", self.schedule.total, self.schedule.workers)
        while self.schedule.unfinished:
            for task in self.schedule.start(None if self.limit is None else self.limit - len(self.running)):
                self._start(task)
            done, _ = self.ray.wait(list(self.running), num_returns=1, timeout=1.0)
            self._listen()
            for reference in done:
                task = self.running.pop(reference)
                seconds = self._receive(reference, task)
                if seconds is None:
                    self.schedule.again(task)
                else:
                    self.schedule.finished(task, seconds)

    def _start(self, task: RemoteRunnable) -> None:
        record = self.attempts.setdefault(task.name, _Attempts())
        record.count += 1
        record.node = ""
        there = self.there.options(name=task.name, scheduling_strategy=_place(record.avoid))
        device = "cuda:0" if self.device.type == "cuda" else "cpu"
        files = self.ray.put(task.needed())
        self.running[there.remote(self.shared, task, files, device, self.lines)] = task

    def _receive(self, reference: Any, task: RemoteRunnable) -> float | None:  # noqa: ANN401 - an object reference
        """Keep the files of a task; its seconds, or None if it must be tried again."""
        try:
            files, seconds = self.ray.get(reference)
            task.receive(files)
        except (self.ray.exceptions.RayError, DamagedError) as error:
            cause = getattr(error, "cause", None) or error  # what the task raised, or how it was lost
            if isinstance(cause, UserError):
                raise cause from None
            self._again(task, cause)
            return None
        return seconds

    def _again(self, task: RemoteRunnable, cause: Exception) -> None:
        """Note where it failed, and warn. UserError after the last attempt."""
        record = self.attempts[task.name]
        reason = f"{type(cause).__name__}: {str(cause).strip().splitlines()[0] if str(cause).strip() else ''}"
        if record.count >= ATTEMPTS:
            raise UserError(
                f"{task.name}: failed {ATTEMPTS} times, last with {reason} Look at the lines above; the same command "
                "resumes from what is finished."
            ) from cause
        if record.node:
            record.avoid.append(record.node)
        LOG.warning("%s: attempt %d of %d failed (%s): tried again", task.name, record.count, ATTEMPTS, reason)

    def _listen(self) -> None:
        """Handle the messages of the tasks: log lines, the machine that they run on, checkpoints."""
        count = self.lines.qsize()
        for item in self.lines.get_nowait_batch(count) if count else []:
            if isinstance(item, logging.LogRecord):
                LOG.handle(item)
            elif item[0] == CHECKPOINT:
                write_bytes(self.folders[item[1]] / checkpoint.FILE, item[2])
            else:
                self.attempts[item[1]].node = item[2]

    def stop(self) -> None:
        """Cancel the tasks that run, and keep the checkpoints that they send."""
        if not self.running:
            return
        for reference in self.running:
            self.ray.cancel(reference, force=False)
        _, late = self.ray.wait(list(self.running), num_returns=len(self.running), timeout=GRACE)
        with suppress(self.ray.exceptions.RayError):  # the cluster itself may be gone
            self._listen()
        for reference in late:
            self.ray.cancel(reference, force=True)


def _room(resources: Mapping[str, float], device: torch.device, jobs: int | None) -> tuple[int, float]:
    """How many tasks run at once, and the share of a GPU that each asks for (0 on a CPU)."""
    if device.type != "cuda":
        cpus = max(1, int(resources.get("CPU", 0)))
        return min(cpus, jobs or cpus), 0.0
    gpus = int(resources.get("GPU", 0))
    if gpus == 0:
        LOG.warning("Ray: no machine of the cluster has a GPU yet: the trainings wait for one")
    on_each = math.ceil(jobs / max(1, gpus)) if jobs else 1
    slots = max(1, gpus) * on_each
    return min(slots, jobs or slots), math.floor(1e4 / on_each) / 1e4


def _place(avoid: Sequence[str]) -> Any:  # noqa: ANN401 - one of Ray's strategies
    """Any machine, preferably none of these."""
    if not avoid:
        return "DEFAULT"
    from ray.util.scheduling_strategies import NodeLabelSchedulingStrategy, NotIn

    return NodeLabelSchedulingStrategy(hard={}, soft={"ray.io/node-id": NotIn(*avoid)})
