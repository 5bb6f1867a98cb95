"""Where jobs run: in this process, or in local worker processes. A job starts when the one it starts from is done.

Workers never outlive the run: it ends them when it stops, and they end themselves when it is killed.
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
from solution.runtime.workers.task import Progress, Task, incomplete

LAST_LINES = 2.0  # seconds


def workers_for(device: torch.device, jobs: int | None) -> list[str]:
    """One device name a worker: each GPU once, or each core once; `jobs` workers where that is given."""
    if device.type == "cuda":
        gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if device.index is None else [str(device)]
        return [gpus[i % len(gpus)] for i in range(jobs or len(gpus))]
    return ["cpu"] * (jobs or cores())


def run_missing(
    title: str, tasks: Sequence[Task], device: torch.device, jobs: int | None, what: str = "trainings"
) -> None:
    """Run the tasks that are not complete on this machine. jobs: as for `workers_for`."""
    run(incomplete(title, tasks, what), workers_for(device, jobs))


def run(tasks: Sequence[Task], devices: Sequence[str]) -> None:
    """Run every task, as many at once as there are devices. The first error stops all and is raised."""
    if not tasks:
        return
    if len(devices) == 1:
        _run_here(tasks, devices[0])
    else:
        _run_in_workers(tasks, devices)


def _run_here(tasks: Sequence[Task], name: str) -> None:
    set_threads(1)
    device = take_device(name)
    progress = Progress(tasks, 1)
    waiting = list(tasks)
    while waiting:
        task = next(task for task in waiting if not task.after & {other.name for other in waiting})
        progress.finished(task, task.run(device))
        waiting.remove(task)


def _run_in_workers(tasks: Sequence[Task], devices: Sequence[str]) -> None:
    context = multiprocessing.get_context("spawn")
    lines: Any = context.Queue()
    names: Any = context.Queue()
    for device in devices:
        names.put(device)
    listener = logging.handlers.QueueListener(lines, *_handlers(), respect_handler_level=True)
    listener.start()
    pool = ProcessPoolExecutor(len(devices), mp_context=context, initializer=_start_worker, initargs=(lines, names))
    try:
        _schedule(tasks, pool, Progress(tasks, len(devices)), len(devices))
        pool.shutdown()
        listener.stop()
    except BrokenProcessPool as error:
        _stop(pool)
        _say_last(listener, lines)
        raise UserError(
            "expected every worker process to finish, one was ended from outside: most often for lack of memory. "
            "Run the same command again with a smaller --jobs; every finished epoch is kept."
        ) from error
    except BaseException:
        _stop(pool)
        _say_last(listener, lines)
        raise


def _handlers() -> list[logging.Handler]:
    """Where this process's own lines go: the log file and the terminal."""
    return [*LOG.handlers, *logging.getLogger().handlers]


def _schedule(tasks: Sequence[Task], pool: ProcessPoolExecutor, progress: Progress, workers: int) -> None:
    waiting = list(tasks)
    running: dict[Future, Task] = {}
    while waiting or running:
        ready = [task for task in waiting if not (task.after & _open(waiting, running))]
        for task in ready[: workers - len(running)]:
            waiting.remove(task)
            running[pool.submit(_work, task)] = task
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            progress.finished(running.pop(future), future.result())


def _open(waiting: Sequence[Task], running: dict[Future, Task]) -> set[str]:
    return {task.name for task in waiting} | {task.name for task in running.values()}


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers now: every finished epoch is on disk, and half-written files are never used."""
    workers = list((pool._processes or {}).values())  # the pool has no public way to end a running worker
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.join()
    pool.shutdown(cancel_futures=True)


def _say_last(listener: logging.handlers.QueueListener, lines: Any) -> None:  # noqa: ANN401 - a multiprocessing queue
    """Pass on the workers' last lines. One killed while it wrote holds the queue's lock for good: wait no longer."""
    lines.cancel_join_thread()
    ending = threading.Thread(target=listener.stop, daemon=True)
    ending.start()
    ending.join(LAST_LINES)


_DEVICE = torch.device("cpu")


def _start_worker(lines: Any, names: Any) -> None:  # noqa: ANN401 - multiprocessing queues
    global _DEVICE
    import signal

    threading.Thread(target=_end_with_the_run, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent ends the workers
    _DEVICE = take_device(names.get())
    set_threads(1)
    LOG.addHandler(logging.handlers.QueueHandler(lines))
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def _end_with_the_run() -> None:
    """End this worker at once when the process that started it is gone, killed or not.

    Nobody would take its results; and a new run, which finds the folder free, must not find it writing there.
    """
    run = multiprocessing.parent_process()
    assert run is not None
    run.join()
    os._exit(1)


def _work(task: Task) -> float:
    return task.run(_DEVICE)


def check_jobs(jobs: int | None) -> int | None:
    """--jobs as given; UserError where it is not a positive number."""
    if jobs is not None and jobs < 1:
        raise UserError(f"--jobs {jobs}: expected 1 or more")
    return jobs
