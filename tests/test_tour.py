"""The tour is run whole by .ci/run; here is what shows within a second that it no longer fits the code."""

import ast
import importlib

from tests.places import REPOSITORY

TOUR = REPOSITORY / "notebooks" / "tour.py"
TEXT = TOUR.read_text(encoding="utf-8")
MODULES = {"drawing": "solution.report.drawing", "pipeline": "solution.pipeline", "recipes": "solution.recipes"}


def cells() -> list[tuple[bool, list[str]]]:
    """Each cell's lines, and whether it is text."""
    found: list[tuple[bool, list[str]]] = []
    for line in TEXT.splitlines():
        if line.startswith("# %%"):
            found.append((line == "# %% [markdown]", []))
        else:
            found[-1][1].append(line)
    return found


def test_every_cell_is_text_or_code_that_stands_alone():
    kinds = [text for text, _ in cells()]
    assert kinds[0]
    assert sum(kinds) > 8
    for text, lines in cells():
        if text:
            assert all(line.startswith("#") for line in lines if line)
        else:
            ast.parse("\n".join(lines))


def test_what_it_imports_is_there():
    for node in ast.walk(ast.parse(TEXT)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("solution"):
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                assert hasattr(module, alias.name) or importlib.import_module(f"{node.module}.{alias.name}")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in MODULES:
            assert hasattr(importlib.import_module(MODULES[node.value.id]), node.attr)
