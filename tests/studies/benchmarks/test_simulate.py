"""A finished run's trainings dealt out to more machines."""

import json
from pathlib import Path

import numpy as np
import pytest

from solution.__main__ import main
from solution.studies.benchmarks.simulate import Timed, critical_path, makespan, simulate

JOBS = [Timed("a/0", 4), Timed("b/0", 1), Timed("c/0", 2, "a/0"), Timed("d/0", 3, "b/0")]


def test_machines_take_the_first_job_that_waits_for_nobody():
    assert makespan(JOBS, 1) == 10
    assert makespan(JOBS, 2) == 6  # a then c on the one, b then d on the other
    assert makespan(JOBS, 64) == 6
    assert [job.name for job in critical_path(JOBS)] == ["a/0", "c/0"]


def test_more_machines_stop_helping_where_the_longest_chain_is_all_there_is():
    found = simulate(JOBS, (2, 4))
    assert found.seconds == {1: 10, 2: 6, 4: 6}
    assert (found.work, found.shortest, found.enough) == (10, 6, 2)
    assert found.speed_up(2) == pytest.approx(10 / 6)


def test_a_start_that_is_no_job_of_this_run_is_waited_for_by_nobody():
    assert makespan([Timed("c/0", 2, "gone/0"), Timed("d/0", 2)], 2) == 2


def test_no_number_of_machines_beats_the_chain_or_its_share_of_the_work():
    rng = np.random.default_rng(0)
    for _ in range(20):
        jobs: list[Timed] = []
        for i in range(30):
            after = f"{rng.integers(i)}" if i and rng.random() < 0.5 else None
            jobs.append(Timed(f"{i}", float(rng.uniform(1, 10)), after))
        found = simulate(jobs, (2, 3, 8, 64))
        for machines, seconds in found.seconds.items():
            assert seconds >= max(found.shortest, found.work / machines) - 1e-9
            assert seconds <= found.work / machines + found.shortest + 1e-9  # Graham's bound


def test_a_finished_runs_times_are_dealt_out(
    finished_copy: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
):
    command = ["bench", "--simulate", "--data", str(drawn_folder), "--scale", "smoke"]
    for path in finished_copy.glob("folds/faces/*/fold*/manifest.json"):
        content = json.loads(path.read_text())
        content["seconds"] = 60.0 if path.parts[-3] == "base" else 30.0
        path.write_text(json.dumps(content))
    capsys.readouterr()
    assert main([*command, "--json"], finished_copy) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["seconds"]["1"] == 5 * (60 + 30 + 30)
    assert found["critical_path_seconds"] == 90
    assert [name.split("/")[0] for name, _ in found["critical_path"]] == ["base", "child"]
    assert found["enough"] == 8
    assert main(command, finished_copy) == 0
    assert "No number of machines takes less than 1.5 min" in capsys.readouterr().out
    (finished_copy / "folds/faces/child/fold3/manifest.json").unlink()
    assert main(command, finished_copy) == 2
    assert "child/fold3: expected a finished training" in capsys.readouterr().err
