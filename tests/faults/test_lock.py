"""Two processes at once in one folder: the second refuses, readers read, and a dead holder holds nothing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from solution.__main__ import main
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.write import ensure_drawn
from solution.runtime import lock
from solution.runtime.artifacts import OLD, remove_stale
from solution.runtime.errors import UserError
from tests.faults.processes import environment

HOLD = """
import subprocess, sys, time
from pathlib import Path
from solution.runtime import lock
with lock.hold(Path(sys.argv[1])):
    if "--child" in sys.argv:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(5)"], stdout=subprocess.DEVNULL)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder, as `run --fresh` would be shown."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), "run", "--fresh", *more],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline()
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def take(folder: Path) -> None:
    with lock.hold(folder):
        pass


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_second_is_refused_with_the_name_of_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with held(tmp_path) as holder:
        said = rf"another run holds this folder: process {holder.pid} on .+ \(since \d{{4}}-.+run --fresh\)"
        with pytest.raises(UserError, match=said):
            take(tmp_path)
        assert f"process {holder.pid} on" in (lock.holder(tmp_path) or "")
        holder.communicate("")
    assert lock.holder(tmp_path) is None
    take(tmp_path)
    assert names(tmp_path) == []
    assert caplog.messages == []


def test_one_process_may_hold_it_several_times(tmp_path: Path):
    with lock.hold(tmp_path):
        take(tmp_path)
        assert names(tmp_path) == [lock.FILE]
        assert lock.holder(tmp_path) is None
    assert names(tmp_path) == []


def test_an_error_lets_it_go(tmp_path: Path):
    with pytest.raises(KeyError), lock.hold(tmp_path):
        raise KeyError
    with held(tmp_path):
        pass


def test_a_killed_holder_holds_nothing_and_is_named_even_where_its_children_live_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with held(tmp_path, "--child") as holder:
        pass
    assert names(tmp_path) == [lock.FILE]
    take(tmp_path)
    assert f"process {holder.pid} on" in caplog.text
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[]", b'{"pid": 1}', b"9" * 100_000])
def test_the_content_of_the_lock_file_is_not_trusted(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture):
    (tmp_path / lock.FILE).write_bytes(content)
    take(tmp_path)
    assert caplog.messages == []


def test_many_at_once_take_turns(tmp_path: Path):
    """Each adds one to a number in a file, unprotected but by the lock; one that is refused tries again."""
    count = tmp_path / "count"
    count.write_text("0")
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from solution.runtime import lock\nfrom solution.runtime.errors import UserError\n"
        "lock.TRIES = 1\nfolder, left = Path(sys.argv[1]), 20\nwhile left:\n    try:\n        with lock.hold(folder):\n"
        "            n = int((folder / 'count').read_text())\n            time.sleep(0.002)\n"
        "            (folder / 'count').write_text(str(n + 1))\n            left -= 1\n"
        "    except UserError:\n        time.sleep(0.001)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    adders = [subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [adder.wait(60) for adder in adders] == [0] * 4
    assert count.read_text() == "80"
    assert names(tmp_path) == ["count"]


def test_a_second_run_is_one_line_and_touches_nothing(
    finished_copy: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
):
    folds = finished_copy / "folds" / "faces"
    with held(folds) as holder:
        before = {path: path.stat().st_mtime_ns for path in finished_copy.rglob("*") if path.name != "log.txt"}
        for verb, *more in (["run"], ["run", "--fresh"], ["folds"], ["train"], ["stack"]):
            assert main([verb, "--data", str(drawn_folder), "--scale", "smoke", *more], finished_copy) == 2
            said = capsys.readouterr().err.splitlines()
            assert len(said) == 1
            assert f"another run holds this folder: process {holder.pid} on" in said[0]
        after = {path: path.stat().st_mtime_ns for path in finished_copy.rglob("*") if path.name != "log.txt"}
    assert {path for path in before | after if before.get(path) != after.get(path) and path.is_file()} == set()


def test_readers_read_while_a_run_is_at_work(
    finished_copy: Path, drawn_folder: Path, capsys: pytest.CaptureFixture[str]
):
    report = ["report", "--data", str(drawn_folder), "--scale", "smoke"]
    evaluation = finished_copy / "folds" / "faces" / "evaluation"
    with held(finished_copy / "folds" / "faces") as holder:
        assert main(report, finished_copy) == 0
        shutil.rmtree(evaluation)
        assert main(report, finished_copy) == 0
        assert not evaluation.exists()  # only the holder of the lock writes there
        (finished_copy / "folds" / "faces" / "base" / "fold0" / "manifest.json").unlink()
        assert main(report, finished_copy) == 2
        assert f"Wait for process {holder.pid} on" in capsys.readouterr().err
    assert main(report, finished_copy) == 2
    assert "Run `python -m solution stack`" in capsys.readouterr().err


def test_faces_are_drawn_by_one_process_at_a_time(tmp_path: Path):
    small = DrawnSettings(train15=2, train4=3, test15=1, test4=1)
    with held(tmp_path), pytest.raises(UserError, match="another run holds this folder"):
        ensure_drawn(tmp_path, small)
    ensure_drawn(tmp_path, small)
    with held(tmp_path):
        ensure_drawn(tmp_path, small)


def test_unfinished_files_are_swept_away_once_they_are_old(tmp_path: Path):
    old, new, other = (tmp_path / name for name in (".0123456789ab-a.npz", ".ba9876543210-b.npz", ".hidden-c.npz"))
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (path.stat().st_mtime - 2 * OLD,) * 2)
    remove_stale(tmp_path)
    assert names(tmp_path) == sorted([new.name, other.name])


def test_a_file_system_without_locks_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def refuse(handle: int, how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    take(tmp_path)
    assert "this file system has no locks" in caplog.text


def test_a_holder_that_leaves_lets_the_next_one_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The file is removed between its opening and its locking: the next process must lock the new one."""
    opened: Callable[..., int] = os.open
    handles: list[int] = []

    def open_and_lose(path: Path, *flags: int) -> int:
        handles.append(opened(path, *flags))
        if len(handles) == 1:
            Path(path).unlink()
        return handles[-1]

    monkeypatch.setattr(lock.os, "open", open_and_lose)
    with lock.hold(tmp_path):
        monkeypatch.undo()
        assert len(handles) == 2
        command = [sys.executable, "-c", HOLD, str(tmp_path)]
        done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1
    assert "another run holds this folder" in done.stderr
