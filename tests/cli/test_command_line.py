"""The help and the errors of the command line, and what a real shell completes."""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from solution import __version__, recipes
from solution.__main__ import BROKEN_PIPE, main
from solution.cli import FAMILY, completion
from solution.cli.parser import load_command, parse, parser
from solution.recipe import SCALES
from solution.runtime.errors import suggestion
from tests.places import REPOSITORY


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The error, one line, that these words end with."""
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 2
    said, wrong = capsys.readouterr()
    assert said == ""
    assert wrong.count("\n") == 1
    assert wrong.startswith("error: ")
    return wrong


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rnu"], "invalid choice: 'rnu'. Did you mean run? See `python -m solution --help`."),
        (["SUBMISION"], "Did you mean submission?"),
        (["zzzz"], "There are: run, data, "),
        (["run", "--fresj"], "--fresj. Did you mean --fresh? See `python -m solution run --help`."),
        (["run", "--scael=cpu"], "--scael=cpu. Did you mean --scale?"),
        (["stack", "now"], "unrecognized arguments: now. See `python -m solution stack --help`."),
        (
            ["train", "--fold", "two"],
            "argument --fold: invalid int value: 'two'. See `python -m solution train --help`.",
        ),
        (["export", "unet_15", "--format", "onx"], "invalid choice: 'onx' (choose from 'onnx', 'torchscript')"),
        ([], "required: COMMAND. See `python -m solution --help`."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_is_refused_in_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert said in refused(capsys, *words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "unet15"], "recipe 'unet15': expected a file solution/recipes/unet15.py, found none. "
                               "Did you mean unet_15?"),
        (["train", "--recipe", "Unet_15"], "Did you mean unet_15?"),
        (["train", "--scale", "cpuu"], "--scale cpuu: expected one of smoke, cpu, full. Did you mean cpu?"),
    ],
)  # fmt: skip
def test_a_misspelt_name_is_refused_before_any_file_is_read(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    assert main(words, tmp_path) == 2
    wrong = capsys.readouterr().err
    assert said in wrong
    assert wrong.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_only_a_similar_name_is_suggested():
    assert suggestion("stak", ("stack", "run")) == "Did you mean stack?"
    assert suggestion("xyzzy", ("stack", "run")) == ""


def test_the_version_names_the_libraries_without_importing_them():
    code = (
        "import sys; from solution.__main__ import main\n"
        "try: main(['--version'])\n"
        "except SystemExit as end: sys.exit(end.code or 3 * bool({'torch', 'lightgbm', 'timm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert (done.returncode, done.stderr) == (0, "")
    python = ".".join(map(str, sys.version_info[:3]))
    assert f"{__version__} (python {python}, torch {version('torch')}," in done.stdout
    assert f"lightgbm {version('lightgbm')}," in done.stdout
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("name", FAMILY)
def test_the_examples_of_a_command_are_right(name: str):
    command = load_command(name)
    assert command.examples
    for example in command.examples:
        words = shlex.split(re.split(r" [|<>] ", example)[0], comments=True)
        assert parse(parser(), words).command == name


@pytest.mark.parametrize("name", FAMILY)
def test_every_argument_of_a_command_is_explained(name: str):
    parser = argparse.ArgumentParser()
    load_command(name).options(parser)
    assert [action.dest for action in parser._actions if not action.help] == []


def test_scales_and_recipes_are_completed_without_torch():
    assert completion.SCALES == SCALES
    assert completion._recipes() == recipes.names()
    code = "import sys; from solution.cli.completion import script; script('bash'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=REPOSITORY).returncode == 0


DRIVER = """
complete_line() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
  local command=${1##*/}
  local function=$(complete -p "$command" | sed -n 's/.* -F \\([^ ]*\\) .*/\\1/p')
  "$function" "$command" "${@: -1}" "${@: -2:1}" 2> /dev/null
  printf '%s\\n' "${COMPREPLY[@]}"
}
"""


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    path = tmp_path_factory.mktemp("completion") / "solution.bash"
    path.write_text(completion.script("bash"))
    return path


def completed(script: Path, *words: str, before: str = "") -> set[str]:
    """What a bash offers for the last of these words."""
    lines = [before, f"source {shlex.quote(str(script))}", DRIVER, shlex.join(["complete_line", *words])]
    environment = {"PATH": os.environ["PATH"], "HOME": str(script.parent)}
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", "\n".join(lines)],
        capture_output=True, text=True, timeout=30, cwd=REPOSITORY, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return {line for line in done.stdout.splitlines() if line}


@pytest.mark.parametrize("start", [("python", "-m", "solution"), ("python3", "-m", "solution"), ("solution",)])
def test_bash_completes_commands_options_and_recipes(bash_script: Path, start: tuple[str, ...]):
    assert completed(bash_script, *start, "") == set(FAMILY)
    assert completed(bash_script, *start, "subm") == {"submission", "submit"}
    assert completed(bash_script, *start, "run", "--fr") == {"--fresh"}
    assert completed(bash_script, *start, "run", "--scale", "") == set(SCALES)
    assert completed(bash_script, *start, "export", "") >= set(recipes.names())
    assert completed(bash_script, *start, "export", "unet_15", "--format", "o") == {"onnx"}
    names = {name for name in recipes.names() if name.startswith("regressor")}
    assert completed(bash_script, *start, "train", "--fold", "1", "--recipe", "regr") == names
    assert completed(bash_script, *start, "data", "--data", "solu") == {"solution"}


def test_bash_completes_the_script_as_a_run(bash_script: Path):
    assert completed(bash_script, "./run_all.sh", "--sc") == {"--scale"}
    assert completed(bash_script, "./run_all.sh", "--scale", "sm") == {"smoke"}


def test_other_uses_of_python_are_completed_as_before(bash_script: Path):
    assert completed(bash_script, "python", "-m", "pyt") == set()
    earlier = "_mine() { COMPREPLY=(mine); }; complete -F _mine python"
    assert completed(bash_script, "python", "-m", "pyt", before=earlier) == {"mine"}
    assert completed(bash_script, "python", "-m", "solution", "folds", "--dev", before=earlier) == {"--device"}
    late = '_mine() { COMPREPLY=(late); }; _completion_loader() { complete -F _mine "$1"; return 124; }'
    assert completed(bash_script, "python", "-m", "pyt", before=late) == {"late"}
    twice = f"{earlier}\nsource {shlex.quote(str(bash_script))}"
    assert completed(bash_script, "python", "-m", "solution", "sta", before=twice) == {"stack"}
    assert completed(bash_script, "python", "-m", "pyt", before=twice) == {"mine"}


def test_the_command_solution_is_the_module(bash_script: Path, tmp_path: Path):
    (tmp_path / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "python").chmod(0o755)
    script = f"source {shlex.quote(str(bash_script))}\nsolution run --data 'my faces'"
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["-m", "solution", "run", "--data", "my faces"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh_takes_the_script(tmp_path: Path):
    path = tmp_path / "solution.zsh"
    path.write_text(completion.script("zsh"))
    lines = (
        f'autoload -U compinit && compinit -u -D && eval "$(<{shlex.quote(str(path))})" && print -r -- $_comps[python]'
    )
    done = subprocess.run(["zsh", "-f", "-c", lines], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("_solution_python", "")


def test_a_pipe_that_is_closed_is_no_error():
    """As in `… | head`: the pipe is closed before the program prints."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "solution", "completion", "bash"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (BROKEN_PIPE, "")


def test_a_name_that_is_no_text_is_an_error_of_one_line(tmp_path: Path):
    command = [sys.executable, "-m", "solution", "photo", os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")]
    utf8 = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, env=utf8)
    assert done.returncode == 2
    assert "caf\\udce9.jpg: expected" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["folds", "--data"], ["evaluate", "--data"], ["video"]])
def test_a_path_that_no_file_can_have_is_an_error_of_one_line(words: list[str], capsys: pytest.CaptureFixture[str]):
    assert main([*words, "n" * 300]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: " + "n" * 300)
    assert said.endswith(": expected a path that can be used, got: File name too long\n")
