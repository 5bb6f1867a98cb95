"""No data that is read can run code: no pickle, weights as safetensors or `weights_only`, arrays without objects."""

import ast
from pathlib import Path

import pytest

import solution

ROOT = Path(solution.__file__).parent

FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "read_pickle", "to_pickle", "unpickle", "extractall"}
MUST_SAY = {("torch", "load"): ("weights_only", True), ("np", "load"): ("allow_pickle", False)}
"""What a call must say by a literal keyword."""

MAY = {("re", "compile"), ("torch", "compile"), ("self", "eval")}  # calls of the same name that do something else


def offences(source: str) -> list[str]:
    """What a module does that could run what it reads, by line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            found += [f"{node.lineno}: imports {n}" for n in names if n.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.Call):
            found += [f"{node.lineno}: {what}" for what in _wrong(node)]
    return found


def _wrong(call: ast.Call) -> list[str]:
    if isinstance(call.func, ast.Name):
        return [f"calls {call.func.id}"] if call.func.id in FORBIDDEN_CALLS else []
    if not isinstance(call.func, ast.Attribute):
        return []
    of = call.func.value.id if isinstance(call.func.value, ast.Name) else ""
    name = call.func.attr
    wanted = MUST_SAY.get((of, name))
    if wanted:
        said = {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
        return [] if said.get(wanted[0], "nothing") == wanted[1] else [f"{of}.{name} without {wanted[0]}={wanted[1]}"]
    dangerous = name in FORBIDDEN_CALLS - {"eval", "compile"} or (name == "compile" and (of, name) not in MAY)
    return [f"calls {of}.{name}"] if dangerous else []


def test_no_module_reads_data_that_can_run_code():
    found = {str(path.relative_to(ROOT)): offences(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")}
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import load",
        "import yaml",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=wish)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "archive.extractall(folder)",
        "eval(text)",
        "exec(text)",
        "compile(text, '', 'exec')",
    ],
)
def test_the_check_sees_each(source: str):
    assert len(offences(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "torch.load(path, weights_only=True)",
        "np.load(path, allow_pickle=False)",
        "re.compile(text)",
        "net.eval()",
        "json.loads(text)",
    ],
)
def test_the_check_lets_pass_what_is_harmless(source: str):
    assert offences(source) == []
