"""Jobs on a Ray cluster: an existing one by its address, or one of this machine alone.

An executor is a function that takes tasks; `run` is the one for Ray. Data goes once through the object store, finished
folders come back and are sealed here, so that what lies on disk afterwards is what a local run leaves. A job whose
machine or process is lost is tried again elsewhere, from its last checkpoint that came through.
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
from solution.runtime.workers.ray_worker import CHECKPOINT, DamagedError, Payload, RemoteTask
from solution.runtime.workers.task import Progress

LOCAL, RAY = "local", "ray"
PACKAGE = Path(__file__).parents[2]
VERSION = "2.60.0"
ATTEMPTS = 3
GRACE = 10.0  # s that cancelled jobs have to send their last checkpoint


def check_executor(executor: str) -> str:
    """--executor as given; UserError where it is not local, ray or ray:ADDRESS."""
    kind, colon, address = executor.partition(":")
    if executor == LOCAL or (kind == RAY and bool(colon) == bool(address)):
        return executor
    raise UserError(f"--executor {executor}: expected local, ray, or ray:HOST:PORT of a cluster that runs")


def address_of(executor: str) -> str | None:
    """Where the cluster of "ray:ADDRESS" is; None for "ray", one of this machine alone."""
    return executor.partition(":")[2] or None


@contextmanager
def cluster(address: str | None) -> Iterator[ModuleType]:
    """Connected to the cluster at `address` (HOST:PORT, or "auto"), or to one of this machine's cores and GPUs.

    A connection that is open already is used and left open. UserError where Ray is not installed or no cluster there.
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
        signal.signal(signal.SIGTERM, terminated)  # Ray puts its own there: ours ends jobs and keeps checkpoints
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str | None) -> None:
    """OSError where nobody answers at HOST:PORT: Ray itself would go on trying for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def installed() -> ModuleType:
    """Ray; UserError where it is not installed."""
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
    """What ray.init is told. The package travels with the job: every machine runs this very code."""
    common: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": "ERROR",
        "runtime_env": {"py_modules": [str(PACKAGE)], "env_vars": {"OMP_NUM_THREADS": "1"}},
    }
    if address is None:
        return {**common, "address": "local", "num_cpus": runtime.cores(), "include_dashboard": False}
    return {**common, "address": address}


def pick_device(address: str | None, wish: str) -> torch.device:
    """The kind of device that jobs ask of the cluster, for auto, cpu or cuda. Which GPU is Ray's to say."""
    if wish not in ("auto", "cpu", "cuda"):
        raise UserError(f"--device {wish}: expected auto, cpu or cuda with --executor ray, which deals out the GPUs")
    if address is None:
        return torch.device(runtime.pick_device(wish).type)
    if wish != "auto":
        return torch.device(wish)
    with cluster(address) as ray:
        return torch.device("cuda" if ray.cluster_resources().get("GPU") else "cpu")


def run(
    tasks: Sequence[RemoteTask],
    shared: Payload,
    device: torch.device,
    jobs: int | None,
    address: str | None,
) -> None:
    """Run every task on the cluster. The first error that trying again cannot mend is raised.

    jobs: at most so many at once (default: as many as the cluster has room for).
    """
    if not tasks:
        return
    with cluster(address) as ray:
        fleet = _Fleet(ray, tasks, shared, device, jobs)
        try:
            fleet.work(tasks)
        finally:
            fleet.stop()


@dataclass
class _Attempts:
    """What is known of one task's attempts."""

    made: int = 0
    node: str = ""
    avoid: list[str] = field(default_factory=list)


class _Fleet:
    """The jobs of one run on one cluster. Ray itself tries nothing again: it would begin with the first epoch."""

    def __init__(
        self, ray: ModuleType, tasks: Sequence[RemoteTask], shared: Payload, device: torch.device, jobs: int | None
    ) -> None:
        from ray.util.queue import Queue  # not at the top: Ray need not be installed

        self.ray, self.device = ray, device
        self.folders = {task.name: task.folder for task in tasks}
        self.slots, self.share = _room(ray.cluster_resources(), device, jobs)
        self.limit = jobs
        here = _affinity(ray.get_runtime_context().get_node_id())
        self.lines: Any = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
        self.there = ray.remote(num_cpus=1, num_gpus=self.share, max_retries=0)(ray_worker.train_there)
        self.shared = ray.put(shared)
        self.running: dict[Any, RemoteTask] = {}
        self.attempts: dict[str, _Attempts] = {}

    def work(self, tasks: Sequence[RemoteTask]) -> None:
        """Start what can be started, gather what is done, until nothing is left."""
        waiting, progress = list(tasks), Progress(tasks, self.slots)
        LOG.info("Ray: %d trainings, room for %d at once", len(tasks), self.slots)
        while waiting or self.running:
            open_names = {task.name for task in waiting} | {task.name for task in self.running.values()}
            ready = [task for task in waiting if not task.after & open_names]
            for task in ready[: self._free()]:
                waiting.remove(task)
                self._start(task)
            done, _ = self.ray.wait(list(self.running), num_returns=1, timeout=1.0)
            self._listen()
            for reference in done:
                task = self.running.pop(reference)
                seconds = self._gather(reference, task)
                if seconds is None:
                    waiting.insert(0, task)
                else:
                    progress.finished(task, seconds)

    def _free(self) -> int | None:
        return None if self.limit is None else self.limit - len(self.running)

    def _start(self, task: RemoteTask) -> None:
        record = self.attempts.setdefault(task.name, _Attempts())
        record.made += 1
        record.node = ""
        there = self.there.options(name=task.name, scheduling_strategy=_elsewhere(record.avoid))
        device = "cuda:0" if self.device.type == "cuda" else "cpu"
        files = self.ray.put(task.needed())
        self.running[there.remote(self.shared, task, files, device, self.lines)] = task

    def _gather(self, reference: Any, task: RemoteTask) -> float | None:  # noqa: ANN401 - an object reference
        """Keep what a job made; its seconds, or None where it is to be tried again."""
        try:
            files, seconds = self.ray.get(reference)
            task.receive(files)
        except (self.ray.exceptions.RayError, DamagedError) as error:
            cause = getattr(error, "cause", None) or error  # what the job itself raised, or what became of it
            if isinstance(cause, UserError):
                raise cause from None
            self._again(task, cause)
            return None
        return seconds

    def _again(self, task: RemoteTask, cause: Exception) -> None:
        """Note where it failed, and say so. UserError after the last attempt."""
        record = self.attempts[task.name]
        reason = f"{type(cause).__name__}: {str(cause).strip().splitlines()[0] if str(cause).strip() else ''}"
        if record.made >= ATTEMPTS:
            raise UserError(
                f"{task.name}: failed {ATTEMPTS} times, last with {reason} Look at the lines above; the same command "
                "goes on with what is finished."
            ) from cause
        if record.node:
            record.avoid.append(record.node)
        LOG.warning("%s: attempt %d of %d failed (%s): tried again", task.name, record.made, ATTEMPTS, reason)

    def _listen(self) -> None:
        """Hear what the jobs said: log lines, where they run, their checkpoints."""
        count = self.lines.qsize()
        for item in self.lines.get_nowait_batch(count) if count else []:
            if isinstance(item, logging.LogRecord):
                LOG.handle(item)
            elif item[0] == CHECKPOINT:
                write_bytes(self.folders[item[1]] / checkpoint.FILE, item[2])
            else:
                self.attempts[item[1]].node = item[2]

    def stop(self) -> None:
        """Cancel what still runs, and keep the checkpoints it sends."""
        if not self.running:
            return
        for reference in self.running:
            self.ray.cancel(reference, force=False)
        _, late = self.ray.wait(list(self.running), num_returns=len(self.running), timeout=GRACE)
        with suppress(self.ray.exceptions.RayError):  # where the cluster itself is gone
            self._listen()
        for reference in late:
            self.ray.cancel(reference, force=True)


def _room(resources: Mapping[str, float], device: torch.device, jobs: int | None) -> tuple[int, float]:
    """How many jobs run at once, and the share of a GPU that each asks for (0 on a CPU)."""
    if device.type != "cuda":
        return _at_most(max(1, int(resources.get("CPU", 0))), jobs), 0.0
    gpus = int(resources.get("GPU", 0))
    if gpus == 0:
        LOG.warning("Ray: no machine of the cluster has a GPU yet: the trainings wait for one")
    on_each = math.ceil(jobs / max(1, gpus)) if jobs else 1
    return _at_most(max(1, gpus) * on_each, jobs), math.floor(1e4 / on_each) / 1e4


def _at_most(slots: int, jobs: int | None) -> int:
    return min(slots, jobs) if jobs else slots


def _affinity(node: str) -> Any:  # noqa: ANN401 - one of Ray's strategies
    """On this machine and no other: the queue must outlive every other one."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


def _elsewhere(avoid: Sequence[str]) -> Any:  # noqa: ANN401 - one of Ray's strategies
    """Anywhere; rather not on these machines, on which it has failed before."""
    if not avoid:
        return "DEFAULT"
    from ray.util.scheduling_strategies import NodeLabelSchedulingStrategy, NotIn

    return NodeLabelSchedulingStrategy(hard={}, soft={"ray.io/node-id": NotIn(*avoid)})
