"""What the tests share: one thread, nothing left over from other tests, a tiny drawn competition and a finished run."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest
import torch

from solution import recipes
from solution.__main__ import main
from solution.data.competition import Competition
from solution.data.reader import read_competition
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.write import write_drawn
from solution.recipe import Recipe
from solution.runtime.device import LOG
from tests import tiny_recipes

torch.set_num_threads(1)
cv2.setNumThreads(0)

DRAWN = DrawnSettings(train15=45, train4=60, test15=8, test4=10, duplicates=0.1, test_duplicates=0, wrong=0.02)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests that take minutes, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="takes minutes: ./run_all.sh --test --slow"))


@contextmanager
def tidied_up() -> Iterator[None]:
    """Put the logging back that a command sets up."""
    loggers = (logging.getLogger(), LOG)
    before = [list(logger.handlers) for logger in loggers]
    level, propagate = LOG.level, LOG.propagate
    yield
    LOG.setLevel(level)
    LOG.propagate = propagate
    for logger, handlers in zip(loggers, before, strict=True):
        for handler in set(logger.handlers) - set(handlers):
            handler.close()
        logger.handlers[:] = handlers


@pytest.fixture(autouse=True)
def _no_left_overs() -> Iterator[None]:
    with tidied_up():
        yield


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let torch find this many GPUs."""

    def pretend(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return pretend


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawn faces in the competition's files, for reading only."""
    folder = tmp_path_factory.mktemp("drawn") / "faces"
    write_drawn(folder, DRAWN)
    return folder


@pytest.fixture(scope="session")
def drawn(drawn_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Competition:
    """The drawn faces as a value."""
    return read_competition(drawn_folder, tmp_path_factory.mktemp("cache"))


@pytest.fixture
def use_recipes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let these recipes stand in for those in solution/recipes, in this process."""

    def use(*chosen: Recipe) -> None:
        tiny_recipes.stand_in(monkeypatch, chosen)

    return use


@pytest.fixture(scope="session")
def finished(drawn_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a complete run of the tiny recipes on the drawn faces, for copying."""
    root = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch, tidied_up():
        tiny_recipes.stand_in(patch, tiny_recipes.ALL)
        assert main(["run", "--data", str(drawn_folder), "--scale", "smoke", "--jobs", "1"], root) == 0
    return root


@pytest.fixture
def finished_copy(finished: Path, tmp_path: Path, use_recipes: Callable[..., None]) -> Path:
    """A copy of the finished run, and its recipes in force."""
    use_recipes(*tiny_recipes.ALL)
    return Path(shutil.copytree(finished, tmp_path / "root"))


@pytest.fixture(autouse=True, scope="session")
def _recipes_are_cached() -> None:
    """Read the real recipes' names before any test stands others in."""
    recipes.names()
