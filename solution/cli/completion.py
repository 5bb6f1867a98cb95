"""The command `completion`: shell completion of `python -m solution`, `./run_all.sh` and `solution`."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules

import solution
from solution.cli.parser import Command

SCALES = ("smoke", "cpu", "full")  # a copy of recipe.SCALES: its import takes seconds
DEVICES = ("auto", "cpu", "cuda")

BASH = """
solution() { python -m solution "$@"; }

# An earlier completion of python stays in use for everything but `-m solution`.
for _solution_load in _comp_load _completion_loader; do
  if declare -F "$_solution_load" > /dev/null; then "$_solution_load" python; break; fi
done
_solution_now=$(complete -p python 2> /dev/null | sed -n 's/.* -F \\([^ ]*\\) .*/\\1/p')
[[ $_solution_now == _solution_python ]] || _solution_before=$_solution_now

_solution_python() {
  if [[ ${COMP_WORDS[1]} == -m && ${COMP_WORDS[2]} == solution ]] && ((COMP_CWORD > 2)); then
    COMP_WORDS=(solution "${COMP_WORDS[@]:3}")
    ((COMP_CWORD -= 2))
    _shtab_solution
  elif [[ -n $_solution_before ]]; then
    "$_solution_before" "$@"
  fi
}
complete -o bashdefault -o default -F _solution_python python python3

_solution_run_all() {
  COMP_WORDS=(solution run "${COMP_WORDS[@]:1}")
  ((COMP_CWORD += 1))
  _shtab_solution
}
complete -o bashdefault -F _solution_run_all run_all.sh
"""

ZSH = """
solution() { python -m solution "$@" }

_solution_python() {
  if [[ $words[2] == -m && $words[3] == solution ]] && (( CURRENT > 3 )); then
    words=(solution "${(@)words[4,-1]}")
    (( CURRENT -= 2 ))
    _shtab_solution
  else
    _python "$@"
  fi
}
compdef _solution_python python python3

_solution_run_all() {
  words=(solution run "${(@)words[2,-1]}")
  (( CURRENT += 1 ))
  _shtab_solution
}
compdef _solution_run_all run_all.sh
"""
SHELLS = {"bash": BASH, "zsh": ZSH}


def _completion_options(parser: argparse.ArgumentParser) -> None:
    shell = 'the shell, which runs eval "$(python -m solution completion SHELL)"'
    parser.add_argument("shell", choices=tuple(SHELLS), help=shell)


def _completion(options: argparse.Namespace, root: Path) -> None:
    print(script(options.shell))


def script(shell: str) -> str:
    """The script for a shell: shtab's functions for the whole command line, and the commands that use them."""
    import shtab

    from solution.cli.parser import parser

    whole = parser()
    whole.prog = "solution"
    words = {"scale": SCALES, "device": DEVICES, "recipe": _recipes()}
    for action in _actions(whole):
        if action.dest in words:
            action.choices = words[action.dest]
        elif action.type is Path:
            kind = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE
            action.complete = kind  # type: ignore[attr-defined]  # shtab's own attribute of argparse's class
    return shtab.complete(whole, shell, root_prefix="solution") + "\n" + SHELLS[shell]


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument of a parser and of its commands. argparse has no public way to list them."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command_parser in action.choices.values():
                yield from _actions(command_parser)


def _recipes() -> tuple[str, ...]:
    """The names of recipes.names(), without its import, which takes seconds."""
    return tuple(sorted(module.name for module in iter_modules([str(Path(solution.__file__).parent / "recipes")])))


COMMANDS = {
    "completion": Command(
        help="print a script that lets the shell complete commands, options and recipes",
        needs="bash, or zsh with compinit",
        makes="a script for eval, and the shell command `solution`",
        examples=("completion bash", "completion zsh"),
        options=_completion_options,
        run=_completion,
    ),
}
