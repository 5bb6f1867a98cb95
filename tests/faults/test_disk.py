"""A full, read-only or failing disk: one clear line, earlier results stay intact, and a restart continues."""

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from solution.__main__ import main
from solution.runtime.artifacts import MANIFEST
from solution.specialists.training import WEIGHTS
from tests.faults.wholeness import check_all
from tests.tiny_recipes import ALL

FAILS_EVERY = 17  # writes: each kind of file is met, and the run still advances


@pytest.fixture
def run(drawn_folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Path], str | None]:
    """Run everything below a root: None on success, else the one line of the error."""

    def call(root: Path) -> str | None:
        capsys.readouterr()
        code = main(["run", "--data", str(drawn_folder), "--scale", "smoke", "--jobs", "1"], root)
        said = capsys.readouterr().err.splitlines()
        assert (code, len(said)) in ((0, 0), (2, 1)), said
        return said[0] if said else None

    return call


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here: that takes root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def sent(root: Path) -> bytes:
    return (root / "submissions" / "faces" / "submission.csv").read_bytes()


def forget(root: Path, *trainings: str) -> None:
    for name in trainings:
        shutil.rmtree(root / "folds" / "faces" / name)


def manifests(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.rglob(MANIFEST)}


def test_a_disk_that_fails_now_and_then_loses_nothing(
    tmp_path: Path,
    finished: Path,
    use_recipes: Callable[..., None],
    run: Callable[[Path], str | None],
    monkeypatch: pytest.MonkeyPatch,
):
    use_recipes(*ALL)
    written, failed = [0], set()
    fsync = os.fsync

    def fails_now_and_then(handle: int) -> None:
        written[0] += 1
        if written[0] % FAILS_EVERY == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    monkeypatch.setattr("solution.runtime.artifacts.os.fsync", fails_now_and_then)
    for _ in range(100):
        said = run(tmp_path)
        check_all(tmp_path)
        assert not [path for path in tmp_path.rglob(".*-*") if path.is_file()]
        if said is None:
            break
        assert "expected to write it, got: No space left on device. Free some space" in said
        failed.add(Path(said.split(":")[1].strip()).name)
    assert said is None
    assert len(failed) >= 3, failed
    assert sent(tmp_path) == sent(finished)


def test_files_that_may_not_grow_are_one_line(finished_copy: Path, finished: Path, run: Callable[[Path], str | None]):
    """The kernel itself refuses here: no file may grow beyond half of a network's weights."""
    forget(finished_copy, "base/fold2")
    before = manifests(finished_copy)
    size = (finished_copy / "folds" / "faces" / "base" / "fold1" / WEIGHTS).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))
    try:
        said = run(finished_copy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "base/fold2/checkpoint.pt: expected to write it, got: File too large" in (said or "")
    assert manifests(finished_copy) == before
    assert run(finished_copy) is None
    assert sent(finished_copy) == sent(finished)


def test_a_full_disk_is_one_line_and_the_restart_goes_on(
    tmpfs: Path, finished: Path, use_recipes: Callable[..., None], run: Callable[[Path], str | None]
):
    use_recipes(*ALL)
    root = Path(shutil.copytree(finished, tmpfs / "root"))
    forget(root, "base/fold2", "other/fold0", "stack")
    before = manifests(root)
    for left in (0, 40_000, 400_000):  # nothing can be written; a few small files; a training
        filler = tmpfs / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(tmpfs).free - left))
        said = run(root)
        assert "No space left on device" in (said or "")
        check_all(root)
        assert {path: at for path, at in manifests(root).items() if path in before} == before
        filler.unlink()
    assert run(root) is None
    assert sent(root) == sent(finished)


def test_a_read_only_disk_is_one_line(
    tmpfs: Path, finished: Path, use_recipes: Callable[..., None], run: Callable[[Path], str | None]
):
    use_recipes(*ALL)
    root = Path(shutil.copytree(finished, tmpfs / "root"))
    subprocess.run(["mount", "-o", "remount,ro", str(tmpfs)], check=True)
    said = run(root) or ""
    assert "folds/faces: expected a folder that can be written to, got: Read-only file system" in said
    assert sent(root) == sent(finished)
