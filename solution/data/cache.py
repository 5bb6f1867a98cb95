"""The competition as arrays on disk, so that text is parsed only once. A digest of the files names the cache."""

from pathlib import Path

import numpy as np

from solution.data.competition import Competition, Lookup
from solution.faces import FaceSet
from solution.keypoints import FACE15
from solution.runtime.artifacts import atomic, complete, seal

VERSION = 5  # raise it with any change to how files are read or what is stored: older caches are then made again
ARRAYS = "competition.npz"
DIGESTS = ("digest", "train_digest", "test_digest")
FACES = ("ids", "images", "coords", "subset")
ASKED = ("row_id", "image_id", "column")


def load(cache: Path, files: str) -> Competition | None:
    """The competition read from files of this digest; None where no intact cache exists."""
    folder = cache_folder(cache, files)
    if not complete(folder, _inputs(files), [ARRAYS]):
        return None
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        return Competition(
            train=_faces(arrays, "train"),
            test=_faces(arrays, "test"),
            lookup=Lookup(**{name: arrays[name] for name in ASKED}),
            **{name: str(arrays[name]) for name in DIGESTS},
            drawn=bool(arrays["drawn"]),
            answers=arrays.get("answers"),
            held_out=bool(arrays["held_out"]),
        )


def store(cache: Path, files: str, competition: Competition) -> None:
    """Store the competition read from files of this digest. The manifest comes last, so no partial cache is used."""
    arrays = {
        **{f"train_{name}": getattr(competition.train, name) for name in FACES},
        **{f"test_{name}": getattr(competition.test, name) for name in FACES},
        **{name: getattr(competition.lookup, name) for name in ASKED},
        **{name: np.array(getattr(competition, name)) for name in DIGESTS},
        "drawn": np.array(competition.drawn),
        "held_out": np.array(competition.held_out),
    }
    if competition.answers is not None:
        arrays["answers"] = competition.answers
    folder = cache_folder(cache, files)
    with atomic(folder / ARRAYS) as temporary, temporary.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
    seal(folder, _inputs(files), [ARRAYS])


def cache_folder(cache: Path, files: str) -> Path:
    """The folder below cache for files of this digest."""
    return cache / f"competition-{files}"


def _inputs(files: str) -> dict[str, int | str]:
    return {"version": VERSION, "files": files}


def _faces(arrays: np.lib.npyio.NpzFile, part: str) -> FaceSet:
    return FaceSet(schema=FACE15, **{name: arrays[f"{part}_{name}"] for name in FACES})
