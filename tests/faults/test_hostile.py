"""Hostile input is refused in one line, without a hang, with little memory, and without stray files."""

import io
import re
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from solution.data import archive, table
from solution.data.archive import Source
from solution.data.reader import read_competition
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.write import ensure_drawn, write_drawn
from solution.data.table import read_rows
from solution.runtime.errors import UserError
from tests.data.tiny import write_tiny
from tests.faults.processes import environment

MIB = 2**20

READ = """
import resource, sys, time
from pathlib import Path
from solution.data.reader import read_competition
from solution.runtime.errors import UserError
resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30,) * 2)
began = time.process_time()
try:
    read_competition(Path(sys.argv[1]), Path(sys.argv[1]).parent / "cache")
except UserError as error:
    print(f"{time.process_time() - began:.2f}", error)
"""


@pytest.mark.parametrize("examples", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_hostile_files_made_up_at_random(tmp_path: Path, examples: int, capsys: pytest.CaptureFixture[str]):
    command = [sys.executable, "-m", "tests.faults.fuzzing", "--examples", str(examples)]
    done = subprocess.run(command, env=environment(), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with capsys.disabled():
        print(f"\n{examples} hostile data sets: {done.stdout.strip()}")
    read, refused = map(int, re.findall(r"(?:read|refused) (\d+)", done.stdout))
    assert min(read, refused) > examples / 50
    assert read + refused >= examples


def bomb(of: bytes, size: int) -> bytes:
    """A zip of test.csv with so many bytes of the same."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as handle, handle.open("test.csv", "w") as entry:
        for _ in range(size // (MIB // len(of) * len(of))):
            entry.write(of * (MIB // len(of)))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("of", "size", "message"),
    [
        (b"\0", 200 * MIB, r"got \d+ bytes declared of \d+ packed ones"),
        (b"\0", 60 * MIB, "a line of more than 1048576 bytes"),
        (b"\n", 60 * MIB, "over 500000 lines"),
        (b",\n", 60 * MIB, "over 500000 lines"),
        (b",", 60 * MIB, "a line of more than 1048576 bytes"),
        (b'"', 60 * MIB, "a line of more than 1048576 bytes"),
    ],
)
def test_bombs_are_refused_in_seconds_and_little_memory(tmp_path: Path, of: bytes, size: int, message: str):
    folder = write_tiny(tmp_path / "raw", 3, 3, 1, 1)
    (folder / "test.csv").unlink()
    (folder / "test.zip").write_bytes(bomb(of, size))
    command = [sys.executable, "-c", READ, str(folder)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    seconds, _, said = done.stdout.partition(" ")
    assert re.search(message, said), done.stdout + done.stderr
    assert float(seconds) < 10
    assert not (tmp_path / "cache").exists()


def test_a_lookup_table_without_end_is_refused(tmp_path: Path):
    folder = write_tiny(tmp_path / "raw", 3, 3, 1, 1)
    with (folder / "IdLookupTable.csv").open("ab") as handle:
        handle.write(b"1,1,nose_tip_x,\n" * (table.MOST_LINES + 1))
    command = [sys.executable, "-c", READ, str(folder)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    assert "over 500000 lines" in done.stdout, done.stderr
    assert float(done.stdout.split()[0]) < 10


def test_a_data_set_ten_times_kaggles_is_within_the_limits():
    kaggle = {"bytes": 202_358_437, "lookup rows": 27_124}  # of its largest files
    assert 15 * kaggle["bytes"] < archive.LIMIT
    assert 15 * kaggle["lookup rows"] < table.MOST_LINES


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_ask_for_much_memory_are_refused(tmp_path: Path, method: int):
    with zipfile.ZipFile(tmp_path / "test.zip", "w", method) as handle:
        handle.writestr("test.csv", b"ImageId,Image\n")
    with pytest.raises(UserError, match=rf"stored or deflated, got method {method}"):
        list(Source(tmp_path / "test.zip", ("test.csv",)).chunks())


def test_a_line_of_many_cells_is_refused_quickly(tmp_path: Path):
    (tmp_path / "file.csv").write_bytes(b"RowId,Location\n" + b"," * (MIB - 10) + b"\n")
    with pytest.raises(UserError, match="expected 2 cells, got 1048567"):
        list(read_rows(Source(tmp_path / "file.csv"), ("RowId", "Location")))


def test_a_folder_that_is_still_being_drawn_into_is_not_taken_for_kaggles(tmp_path: Path):
    small = DrawnSettings(train15=2, train4=3, test15=1, test4=1)
    write_drawn(tmp_path / "faces", small)
    (tmp_path / "faces" / "drawn.json").unlink()
    (tmp_path / "faces" / "drawn.unfinished").touch()
    with pytest.raises(UserError, match="into which faces are being drawn"):
        read_competition(tmp_path / "faces", tmp_path / "cache")
    ensure_drawn(tmp_path / "faces", small)
    assert read_competition(tmp_path / "faces", tmp_path / "cache").drawn


@pytest.mark.parametrize("content", ["[]", "3", "null", '"drawn"', '{"settings": []}'])
def test_faces_with_a_damaged_marker_are_drawn_again(tmp_path: Path, content: str):
    small = DrawnSettings(train15=2, train4=3, test15=1, test4=1)
    ensure_drawn(tmp_path, small)
    whole = (tmp_path / "drawn.json").read_bytes()
    (tmp_path / "drawn.json").write_text(content)
    ensure_drawn(tmp_path, small)
    assert (tmp_path / "drawn.json").read_bytes() == whole


def test_the_memory_limit_works():
    """The check above detects a reader that takes too much."""
    code = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2 * 2**30,) * 2)\nb'x' * (3 * 2**30)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MemoryError" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
