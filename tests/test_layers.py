"""Imports point one way. A new package takes its place in LAYERS; what it imports stands in its layer or earlier."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import solution

ROOT = Path(solution.__file__).parent

LAYERS = [
    "keypoints runtime table",
    "faces codecs",
    "recipe data",
    "models recipes evaluation kaggle",
    "specialists",
    "ensemble run",
    "report deploy",
    "pipeline",
    "studies",
    "cli",
    "__main__",
]
LAYER_OF = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms.split()}


def layer_of(module: str) -> int:
    """The layer of the package that a module is in."""
    return LAYER_OF[module.split(".")[0]]


def module_of(path: Path) -> str:
    """A file's module below solution, "data.cache" or "data" for its __init__."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py"}


def imports_of(path: Path) -> set[str]:
    """The modules of solution that a file imports, wherever in it the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: expected absolute imports"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    own = {name.removeprefix("solution.") for name in found if name.startswith("solution.")}
    return own & set(MODULES)


def test_every_module_has_its_place():
    assert {module.split(".")[0] for module in MODULES} - set(LAYER_OF) == set()
    assert set(LAYER_OF) - set(MODULES) == set()


def test_imports_point_one_way():
    wrong = [
        f"{module} imports {other}"
        for module, path in MODULES.items()
        for other in imports_of(path)
        if layer_of(other) > layer_of(module)
    ]
    assert wrong == []


def test_imports_go_in_no_circle():
    graph = {module: imports_of(path) - {module} for module, path in MODULES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_the_check_sees_imports():
    assert {"evaluation.metrics", "codecs"} & imports_of(ROOT / "recipe.py") == {"codecs"}
    assert "run" in imports_of(ROOT / "cli" / "stages.py")  # it stands inside a function
