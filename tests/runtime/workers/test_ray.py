"""Jobs on a real Ray cluster: two machines on loopback, one of which is lost. Skipped where Ray is not installed."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from solution.__main__ import main
from solution.runtime import checkpoint
from solution.runtime.artifacts import MANIFEST
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.runtime.workers import ray as ray_executor
from solution.specialists import remote
from solution.specialists.job import Job
from tests import jobs
from tests.tiny_recipes import BASE, CHILD, OTHER

os.environ.setdefault("RAY_raylet_start_wait_time_s", "200")  # read when Ray is imported
ray = pytest.importorskip("ray", reason="Ray is an extra: pip install ray==2.60.0")
from ray.cluster_utils import Cluster  # noqa: E402 - only where it is installed

CPU = torch.device("cpu")
LIMIT = 600
"""Seconds that a test may take: a cluster that hangs must not hang the suite."""


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError(f"not done after {LIMIT} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def machines() -> Iterator[Cluster]:
    """A head that trains nothing, and two machines of one core each."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "wait": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1, wait=False)
    cluster.wait_for_nodes(timeout=200)  # on a busy machine Ray's own half minute is too short
    yield cluster
    ray.shutdown()
    cluster.shutdown()


class Watch(logging.Handler):
    """Keeps every line, and calls back on those that hold a text; once, where the call returns true."""

    def __init__(self, text: str, call: Callable[[logging.LogRecord], bool]) -> None:
        super().__init__()
        self.text, self.call, self.lines, self.over = text, call, [], False

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if not self.over and self.text in record.getMessage():
            self.over = self.call(record)


@pytest.fixture
def watch() -> Iterator[Callable[..., Watch]]:
    made: list[Watch] = []
    level = LOG.level
    LOG.setLevel(logging.INFO)

    def start(text: str = "", call: Callable[[logging.LogRecord], bool] = lambda record: True) -> Watch:
        made.append(Watch(text, call))
        LOG.addHandler(made[-1])
        return made[-1]

    yield start
    for one in made:
        LOG.removeHandler(one)
    LOG.setLevel(level)


def run_there(cluster: Cluster, *jobs_there: Job, pause: float = 60.0) -> None:
    ray_executor.run(jobs_there, remote.shared(jobs_there, pause), CPU, None, cluster.address)


def machine_of(process: int, cluster: Cluster) -> Any:
    """The machine whose child a worker process is."""
    parent = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return next(
        node for node in cluster.list_all_nodes() if any(p.process.pid == parent for p in node.all_processes["raylet"])
    )


def same_bytes(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir() if path.name not in (MANIFEST, "history.csv"))
    return names == sorted(p.name for p in other.iterdir() if p.name not in (MANIFEST, "history.csv")) and all(
        (one / name).read_bytes() == (other / name).read_bytes() for name in names
    )


def test_two_machines_leave_what_a_local_run_does(
    finished: Path, machines: Cluster, drawn_folder: Path, tmp_path: Path, watch: Callable[..., Watch]
):
    run, heard = jobs.run_of(tmp_path, drawn_folder), watch()
    trained = [
        run.job(name, fold) for name, fold in (("child", 0), ("child", 3), ("base", 0), ("base", 3), ("other", 0))
    ]
    run_there(machines, *trained)
    assert not ray.is_initialized()
    for job in trained:
        assert same_bytes(finished / "folds" / "faces" / job.recipe.name / f"fold{job.fold}", job.folder)
    assert "Ray: 5 trainings, room for 2 at once" in heard.lines
    assert "5 of 5 trainings done" in heard.lines
    assert sum(": done in " in line for line in heard.lines) == 5  # the machines are heard


def test_a_lost_machine_and_a_lost_process_cost_no_epoch_that_came_through(
    machines: Cluster, drawn_folder: Path, tmp_path: Path, watch: Callable[..., Watch]
):
    long = replace(BASE, epochs=120)
    far, near = (jobs.run_of(tmp_path / name, drawn_folder, [long]) for name in ("far", "near"))
    killers: list[threading.Thread] = []

    def begun(fold: int) -> bool:
        return (far.workspace.fold("base", fold) / checkpoint.FILE).exists()

    def lose_machine(record: logging.LogRecord) -> bool:
        if begun(0):
            node = machine_of(record.process, machines)
            killers.append(threading.Thread(target=machines.remove_node, args=(node, False)))
            killers[-1].start()
        return begun(0)

    def lose_process(record: logging.LogRecord) -> bool:
        if begun(1):
            os.kill(record.process, signal.SIGKILL)
        return begun(1)

    heard = watch("base fold 0: epoch", lose_machine)
    watch("base fold 1: epoch", lose_process)
    run_there(machines, *far.jobs()[:2], pause=0.1)
    for killer in killers:
        killer.join()
    assert len(killers) == 1
    for fold in (0, 1):
        assert any(f"base/{fold}: attempt 1 of 3 failed" in line for line in heard.lines)
        assert any(f"base fold {fold}: goes on after epoch" in line for line in heard.lines)
        near.job("base", fold).run(CPU)
        assert same_bytes(far.workspace.fold("base", fold), near.workspace.fold("base", fold))
        assert far.job("base", fold).is_complete()


def test_ctrl_c_cancels_and_keeps_epochs(
    machines: Cluster, drawn_folder: Path, tmp_path: Path, watch: Callable[..., Watch]
):
    endless = replace(BASE, epochs=100_000)
    trained = jobs.run_of(tmp_path, drawn_folder, [endless]).jobs()[:2]
    running: list[int] = []

    def press(record: logging.LogRecord) -> bool:
        running.append(record.process or 0)
        if len(running) == 2:
            threading.Timer(15, os.kill, (os.getpid(), signal.SIGINT)).start()
        return len(running) == 2

    watch(": on ", press)  # a job's first line
    with pytest.raises(KeyboardInterrupt):
        run_there(machines, *trained)
    assert not ray.is_initialized()
    for job in trained:  # sent when they were cancelled: a minute had not gone by
        state = checkpoint.load(job.folder, job.training)
        assert state is not None
        assert len(state["history"]) > 0
        assert not (job.folder / MANIFEST).exists()


def test_an_error_that_a_second_attempt_cannot_avoid_stops_the_run(
    machines: Cluster, drawn_folder: Path, tmp_path: Path, watch: Callable[..., Watch]
):
    run, heard = jobs.run_of(tmp_path, drawn_folder), watch()
    with pytest.raises(UserError, match=r"the finished training that child starts from") as told:
        run_there(machines, run.job("child", 0))
    assert str(tmp_path) in str(told.value)
    assert not any("tried again" in line for line in heard.lines)

    broken = replace(OTHER, model_args={"widths": "wide"})
    with pytest.raises(UserError, match=r"other/1: failed 3 times"):
        run_there(machines, run.job(broken, 1))
    assert sum("tried again" in line for line in heard.lines) == 2


def test_a_cluster_of_this_machine_alone(
    drawn_folder: Path, tmp_path: Path, watch: Callable[..., Watch], use_recipes: Callable[..., None]
):
    use_recipes(BASE, CHILD)
    heard = watch()
    common = ["--data", str(drawn_folder), "--scale", "smoke"]
    assert main(["folds", *common], tmp_path) == 0
    assert main(["train", *common, "--fold", "2", "--executor", "ray", "--jobs", "1"], tmp_path) == 0
    assert any("Ray: 2 trainings, room for 1 at once" in line for line in heard.lines)
    assert any("child fold 2: done" in line for line in heard.lines)
    assert not ray.is_initialized()


def test_no_cluster_there_is_one_line(tmp_path: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]):
    nowhere = "ray:127.0.0.1:1"
    assert main(["run", "--data", str(drawn_folder), "--scale", "smoke", "--executor", nowhere], tmp_path) == 2
    assert f"--executor {nowhere}: expected a Ray cluster" in capsys.readouterr().err
