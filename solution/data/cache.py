"""The competition as arrays on disk, so that only the first read parses text. Named by the files it was read from."""

from pathlib import Path

import numpy as np

from solution.data.competition import Competition, Lookup
from solution.faces import FaceSet
from solution.keypoints import FACE15
from solution.runtime.artifacts import atomic, complete, seal

VERSION = 5
"""To be raised with any change to how the files are read or what is kept: older caches are then made anew."""

ARRAYS = "competition.npz"
DIGESTS = ("digest", "train_digest", "test_digest")


def load(cache: Path, files: str) -> Competition | None:
    """What was read from files of this digest; None where there is nothing, or not as it was written."""
    folder = cache_folder(cache, files)
    if not complete(folder, _inputs(files), [ARRAYS]):
        return None
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        return Competition(
            train=_faces(arrays, "train"),
            test=_faces(arrays, "test"),
            lookup=Lookup(arrays["row_id"], arrays["image_id"], arrays["column"]),
            **{name: str(arrays[name]) for name in DIGESTS},
            drawn=bool(arrays["drawn"]),
            answers=arrays.get("answers"),
            held_out=bool(arrays["held_out"]),
        )


def store(cache: Path, files: str, competition: Competition) -> None:
    """Keep what was read from files of this digest. The manifest comes last: a half-written cache is never used."""
    arrays = {
        **_columns("train", competition.train),
        **_columns("test", competition.test),
        "row_id": competition.lookup.row_id,
        "image_id": competition.lookup.image_id,
        "column": competition.lookup.column,
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


def _columns(name: str, faces: FaceSet) -> dict[str, np.ndarray]:
    return {
        f"{name}_ids": faces.ids,
        f"{name}_images": faces.images,
        f"{name}_coords": faces.coords,
        f"{name}_subset": faces.subset,
    }


def _faces(arrays: np.lib.npyio.NpzFile, name: str) -> FaceSet:
    return FaceSet(
        ids=arrays[f"{name}_ids"],
        images=arrays[f"{name}_images"],
        coords=arrays[f"{name}_coords"],
        schema=FACE15,
        subset=arrays[f"{name}_subset"],
    )
