"""An empty home, fake clients of a few shell lines, and the real client in front of a stand-in for Kaggle."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from solution.data.competition import Competition
from solution.kaggle import submit as sending
from solution.kaggle.submission import write_submission
from tests.data.tiny import zip_of
from tests.kaggle.stand_in import TOKEN, StandIn, serving
from tests.small import predicted, small_competition

HEADER = "ref,fileName,date,description,status,publicScore,privateScore"
FIGURES = {"expected": 1.3, "expected_without_outliers": 1.2, "cv": 1.35, "cv_without_outliers": 1.25}
"""RMSE in px over both subsets, of the submission `file`."""

Client = Callable[..., Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and no Kaggle settings, so that no credentials of the user are read."""
    named = ("KAGGLE_", "XDG_", "VERBOSE")
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for name in [name for name in os.environ if name.startswith(named) or name.lower() in proxies]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PAUSE", 0.05)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Put a `kaggle` first on PATH that runs these shell lines to submit, list submissions or download.

    Returns the file that records the arguments of its calls, a word a line.
    """

    def install(submit: str = "", submissions: str = "echo No submissions found", download: str = "") -> Path:
        folder, calls = tmp_path / "bin", tmp_path / "calls"
        folder.mkdir(exist_ok=True)
        script = folder / "kaggle"
        cases = {"submit": submit, "submissions": submissions, "download": download}
        body = "\n".join(f"{name})\n:\n{lines}\n;;" for name, lines in cases.items())
        note = f'for word in "$@"; do echo "$word" >> \'{calls}\'; done'
        script.write_text(f'#!/bin/sh\n{note}\ncase "$2" in\n{body}\nesac\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return calls

    return install


@pytest.fixture
def site(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in for Kaggle that the real client talks to, logged in by a token."""
    with serving(StandIn()) as site:
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
        monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
        monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, site.address)
        yield site


@pytest.fixture
def competition() -> Competition:
    return small_competition(drawn=False)[0]


@pytest.fixture
def file(tmp_path: Path, competition: Competition) -> Path:
    record = {name: {"overall": value} for name, value in FIGURES.items()}
    return write_submission(tmp_path / "sub" / "best.csv", competition, predicted(small_competition()[1]), record)


@pytest.fixture(scope="session")
def bundle() -> bytes:
    """Kaggle's outer zip in form, with a training file of noise that makes it 2.5 MB."""
    noise = np.random.default_rng(0).bytes(2_500_000)
    return zip_of(
        {
            "IdLookupTable.csv": b"RowId,ImageId,FeatureName,Location\n",
            "SampleSubmission.csv": b"RowId,Location\n",
            "test.zip": zip_of({"test.csv": b"ImageId,Image\n"}),
            "training.zip": zip_of({"training.csv": noise}),
        }
    )
