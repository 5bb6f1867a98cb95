"""Kill -9 at random moments: the run resumes and ends with the same bytes, and no process is left behind."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.faults.processes import members, running, until
from tests.faults.wholeness import check_all

SENT = ("submission.csv", "submission-plain.csv")


@dataclass(frozen=True)
class Unbroken:
    """The submissions of an unbroken run, one training at a time, and the number of its lines."""

    sent: list[bytes]
    lines: int


def run_on(data: Path, jobs: int) -> list[str]:
    return ["run", "--data", str(data), "--scale", "smoke", "--jobs", str(jobs)]


def sent(root: Path) -> list[bytes]:
    return [(root / "submissions" / "faces" / name).read_bytes() for name in SENT]


@pytest.fixture(scope="module")
def unbroken(drawn_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    root = tmp_path_factory.mktemp("unbroken")
    with running(root, *run_on(drawn_folder, 1)) as command:
        assert command.ended() == 0, command.said
    check_all(root)
    return Unbroken(sent(root), len(command.said.splitlines()))


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(
    unbroken: Unbroken, drawn_folder: Path, tmp_path: Path, kills: int
):
    """There are two workers, and one in the unbroken run. The whole group and the parent alone are killed in turn.

    Each kill is a random time after a random line, so that a slow machine is killed at the same places as a fast one.
    """
    rng = np.random.default_rng(kills)
    root, killed = tmp_path / "root", 0
    while killed < kills:
        with running(root, *run_on(drawn_folder, 2)) as command:
            line, later = int(rng.integers(1, unbroken.lines // 2)), rng.uniform(0, 0.3)
            if command.says(line) and command.survives(later):
                print(f"kill {killed + 1}, {later:.2f} s after line {line}, behind: {command.last_words}", flush=True)
                command.kill(workers_too=killed % 2 == 1)
                check_all(root)
                killed += 1
                if "Report:" in command.said:
                    shutil.rmtree(root)  # all but nothing is left to be killed: from the start again
                continue
            assert command.process.returncode == 0, command.said
        assert sent(root) == unbroken.sent
        shutil.rmtree(root)  # it was done before its time came: from the start again
    with running(root, *run_on(drawn_folder, 2)) as command:
        assert command.ended() == 0, command.said
        until(lambda: members(command.process.pid) == [], 60)
    check_all(root)
    assert sent(root) == unbroken.sent


def test_workers_die_with_a_killed_parent_and_leave_the_folder_free(drawn_folder: Path, tmp_path: Path):
    with running(tmp_path, *run_on(drawn_folder, 2), EPOCHS="2000") as command:
        until(lambda: len(list(tmp_path.rglob("checkpoint.pt"))) == 2)  # the workers are at it
        assert len(members(command.process.pid)) >= 3
        command.kill(workers_too=False)
    with running(tmp_path, "folds", *run_on(drawn_folder, 2)[1:]) as command:
        assert command.ended() == 0, command.said
        assert "ended without finishing" in command.said
