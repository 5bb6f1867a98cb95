"""`python -m tests.faults.guided tables|pictures [libFuzzer's options]`: fuzzing that is led by the code it reaches.

Needs `pip install atheris`, which the project does not ask for. Beside fuzzing.py, whose data sets are made up from
what is known of the files, this one changes bytes of whole files and keeps what reaches new lines of solution.data or
Pillow. What is no UserError ends it, with the input in a file crash-…; `-max_total_time=180` ends it after three
minutes.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import atheris
import cv2
import numpy as np

with atheris.instrument_imports(include=["solution.data", "PIL"]):
    from solution.data.images import decode
    from solution.data.reader import read_competition
from solution.runtime.errors import UserError
from tests.faults.hostile import NAMES, whole_files

BASE = Path(tempfile.mkdtemp(prefix="guided-"))
WHOLE = whole_files(BASE / "tiny")


def tables(data: bytes) -> None:
    """One of the competition's files is these bytes, which one says the first of them."""
    raw, out = BASE / "raw", BASE / "out"
    raw.mkdir(exist_ok=True)
    chosen = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
    for name in NAMES:
        (raw / name).write_bytes(data[1:] if name == chosen else WHOLE[name])
    said = None
    try:
        read_competition(raw, out)
    except UserError as error:
        said = str(error)
    assert said is None or (said.isprintable() and not out.exists()), repr(said)
    shutil.rmtree(out, ignore_errors=True)


def pictures(data: bytes) -> None:
    """A picture file is these bytes."""
    said = ""
    try:
        decode("a picture", data)
    except UserError as error:
        said = str(error)
    assert not said or said.isprintable(), repr(said)


def seeds(what: str) -> Path:
    """A folder of whole files to start from."""
    folder = BASE / "seeds"
    folder.mkdir()
    if what == "tables":
        for number, name in enumerate(NAMES):
            (folder / name).write_bytes(bytes([number]) + WHOLE[name])
    else:
        image = np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8)
        for ending in (".png", ".jpg", ".webp", ".tiff", ".bmp", ".ppm"):
            (folder / f"seed{ending}").write_bytes(cv2.imencode(ending, image)[1].tobytes())
    return folder


if __name__ == "__main__":
    target = {"tables": tables, "pictures": pictures}[sys.argv[1]]
    # Whole files reach hardly more of our lines than fragments do: without these options only fragments would be kept.
    keep_whole = ["-len_control=0", "-reduce_inputs=0"]
    atheris.Setup([sys.argv[0], *keep_whole, *sys.argv[2:], str(seeds(sys.argv[1]))], target)
    atheris.Fuzz()
