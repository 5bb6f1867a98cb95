import logging.handlers
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from solution.runtime import device as runtime
from solution.runtime.errors import UserError
from solution.runtime.workers import local
from solution.runtime.workers.local import Progress, Task, check_jobs, workers_for
from tests import jobs

CPU = torch.device("cpu")


def task(name: str, call: Callable[..., float], *arguments: Any, after: str = "") -> Task:
    return Task(name, "some", call, arguments, frozenset(after.split()))


def test_tasks_run_after_what_they_depend_on_whatever_their_order():
    order: list[str] = []

    def run(name: str, device: torch.device) -> float:
        order.append(name)
        return 0.0

    tasks = [task(name, run, name, after=after) for name, after in (("c", "b"), ("b", "a x"), ("d", ""), ("a", ""))]
    local.run(tasks, ["cpu"])
    assert order == ["d", "a", "b", "c"]  # x is no task of this run: what it stands for is done already


def test_the_first_error_stops_the_rest(tmp_path: Path):
    tasks = [task("a", jobs.note, tmp_path, "a"), task("b", jobs.fail, tmp_path), task("c", jobs.note, tmp_path, "c")]
    with pytest.raises(RuntimeError, match="this one fails"):
        local.run(tasks, ["cpu"])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_time_left_is_that_of_recipes_already_timed(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    small, large = ([Task(f"{kind}/{i}", kind, jobs.note, ()) for i in range(3)] for kind in ("small", "large"))
    progress = Progress([*small, *large], 2)
    for one in (*small, *large):
        progress.finished(one, 60 if one in small else 600)
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 6 trainings done, about 1.0 min left and 3 trainings of recipes not timed yet",
        "2 of 6 trainings done, about 0.5 min left and 3 trainings of recipes not timed yet",
        "3 of 6 trainings done, 3 trainings of recipes not timed yet",
        "4 of 6 trainings done, about 10.0 min left",
        "5 of 6 trainings done, about 5.0 min left",
        "6 of 6 trainings done",
    ]


def test_nothing_to_do_starts_no_worker():
    local.run([], ["cpu"] * 64)


def test_an_error_in_a_worker_stops_all_after_what_was_done(tmp_path: Path):
    tasks = [
        task("later", jobs.note, tmp_path, "later", after="fails"),
        task("fails", jobs.fail, tmp_path, after="first"),
        task("first", jobs.note, tmp_path, "first"),
    ]
    with pytest.raises(RuntimeError, match="this one fails"):
        local.run(tasks, ["cpu", "cpu"])
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_a_worker_ended_from_outside_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="smaller --jobs"):
        local.run([task("dies", jobs.die, tmp_path)], ["cpu", "cpu"])


def test_two_workers_and_one_give_the_same_bytes(drawn_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    for root, devices in ((tmp_path / "one", ["cpu"]), (tmp_path / "two", ["cpu", "cpu"])):
        jobs.bench_of(root, drawn_folder)
        tasks = [
            task(f"{name}{fold}", jobs.train_tiny, root, drawn_folder, name, fold, after=after)
            for name, fold, after in (("child", 1, "base1"), ("base", 0, ""), ("base", 1, ""))
        ]
        local.run(tasks, devices)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("fold[01]/*"))
    assert len([path for path in files if path.name == "predictions.npz"]) == 3
    for path in files:
        if path.name not in ("manifest.json", "history.csv"):  # these say how long it took
            assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path
    assert len([line for line in caplog.messages if "child fold 1: done" in line]) == 2  # workers are heard


def test_one_worker_a_core_or_as_many_as_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 3, 5})
    assert workers_for(CPU, None) == ["cpu"] * 3
    assert workers_for(CPU, 2) == ["cpu"] * 2


@pytest.mark.parametrize(
    ("granted", "workers"),
    [("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("900000 100000", 3), ("max 100000", 3), ("", 3)],
)
def test_a_containers_share_of_the_cores_is_not_exceeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, granted: str, workers: int
):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 3, 5})
    monkeypatch.setattr(runtime, "CGROUP", tmp_path / "cpu.max")
    assert workers_for(CPU, None) == ["cpu"] * 3  # no cgroups there
    (tmp_path / "cpu.max").write_text(f"{granted}\n")
    assert workers_for(CPU, None) == ["cpu"] * workers


def test_a_lock_that_a_killed_worker_held_stops_nobody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(local, "LAST_LINES", 0.2)
    lines = multiprocessing.get_context("spawn").Queue()
    listener = logging.handlers.QueueListener(lines)
    listener.start()
    lines._wlock.acquire()  # as who died in the middle of a line leaves it
    began = time.monotonic()
    local._say_last(listener, lines)
    assert time.monotonic() - began < 5


def test_workers_share_the_gpus(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert workers_for(torch.device("cuda"), None) == ["cuda:0", "cuda:1"]
    assert workers_for(torch.device("cuda"), 3) == ["cuda:0", "cuda:1", "cuda:0"]
    assert workers_for(torch.device("cuda:1"), None) == ["cuda:1"]


def test_jobs_must_be_a_positive_number():
    assert check_jobs(None) is None
    assert check_jobs(3) == 3
    for wrong in (0, -1):
        with pytest.raises(UserError, match=f"--jobs {wrong}: expected 1 or more"):
            check_jobs(wrong)
