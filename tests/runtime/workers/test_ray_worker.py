"""The files that travel to other machines and back, without Ray: a fake module stands in for it."""

import errno
import json
import pickle
import re
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from solution.__main__ import main
from solution.run import Run
from solution.runtime import checkpoint
from solution.runtime.artifacts import MANIFEST, as_user_error, write_bytes
from solution.runtime.errors import UserError
from solution.runtime.workers import ray, ray_worker
from solution.specialists import remote
from solution.specialists.job import METHODS, Job
from solution.specialists.training import PREDICTIONS, WEIGHTS, Training
from tests import jobs
from tests.places import REPOSITORY

CPU, GPU = torch.device("cpu"), torch.device("cuda")


class Lines:
    """A queue to a driver that only listens."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def put_nowait(self, item: Any) -> None:
        self.items.append(item)

    def said(self) -> list[str]:
        return [item.getMessage() for item in self.items if not isinstance(item, tuple)]

    def sent(self, kind: str) -> list[tuple[str, Any]]:
        return [(item[1], item[2]) for item in self.items if isinstance(item, tuple) and item[0] == kind]


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process passes for one of a cluster's."""
    context = SimpleNamespace(get_node_id=lambda: "node7")
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get_runtime_context=lambda: context))


@pytest.fixture
def driver(tmp_path: Path, drawn_folder: Path) -> Run:
    return jobs.run_of(tmp_path / "driver", drawn_folder)


def there_and_back(job: Job, lines: Lines) -> None:
    """What the driver does with a job that ends well. The job travels without its data."""
    sent = pickle.loads(pickle.dumps(job))
    made, seconds = ray_worker.train_there(remote.shared([job]), sent, job.needed(), "cpu", lines)
    assert seconds > 0
    job.receive(made)


@pytest.mark.usefixtures("there")
def test_a_training_on_another_machine_leaves_the_same_files(driver: Run, drawn_folder: Path, tmp_path: Path):
    here, lines = jobs.run_of(tmp_path / "here", drawn_folder), Lines()
    for name in ("base", "child"):  # the base's files must go along with the child
        here.job(name, 1).run(CPU)
        there_and_back(driver.job(name, 1), lines)
        ours, theirs = (run.workspace.fold(name, 1) for run in (here, driver))
        assert driver.job(name, 1).is_complete()
        assert {path.name for path in ours.iterdir()} == {path.name for path in theirs.iterdir()}
        for path in ours.iterdir():
            if path.name not in (MANIFEST, "history.csv"):  # these say how long it took
                assert path.read_bytes() == (theirs / path.name).read_bytes(), path
        one, other = (json.loads((folder / MANIFEST).read_text()) for folder in (ours, theirs))
        assert list(one) == list(other)
        assert one["inputs"] == other["inputs"]
    assert any("child fold 1: done" in line for line in lines.said())
    assert lines.sent(ray_worker.NODE) == [("base/1", "node7"), ("child/1", "node7")]


@pytest.mark.usefixtures("there")
def test_a_missing_parent_is_named_with_the_paths_of_the_driver(driver: Run):
    with pytest.raises(UserError, match=r"the finished training that child starts from") as told:
        there_and_back(driver.job("child", 0), Lines())
    assert str(driver.workspace.fold("base", 0)) in str(told.value)


@pytest.mark.usefixtures("there")
def test_a_full_disk_is_an_error_of_that_machine(driver: Run, monkeypatch: pytest.MonkeyPatch):
    def full(job: Training) -> None:
        with as_user_error(job.folder):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(METHODS, "landmarks", replace(METHODS["landmarks"], train=full))
    with pytest.raises(OSError, match="No space left"):
        there_and_back(driver.job("other", 0), Lines())


@pytest.mark.usefixtures("there")
def test_a_stopped_job_sends_its_checkpoint_and_the_next_attempt_gets_it(driver: Run, monkeypatch: pytest.MonkeyPatch):
    def stopped(job: Training) -> None:
        job.folder.mkdir(parents=True, exist_ok=True)
        (job.folder / checkpoint.FILE).write_bytes(b"two epochs")
        raise KeyboardInterrupt

    monkeypatch.setitem(METHODS, "landmarks", replace(METHODS["landmarks"], train=stopped))
    lines = Lines()
    with pytest.raises(KeyboardInterrupt):
        there_and_back(driver.job("other", 0), lines)
    assert lines.sent(ray_worker.CHECKPOINT) == [("other/0", b"two epochs")]
    write_bytes(driver.workspace.fold("other", 0) / checkpoint.FILE, b"two epochs")
    assert driver.job("other", 0).needed() == {"other/fold0/checkpoint.pt": b"two epochs"}


@pytest.mark.usefixtures("there")
def test_what_is_trained_only_predicts_again_on_the_machine(driver: Run, monkeypatch: pytest.MonkeyPatch):
    there_and_back(driver.job("other", 0), Lines())
    folder = driver.workspace.fold("other", 0)
    before = (folder / WEIGHTS).read_bytes()
    (folder / PREDICTIONS).write_bytes(b"damaged")

    def never(job: Training) -> None:
        raise AssertionError("trained again")

    monkeypatch.setitem(METHODS, "landmarks", replace(METHODS["landmarks"], train=never))
    there_and_back(driver.job("other", 0), Lines())
    assert driver.job("other", 0).is_complete()
    assert (folder / WEIGHTS).read_bytes() == before


def test_checkpoints_go_to_the_driver_while_a_job_runs(tmp_path: Path):
    lines, over = Lines(), threading.Event()
    (tmp_path / checkpoint.FILE).write_bytes(b"an epoch")
    thread = threading.Thread(target=ray_worker._send_until, args=(over, tmp_path, "a/0", lines, 0.05))
    thread.start()
    limit = time.time() + 10
    while len(lines.items) < 2 and time.time() < limit:
        time.sleep(0.01)
    over.set()
    thread.join()
    assert lines.sent(ray_worker.CHECKPOINT)[:2] == [("a/0", b"an epoch")] * 2


@pytest.mark.usefixtures("there")
def test_what_came_back_damaged_or_of_other_inputs_is_refused(driver: Run):
    job = driver.job("other", 2)
    made, _ = ray_worker.train_there(remote.shared([job]), job, {}, "cpu", Lines())
    for wrong in ({**made, WEIGHTS: made[WEIGHTS][:-1]}, {k: v for k, v in made.items() if k != WEIGHTS}):
        with pytest.raises(ray_worker.DamagedError, match="do not match their manifest"):
            job.receive(wrong)
    with pytest.raises(ray_worker.DamagedError, match="other inputs"):
        driver.job("other", 3).receive(made)
    assert not job.folder.exists()
    job.receive(made)
    assert job.is_complete()


@pytest.mark.parametrize("good", ["local", "ray", "ray:10.0.0.7:6379", "ray:auto"])
def test_executors_that_there_are(good: str):
    assert ray.check_executor(good) == good


@pytest.mark.parametrize("wrong", ["", "ray:", "rays", "local:2", "slurm"])
def test_an_executor_that_there_is_not(wrong: str):
    with pytest.raises(UserError, match="expected local, ray, or ray:HOST:PORT"):
        ray.check_executor(wrong)


def test_a_wrong_executor_is_one_line_of_the_command(
    tmp_path: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["run", "--data", str(drawn_folder), "--executor", "slurm"], tmp_path) == 2
    assert capsys.readouterr().err.startswith("error: --executor slurm: expected local, ray, or ray:HOST:PORT")
    assert list(tmp_path.iterdir()) == []


def test_an_address_is_what_follows_the_colon():
    assert ray.address_of("ray") is None
    assert ray.address_of("ray:head:6379") == "head:6379"


def test_ray_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install ray==2\.60\.0"), ray.cluster(None):
        pass


def test_the_version_named_is_the_documents():
    text = (REPOSITORY / "docs" / "scaling.md").read_text()
    assert set(re.findall(r"ray==([0-9.]+)", text)) == {ray.VERSION}


def test_room_on_cores_and_gpus():
    resources = {"CPU": 12.0, "GPU": 4.0}
    assert ray._room(resources, CPU, None) == (12, 0.0)
    assert ray._room(resources, CPU, 5) == (5, 0.0)
    assert ray._room(resources, GPU, None) == (4, 1.0)
    assert ray._room(resources, GPU, 2) == (2, 1.0)
    slots, share = ray._room(resources, GPU, 12)
    assert slots == 12
    assert 3 * share <= 1 < 4 * share
    assert ray._room({}, GPU, None) == (1, 1.0)


def test_which_gpu_is_the_clusters_to_say():
    assert ray.pick_device("head:6379", "cuda") == GPU
    for address in ("head:6379", None):
        with pytest.raises(UserError, match="--device cuda:1: expected auto, cpu or cuda with --executor ray"):
            ray.pick_device(address, "cuda:1")
