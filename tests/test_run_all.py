import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.places import REPOSITORY


class Script:
    """run_all.sh in a folder of its own, with a `python` that takes down what it is called with."""

    def __init__(self, folder: Path) -> None:
        self.home, self.venv, self.calls = folder / "home", folder / "venv", folder / "calls"
        self.home.mkdir()
        for name in ("run_all.sh", "requirements.txt"):
            shutil.copy2(REPOSITORY / name, self.home / name)
        (self.venv / "bin").mkdir(parents=True)
        self.python("")
        self.stamp = self.venv / f".facial-keypoints-{hashlib.sha256(self.requirements).hexdigest()[:16]}"
        self.stamp.touch()

    @property
    def requirements(self) -> bytes:
        return (self.home / "requirements.txt").read_bytes()

    def python(self, lines: str) -> None:
        """Let `python` note its arguments and folder, then do these shell lines."""
        path = self.venv / "bin" / "python"
        path.write_text(f'#!/bin/sh\n{{ pwd; printf "%s\\n" "$@" --; }} >> \'{self.calls}\'\n{lines}\n')
        path.chmod(0o755)

    def __call__(
        self, *arguments: str, cwd: Path | None = None, active: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Call it with these arguments. active: with a virtual environment as a shell would have activated it."""
        path = f"{self.venv / 'bin'}{os.pathsep}{os.environ['PATH']}"
        venv = {"VIRTUAL_ENV": str(self.venv) if active else ""}
        return subprocess.run(
            [str(self.home / "run_all.sh"), *arguments],
            env={**os.environ, **venv, "PATH": path},
            cwd=cwd or self.home.parent,
            capture_output=True,
            text=True,
            timeout=30,
        )

    @property
    def called(self) -> list[list[str]]:
        """Folder and arguments of each call."""
        if not self.calls.exists():
            return []
        return [call.split("\n") for call in self.calls.read_text().removesuffix("\n--\n").split("\n--\n")]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_the_script_is_sound_shell():
    subprocess.run(["bash", "-n", str(REPOSITORY / "run_all.sh")], check=True)
    assert os.access(REPOSITORY / "run_all.sh", os.X_OK)


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ([], []),
        (["--scale", "smoke", "--jobs", "2", "--fresh"], ["--scale", "smoke", "--jobs", "2", "--fresh"]),
        (["--data", "my faces/x"], ["--data", "{cwd}/my faces/x"]),
        (["--data=../faces", "--fresh"], ["--data={up}/faces", "--fresh"]),
        (["--data", "/abs"], ["--data", "/abs"]),
    ],
)
def test_options_go_on_to_the_run_with_data_made_absolute(script: Script, arguments: list[str], passed: list[str]):
    cwd = script.home.parent / "else where"
    cwd.mkdir()
    assert script(*arguments, cwd=cwd).returncode == 0
    want = [word.format(cwd=cwd, up=cwd.parent) for word in passed]
    assert script.called == [[str(script.home), "-m", "solution", "run", *want]]


def test_tests_are_run_the_same_way(script: Script):
    assert script("--test", "-k", "some thing").returncode == 0
    assert script.called == [[str(script.home), "-m", "pytest", "-k", "some thing"]]


def test_data_without_a_folder_is_refused(script: Script):
    done = script("--data")
    assert done.returncode == 2
    assert done.stderr == "error: --data: expected a folder\n"
    assert script.called == []


def test_requirements_are_installed_once_for_each_version(script: Script):
    script.stamp.unlink()
    for _ in range(2):
        assert script().returncode == 0
    assert [call[1:4] for call in script.called if call[1] != "-c"] == [
        ["-m", "pip", "install"],
        ["-m", "solution", "run"],
        ["-m", "solution", "run"],
    ]
    assert script.stamp.exists()
    (script.home / "requirements.txt").write_text("numpy\n")
    assert script().returncode == 0
    assert [call[2] for call in script.called[-2:]] == ["pip", "solution"]


def test_a_failed_install_stops_and_leaves_no_stamp(script: Script):
    script.stamp.unlink()
    script.python('[ "$2" != pip ]')
    assert script().returncode != 0
    assert [call[2] for call in script.called if call[1] != "-c"] == ["pip"]
    assert not script.stamp.exists()


def test_an_active_environment_that_is_too_old_is_refused(script: Script):
    script.stamp.unlink()
    script.python('[ "$1" != -c ] || exit 1; echo Python 3.10.9')
    done = script()
    assert (done.returncode, done.stderr) == (2, "error: expected Python 3.11 or newer, got Python 3.10.9\n")
    assert "pip" not in [call[2] for call in script.called if len(call) > 2]


def test_a_python_that_is_new_enough_is_looked_for(script: Script):
    """python3.11 is not there and python3 is too old: a later one does."""
    script.python('[ "$2" != venv ] || { rm -r "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; }')
    own = script.venv / "bin"
    for name, version in (("python3.11", 10), ("python3", 9), ("python3.12", 12)):
        (own / name).write_text(
            f'#!/bin/sh\n[ {version} -ge 11 ] || {{ echo Python 3.{version}; exit 1; }}\nexec {own}/python "$@"\n'
        )
        (own / name).chmod(0o755)
    (script.home / ".venv" / "bin").mkdir(parents=True)
    done = script(active=False)
    assert done.returncode == 0, done.stderr
    assert [call[1:4] for call in script.called if call[1:3] == ["-m", "venv"]] == [["-m", "venv", "--clear"]]


@pytest.mark.parametrize("left", ["nothing", "no pip", "no python"])
def test_an_environment_that_is_not_whole_is_made_anew(script: Script, left: str):
    own = script.home / ".venv" / "bin"
    if left != "nothing":
        own.mkdir(parents=True)
        (own / ("pip" if left == "no python" else "python")).symlink_to("/bin/true")
    if left == "no python":
        (own / "python").symlink_to(script.home / "gone")
    script.python('[ "$2" != venv ] || { rm -r "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; }')
    (script.venv / "bin" / "python").rename(script.venv / "bin" / "python3.11")
    done = script(active=False)
    assert done.returncode == 0, done.stderr
    assert "Setup: making .venv" in done.stdout
    assert [call[1:4] for call in script.called if call[1:3] == ["-m", "venv"]] == [["-m", "venv", "--clear"]]


def test_the_runs_exit_code_is_the_scripts(script: Script):
    script.python("exit 2")
    assert script().returncode == 2
