"""The commands as a whole: each explains itself, and none is missing."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import solution
from solution.__main__ import main
from solution.cli import FAMILY
from solution.cli.parser import load_command


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]):
    for name in FAMILY:
        command = load_command(name)
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        said = " ".join(capsys.readouterr().out.split())
        assert f"needs: {command.needs} makes: {command.makes} " in said
        assert all(f"python -m solution {example}" in said for example in command.examples)


def test_the_registry_has_every_family_and_every_command_of_it():
    files = {path.stem for path in Path(solution.__file__).parent.glob("cli/[!_]*.py")} - {"parser"}
    assert files == set(FAMILY.values())
    for family in files:
        named = [name for name, its in FAMILY.items() if its == family]
        assert list(import_module(f"solution.cli.{family}").COMMANDS) == named


def test_help_waits_for_no_torch():
    code = "import sys; from solution.__main__ import parser; parser(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_command_ends_with_2(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["fly"])
    assert ended.value.code == 2
    assert "invalid choice: 'fly'" in capsys.readouterr().err
