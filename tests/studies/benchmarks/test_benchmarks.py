"""Benchmarks measure what they say. No test checks that something is fast."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from solution import recipes
from solution.__main__ import main
from solution.data.reader import read_competition
from solution.keypoints import SUBSETS
from solution.runtime.errors import UserError
from solution.studies.benchmarks import results, scaling
from solution.studies.benchmarks.parts import PARTS
from solution.studies.benchmarks.results import MATMUL, PYTHON, Measured, Row, ratios, read_measured
from solution.studies.benchmarks.scaling import Curve, Point
from solution.studies.benchmarks.setup import SMALL, BenchmarkSetup, fake_data, write_competition
from solution.studies.benchmarks.timer import Meter, TreeMemory, multiply_adds, peak_memory
from tests.tiny_recipes import BASE, CHILD, OTHER

CPU = torch.device("cpu")


def row(name: str = "a", seconds: tuple[float, ...] = (1.0, 1.0, 1.0), **fields: object) -> Row:
    settings = {"part": "train", "items": 10, "reference": MATMUL, "speed": 1e9, "busy": 1.0, **fields}
    return Row(name=name, seconds=seconds, **settings)  # type: ignore[arg-type]


def test_a_rows_figures_follow_from_its_repeats():
    counted = row(seconds=(1.0, 2.0, 3.0, 4.0, 5.0), multiply_adds=300_000_000)
    assert (counted.median, counted.rate, counted.share) == (3.0, 10 / 3, 0.1)
    assert counted.spread == pytest.approx(1 / 3)
    assert row(reference=PYTHON, multiply_adds=1).share is None
    assert row().share is None


def test_benches_are_compared_by_the_machines_speed_at_the_time():
    then = [row("same"), row("slower"), row("noisy", (0.5, 1.0, 1.5)), row("crowded"), row("other size"), row("gone")]
    now = [
        row("same", (2.0, 2.0, 2.0), speed=5e8),  # half as fast a machine
        row("slower", (2.0, 2.0, 2.0)),
        row("noisy", (1.0, 1.2, 1.4)),
        row("crowded", (4.0, 4.0, 4.0), busy=0.25),
        row("other size", items=20),
        row("new"),
    ]
    figures = {key: (ratio.plain, round(ratio.fair, 3), ratio.clear) for key, ratio in ratios(now, then).items()}
    assert figures == {
        "train: same": (2.0, 1.0, False),
        "train: slower": (2.0, 2.0, True),
        "train: noisy": (1.2, 1.2, False),
        "train: crowded": (4.0, 1.0, False),
    }


def test_a_bench_is_read_as_it_was_written(tmp_path: Path):
    measured = Measured({"cores": 2}, (row(multiply_adds=7, memory=1.5), row("b", reference=PYTHON)))
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(measured.as_json()))
    assert read_measured(path) == measured


@pytest.mark.parametrize(
    "content",
    [None, "", "[]", "{}", '{"version": 0, "facts": {}, "rows": []}', '{"version": 1, "rows": [{"part": 1}]}'],
)
def test_what_is_no_bench_is_refused_by_name(tmp_path: Path, content: str | None):
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(
        UserError, match=r"--against .*other\.json: expected the output of `python -m solution bench --json`"
    ):
        read_measured(path)


def test_a_bench_of_a_later_version_asks_for_newer_code(tmp_path: Path):
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(Measured({}, ()).as_json() | {"version": 3}))
    with pytest.raises(UserError, match=r"got version 3, which a later version of the code wrote. Update the code"):
        read_measured(path)


def test_multiply_adds_are_counted_forward_and_backward():
    weight = torch.ones(16, 4, requires_grad=True)
    given = torch.ones(8, 16, requires_grad=True)
    assert multiply_adds(lambda: given @ weight) == 8 * 16 * 4
    assert multiply_adds(lambda: (given @ weight).sum().backward()) == 3 * 8 * 16 * 4


def test_a_clock_measures_the_call_alone():
    idle = Meter(CPU).time(lambda: time.sleep(0.05), 3, PYTHON)
    assert len(idle["seconds"]) == 3
    assert all(0.05 <= s < 0.5 for s in idle["seconds"])
    assert idle["busy"] < 0.3
    assert idle["speed"] > 1e5
    working = Meter(CPU).time(lambda: sum(range(3_000_000)), 3, PYTHON)
    assert working["busy"] > 2 * idle["busy"]
    assert Meter(CPU).speed(MATMUL) > 1e8


def test_memory_is_the_most_that_a_block_took():
    with peak_memory(CPU) as little:
        pass
    with peak_memory(CPU) as much:
        np.ones(25 * 2**20)  # 200 MiB of float64, gone at once
    assert little.mib < 20
    assert 190 < much.mib < 260


def test_memory_of_all_processes_counts_children():
    code = "import time; held = bytearray(b'1') * (150 << 20); time.sleep(1)"
    with TreeMemory() as without:
        time.sleep(0.5)
    with TreeMemory() as memory:
        subprocess.run([sys.executable, "-c", code], check=True)
    assert memory.mib > without.mib + 140


def test_artificial_data_is_like_the_competitions_files(tmp_path: Path):
    faces = fake_data(90, 30)
    write_competition(tmp_path / "faces", faces)
    competition = read_competition(tmp_path / "faces", tmp_path / "cache")
    assert not competition.drawn
    for read, made in ((competition.train, faces.train), (competition.test, faces.test)):
        np.testing.assert_array_equal(read.images, made.images)
        np.testing.assert_array_equal(read.subset, made.subset)
    np.testing.assert_allclose(competition.train.coords, faces.train.coords, atol=1e-5)
    assert [int((faces.train.subset == s).sum()) for s in SUBSETS] == [30, 60]
    assert len({image.tobytes() for image in (*faces.train.images, *faces.test.images)}) == 120


def test_a_run_that_seems_finished_can_be_stacked(tmp_path: Path, use_recipes: Callable[..., None]):
    use_recipes(BASE, CHILD, OTHER)
    run = BenchmarkSetup(tmp_path, "smoke", CPU, SMALL).run
    assert len(run.jobs()) == 5 * len(run.recipes)
    assert all(job.is_complete() for job in run.jobs())


@pytest.fixture
def _quick_recipes(use_recipes: Callable[..., None]) -> None:
    """Every way of training there is."""
    use_recipes(BASE, CHILD, OTHER, recipes.load("eye_classifier"))


@pytest.mark.usefixtures("_quick_recipes")
def test_a_quick_bench_measures_every_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "--quick", "--json", "--scale", "smoke"], tmp_path) == 0
    said = capsys.readouterr().out
    content = json.loads(said)
    rows = {f"{r['part']}: {r['name']}": r for r in content["rows"]}
    assert {r["part"] for r in content["rows"]} == set(PARTS)
    assert all(r["median"] > 0 and r["speed"] > 0 for r in rows.values())
    assert {"train: base", "train: eye_classifier classes", "train: eye_classifier pretrain"} < set(rows)
    assert {"predict: base, 6 views", "predict: base, 2 views", "predict: eye_classifier, 2 views"} < set(rows)
    six, two = (rows[f"predict: base, {views} views"]["multiply_adds"] for views in (6, 2))
    assert six == 3 * two > 0
    assert rows["train: base"]["multiply_adds"] > 0
    assert list(tmp_path.iterdir()) == []  # nothing is left behind

    before = tmp_path / "before.json"
    before.write_text(said)
    assert main(["bench", "--quick", "--scale", "smoke", "--only", "read", "--against", str(before)], tmp_path) == 0
    table = " ".join(capsys.readouterr().out.split())
    assert "read: cache" in table
    assert "train: base" not in table
    assert "then: core time relative to the earlier benchmark" in table


@pytest.mark.usefixtures("_quick_recipes")
def test_a_bench_that_is_stopped_shows_what_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def stopped(setup: BenchmarkSetup) -> Iterator[Row]:
        yield row("the first")
        raise KeyboardInterrupt

    monkeypatch.setitem(PARTS, "train", stopped)
    command = ["bench", "--quick", "--scale", "smoke", "--only", "augment", "train", "predict"]
    assert main([*command, "--json"], tmp_path) == 130
    output = capsys.readouterr()
    content = json.loads(output.out)
    assert [row["part"] for row in content["rows"]] == ["augment", "train"]
    assert content["facts"]["stopped_in"] == "train"
    assert "Stopped in part train" in output.err
    assert "Every finished epoch" not in output.err
    assert main(command, tmp_path) == 130
    table = capsys.readouterr().out
    assert "train: the first" in table
    assert "predict" not in table


def test_training_counts_one_epochs_multiply_adds(tmp_path: Path, use_recipes: Callable[..., None]):
    use_recipes(BASE, replace(OTHER, batch=8))
    setup = BenchmarkSetup(tmp_path, "smoke", CPU, replace(SMALL, batches=2))
    forward_and_backward, other = (r.multiply_adds for r in PARTS["train"](setup))
    predicted = {r.name: r.multiply_adds for r in PARTS["predict"](setup)}
    a_view = predicted["base, 2 views"] / 2 / SMALL.faces
    # Forward, backward to the weights and backward to the inputs: three times a view, except in the first layer.
    assert 2 < forward_and_backward / (2 * BASE.batch * a_view) <= 3
    assert other > 0


def test_a_part_that_is_none_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "--only", "trian"], tmp_path) == 2
    assert "--only trian: expected one of start, read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        (["--scaling", "--only", "read"], "--only"),
        (["--scaling", "--against", "a.json", "--data", "x"], "--against, --data"),
        (["--simulate", "--quick"], "--quick"),
    ],
)
def test_what_would_be_passed_over_is_refused(
    arguments: list[str], got: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["bench", *arguments], tmp_path) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {arguments[0]}: expected none of --only, --against, ")
    assert said.endswith(f" with it, got {got}\n")


@pytest.mark.slow
@pytest.mark.usefixtures("_quick_recipes")
def test_scaling_has_a_curve_for_each_kind_of_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "--scaling", "--quick", "--json", "--scale", "smoke"], tmp_path) == 0
    curves = json.loads(capsys.readouterr().out)["curves"]
    assert {c["against"] for c in curves} == {"faces", "folds", "trainings at once"}
    assert {c["what"] for c in curves if c["against"] == "faces"} > {"reading", "stack", "report"}
    assert all(point["seconds"] > 0 for c in curves for point in c["points"])


def test_more_folds_take_more_time(tmp_path: Path, use_recipes: Callable[..., None]):
    use_recipes(BASE, OTHER)
    curves = list(scaling.by_folds(BenchmarkSetup(tmp_path, "smoke", CPU, SMALL), (2, 5)))
    assert [curve.what for curve in curves] == ["training, one epoch of all folds", "stack"]
    assert [[point.size for point in curve.points] for curve in curves] == [[2, 5], [2, 5]]
    assert all(point.seconds > 0 for curve in curves for point in curve.points)


def test_a_power_is_found_again():
    curve = Curve("some", "faces", tuple(Point(n, 1e-3 * n**1.5, 2.0 * n) for n in (100, 200, 400, 1000)))
    assert curve.exponent == pytest.approx(1.5)
    assert curve.memory_exponent == pytest.approx(1.0)


def test_tables_are_plain_where_there_is_no_terminal():
    machine = {"processor": "P", "gpu": None, "cores": 2, "torch": "2"}
    facts = machine | {"scale": "cpu", "precision": "bfloat16", "multiply_adds_a_second": 1e11}
    rows = (row(multiply_adds=3, memory=10.0), row("b", (0.5,), reference=PYTHON, items=1))
    text = io.StringIO()
    results.show(Measured(facts, rows), ratios(rows, rows[:1]), Console(file=text, width=100))
    lines = text.getvalue().splitlines()
    assert "\x1b" not in text.getvalue()
    assert any(line.startswith("train: a") and "1.00 (1.00)" in line and "10 MiB" in line for line in lines)
    assert any(line.startswith("train: b") and line.rstrip().endswith("new") for line in lines)
