import logging.handlers
import multiprocessing
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from solution.runtime.device import cores
from solution.runtime.errors import UserError
from solution.runtime.workers import local
from solution.runtime.workers.local import check_jobs, workers_for
from solution.runtime.workers.schedule import Schedule
from tests import jobs
from tests.jobs import Die, Fail, Note

CPU = torch.device("cpu")


def test_tasks_run_after_what_they_depend_on_whatever_their_order(tmp_path: Path):
    names = [("c", "b"), ("b", "a x"), ("d", ""), ("a", "")]
    local.run([Note(name, tmp_path, frozenset(after.split())) for name, after in names], ["cpu"])
    began = {path.name: float(path.read_text().split()[0]) for path in tmp_path.iterdir()}
    assert sorted(began, key=began.__getitem__) == ["d", "a", "b", "c"]  # x is no task of this run: it is done already


def test_the_first_error_stops_the_rest(tmp_path: Path):
    with pytest.raises(RuntimeError, match="this one fails"):
        local.run([Note("a", tmp_path), Fail("b", tmp_path), Note("c", tmp_path)], ["cpu"])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_only_what_is_missing_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    (tmp_path / "b").touch()
    local.run_missing("Train", [Note("a", tmp_path), Note("b", tmp_path)], CPU, 1)
    assert caplog.messages == ["Train: 1 of 2 trainings are complete", "1 of 1 trainings done"]


def test_the_time_left_is_that_of_recipes_already_timed(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    small, large = ([Note(f"{kind}/{i}") for i in range(3)] for kind in ("small", "large"))
    schedule = Schedule([*small, *large], 2)
    for one in (*small, *large):
        schedule.finished(one, 60 if one in small else 600)
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
        Note("later", tmp_path, frozenset(["fails"])),
        Fail("fails", tmp_path, frozenset(["first"])),
        Note("first", tmp_path),
    ]
    with pytest.raises(RuntimeError, match="this one fails"):
        local.run(tasks, ["cpu", "cpu"])
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_a_worker_ended_from_outside_is_a_user_error(tmp_path: Path):
    with pytest.raises(UserError, match="smaller --jobs"):
        local.run([Die("dies", tmp_path)], ["cpu", "cpu"])


def test_two_workers_and_one_give_the_same_bytes(drawn_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    for root, devices in ((tmp_path / "one", ["cpu"]), (tmp_path / "two", ["cpu", "cpu"])):
        run = jobs.run_of(root, drawn_folder)
        local.run([run.job("child", 1), run.job("base", 0), run.job("base", 1)], devices)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("fold[01]/*"))
    assert len([path for path in files if path.name == "predictions.npz"]) == 3
    for path in files:
        if path.name not in ("manifest.json", "history.csv"):  # these say how long it took
            assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path
    assert len([line for line in caplog.messages if "child fold 1: done" in line]) == 2  # workers are heard


def test_a_run_travels_without_its_faces_and_a_worker_reads_them_once(drawn_folder: Path, tmp_path: Path):
    run = jobs.run_of(tmp_path, drawn_folder)
    run.competition, run.table  # noqa: B018 - they are read
    jobs_there = [pickle.loads(pickle.dumps(job)) for job in (run.job("child", 1), run.job("base", 0))]
    assert all(len(pickle.dumps(job)) < 10_000 for job in jobs_there)
    assert jobs_there[0].inputs == run.job("child", 1).inputs
    assert jobs_there[0].data is jobs_there[1].data is jobs_there[0].parent.data is not run


@pytest.mark.parametrize(
    ("granted", "workers"),
    [("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("900000 100000", 3), ("max 100000", 3), ("", 3)],
)
def test_a_containers_share_of_the_cores_is_not_exceeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, granted: str, workers: int
):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 3, 5})
    path = tmp_path / "cpu.max"
    assert cores(path) == 3  # no cgroups there
    path.write_text(f"{granted}\n")
    assert cores(path) == workers
    assert len(workers_for(CPU, None)) == cores()  # one a core
    assert workers_for(CPU, 2) == ["cpu"] * 2


def test_a_lock_that_a_killed_worker_held_stops_no_run():
    lines = multiprocessing.get_context("spawn").Queue()
    listener = logging.handlers.QueueListener(lines)
    listener.start()
    lines._wlock.acquire()  # as a worker leaves it that died in the middle of a line
    began = time.monotonic()
    local._log_last(listener, lines, 0.2)
    assert time.monotonic() - began < 5


def test_workers_share_the_gpus(gpus: Callable[[int], None]):
    gpus(4)
    every = [f"cuda:{i}" for i in range(4)]
    assert workers_for(torch.device("cuda"), None) == every
    assert workers_for(torch.device("cuda"), 2) == every[:2]
    assert workers_for(torch.device("cuda"), 6) == [*every, *every[:2]]
    assert workers_for(torch.device("cuda:1"), None) == ["cuda:1"]
    assert workers_for(torch.device("cuda:2"), 3) == ["cuda:2"] * 3


def test_jobs_must_be_a_positive_number():
    assert check_jobs(None) is None
    assert check_jobs(3) == 3
    for wrong in (0, -1):
        with pytest.raises(UserError, match=f"--jobs {wrong}: expected 1 or more"):
            check_jobs(wrong)
