"""Run tasks in this process or in local worker processes.

Workers never outlive the run. It ends them when it stops, and they end themselves when it is killed.
"""

import logging
import logging.handlers
import multiprocessing
import os
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import torch

from solution.runtime.device import LOG, cores, set_threads, take_device
from solution.runtime.errors import UserError
from solution.runtime.workers.schedule import Runnable, Schedule, incomplete

LAST_LINES = 2.0
"""Seconds that the last lines of ended workers may take."""


def workers_for(device: torch.device, jobs: int | None) -> list[str]:
    """The device of each worker: one worker a GPU or a core, or `jobs` workers."""
    if device.type == "cuda":
        gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if device.index is None else [str(device)]
        return [gpus[i % len(gpus)] for i in range(jobs or len(gpus))]
    return ["cpu"] * (jobs or cores())


def run_missing(
    title: str, tasks: Sequence[Runnable], device: torch.device, jobs: int | None, what: str = "trainings"
) -> None:
    """Run the tasks that are not complete on this machine. jobs: as for `workers_for`."""
    run(incomplete(title, tasks, what), workers_for(device, jobs))


def run(tasks: Sequence[Runnable], devices: Sequence[str]) -> None:
    """Run every task, one at a time on each device. The first error ends all tasks and is raised."""
    if len(devices) > 1 and tasks:
        _run_in_workers(tasks, devices)
        return
    set_threads(1)
    device, schedule = take_device(devices[0]), Schedule(tasks, 1)
    while schedule.unfinished:
        for task in schedule.start(1):
            schedule.finished(task, task.run(device))


def _run_in_workers(tasks: Sequence[Runnable], devices: Sequence[str]) -> None:
    context = multiprocessing.get_context("spawn")
    lines: Any = context.Queue()
    names: Any = context.Queue()
    for device in devices:
        names.put(device)
    handlers = [*LOG.handlers, *logging.getLogger().handlers]  # the log file and the terminal
    listener = logging.handlers.QueueListener(lines, *handlers, respect_handler_level=True)
    listener.start()
    pool = ProcessPoolExecutor(len(devices), mp_context=context, initializer=_start_worker, initargs=(lines, names))
    try:
        _run_all(Schedule(tasks, len(devices)), pool)
        pool.shutdown()
        listener.stop()
    except BrokenProcessPool as error:
        _stop(pool)
        _log_last(listener, lines)
        raise UserError(
            "expected every worker process to finish, but the system ended one, most often for lack of memory. "
            "Run the same command again with a smaller --jobs. Every finished epoch is kept."
        ) from error
    except BaseException:
        _stop(pool)
        _log_last(listener, lines)
        raise


def _run_all(schedule: Schedule, pool: ProcessPoolExecutor) -> None:
    running: dict[Future, Runnable] = {}
    while schedule.unfinished:
        for task in schedule.start(schedule.workers - len(running)):
            running[pool.submit(_work, task)] = task
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            schedule.finished(running.pop(future), future.result())


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers now. Every finished epoch is on disk, and half-written files are never used."""
    workers = list((pool._processes or {}).values())  # the pool has no public way to end a running worker
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.join()
    pool.shutdown(cancel_futures=True)


def _log_last(
    listener: logging.handlers.QueueListener,
    lines: Any,  # noqa: ANN401 - a multiprocessing queue
    seconds: float = LAST_LINES,
) -> None:
    """Log the workers' last lines, for a limited time: a worker killed while it wrote never frees the queue's lock."""
    lines.cancel_join_thread()
    ending = threading.Thread(target=listener.stop, daemon=True)
    ending.start()
    ending.join(seconds)


_DEVICE = torch.device("cpu")


def _start_worker(lines: Any, names: Any) -> None:  # noqa: ANN401 - multiprocessing queues
    global _DEVICE
    import signal

    threading.Thread(target=_end_with_run, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent ends the workers
    _DEVICE = take_device(names.get())
    set_threads(1)
    LOG.addHandler(logging.handlers.QueueHandler(lines))
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def _end_with_run() -> None:
    """End this worker when the process that started it is gone: a new run, which finds the folder free, may begin."""
    run = multiprocessing.parent_process()
    assert run is not None
    run.join()
    os._exit(1)


def _work(task: Runnable) -> float:
    return task.run(_DEVICE)


def check_jobs(jobs: int | None) -> int | None:
    """The value of --jobs. UserError if it is not positive."""
    if jobs is not None and jobs < 1:
        raise UserError(f"--jobs {jobs}: expected 1 or more")
    return jobs
