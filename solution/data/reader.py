"""Read the competition's files: find and hash them, then read a cache or, the first time, Kaggle's CSVs."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from solution.data import cache as caching
from solution.data.archive import OUTER, PAGE, Source, locate
from solution.data.competition import Competition, Lookup
from solution.data.table import Row, parse_pixels, read_rows, unique
from solution.faces import FaceSet
from solution.keypoints import BEYOND_FOUR, FACE15, SUBSETS, subset_of
from solution.runtime.artifacts import digest_of
from solution.runtime.errors import UserError

TRAINING, TEST = "training.csv", "test.csv"
LOOKUP, SAMPLE = "IdLookupTable.csv", "SampleSubmission.csv"
REQUIRED = (TRAINING, TEST, LOOKUP)

DRAWN = "drawn.json"  # marks a folder of drawn faces, made by this project
UNFINISHED = "drawn.unfinished"  # marks a folder into which faces are being drawn, or in which drawing was interrupted
HOLDOUT = "holdout.json"  # marks a folder whose test file consists of labelled rows, held out of its training file
ANSWERS = "answers.csv"  # the true answers of the lookup table, RowId and Location; read only beside DRAWN or HOLDOUT
REMADE = "Delete the folder and make it again: `python -m solution holdout`, or a run that draws its faces."
"""The remedy where a file that this project made is damaged."""

BLOCK = 200  # rows parsed at once: 15 MB of pixels as 64-bit integers


def has_competition(folder: Path) -> bool:
    """Whether the competition's files are in this folder, judged by their names."""
    return not missing(folder)


def missing(folder: Path) -> list[str]:
    """The competition's files that are not in this folder, judged by their names."""
    if (folder / OUTER).is_file():
        return []
    return [
        name for name in REQUIRED if not any((folder / name).with_suffix(end).is_file() for end in (".csv", ".zip"))
    ]


def read_competition(folder: Path, cache: Path) -> Competition:
    """The competition whose files are in a folder: plain CSVs, zips of them, or Kaggle's outer zip.

    The result is stored below `cache` under the digest of the files. UserError where a file is missing, damaged or
    wrong in any row; then nothing is written.
    """
    sources = _sources(folder)
    files = _digest(sources)
    competition = caching.load(cache, files)
    if competition is None:
        competition = _read(sources)
        caching.store(cache, files, competition)
    return competition


def _sources(folder: Path) -> dict[str, Source]:
    """Each file's source by its name; UserError where a required one is missing."""
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing there"
        raise UserError(f"{folder}: expected a folder with the competition's files, got {got}. {_remedy()}")
    sources = {name: locate(folder, name) for name in (*REQUIRED, SAMPLE)}
    lacking = [name for name in REQUIRED if sources[name] is None]
    if lacking:
        raise UserError(
            f"{folder}: expected {', '.join(REQUIRED)} (as they are, zipped, or in {OUTER}), got none of "
            f"{', '.join(lacking)}. {_remedy()}"
        )
    if (folder / UNFINISHED).exists():
        raise UserError(
            f"{folder}: expected a folder with the competition's files, got one into which faces are being drawn, or "
            "in which drawing was interrupted. Wait for it, or delete the folder."
        )
    ours = {name: Source(folder / name, remedy=REMADE) for name in (DRAWN, HOLDOUT) if (folder / name).exists()}
    if ours and (folder / ANSWERS).exists():
        ours[ANSWERS] = Source(folder / ANSWERS, remedy=REMADE)
    return {name: source for name, source in sources.items() if source is not None} | ours


def _remedy() -> str:
    return f"Download {OUTER} from {PAGE} and put it there as it is, or give another folder."


def _digest(sources: dict[str, Source]) -> str:
    """A digest of the files on disk, packed as they are; a zip with several of them is read once."""
    of_path = {source.path: source.digest() for source in dict.fromkeys(sources.values())}
    return digest_of({name: of_path[source.path] for name, source in sources.items()})


def _read(sources: dict[str, Source]) -> Competition:
    """Read the CSVs, the small files first, so that an error in them is found early."""
    test_ids, test_images = _read_test(sources[TEST])
    lookup = _read_lookup(sources[LOOKUP], test_ids)
    if SAMPLE in sources:
        _by_row_id(sources[SAMPLE], lookup)
    answers = _read_answers(sources[ANSWERS], lookup) if ANSWERS in sources else None
    test = _test_faces(test_ids, test_images, lookup)
    train = _read_training(sources[TRAINING])
    return Competition.of(train, test, lookup, drawn=DRAWN in sources, held_out=HOLDOUT in sources, answers=answers)


def _blocks(source: Source, columns: tuple[str, ...]) -> Iterator[list[Row]]:
    """The file's rows, BLOCK at a time; UserError where there is none."""
    rows = read_rows(source, columns)
    block = list(islice(rows, BLOCK))
    if not block:
        raise UserError(f"{source}: expected at least one data row, got a header alone. {source.remedy}")
    while block:
        yield block
        block = list(islice(rows, BLOCK))


def _read_training(source: Source) -> FaceSet:
    """The labelled faces; ids are 0-based row numbers."""
    images, coords = [], []
    for block in _blocks(source, (*FACE15.columns, "Image")):
        coords.append(np.array([[row.label(column) for column in FACE15.columns] for row in block], dtype=np.float32))
        images.append(parse_pixels(block))
    labels = np.concatenate(coords).reshape(-1, FACE15.size, 2)
    known = ~np.all(np.isnan(labels), axis=2)
    subset = subset_of(known)
    for wanted in SUBSETS:
        if not known[subset == wanted].any():
            raise UserError(
                f"{source}: expected rows of both kinds, got none of the {wanted}-keypoint rows among {len(subset)}. "
                f"Is the file a part of the whole? {source.remedy}"
            )
    return FaceSet(np.arange(len(labels)), np.concatenate(images), labels, FACE15, subset)


def _read_test(source: Source) -> tuple[np.ndarray, np.ndarray]:
    """ImageIds (N,) int64 and pictures (N, 96, 96) uint8, in file order."""
    images: list[np.ndarray] = []
    named: list[Row] = []
    for block in _blocks(source, ("ImageId", "Image")):
        images.append(parse_pixels(block))
        named.extend(Row(source, row.number, {"ImageId": row.cells["ImageId"]}) for row in block)
    return np.array(list(unique(named, "ImageId")), dtype=np.int64), np.concatenate(images)


def _read_lookup(source: Source, test_ids: np.ndarray) -> Lookup:
    """The lookup table, each row checked against the features and the test file's ImageIds."""
    rows = [row for block in _blocks(source, ("RowId", "ImageId", "FeatureName", "Location")) for row in block]
    columns = {name: place for place, name in enumerate(FACE15.columns)}
    images = set(test_ids.tolist())
    for row in rows:
        if row.text("FeatureName") not in columns:
            raise row.error(f"FeatureName: expected one such as nose_tip_x, got {row.text('FeatureName')!r}")
        if row.integer("ImageId") not in images:
            raise row.error(f"ImageId: expected one that the test file has, got {row.text('ImageId')}")
    asked = [(row.integer("ImageId"), columns[row.text("FeatureName")]) for row in rows]
    first: dict[tuple[int, int], Row] = {}
    for row, cell in zip(rows, asked, strict=True):
        if first.setdefault(cell, row) is not row:
            raise row.error(f"expected a cell that is not asked twice, got the one of data row {first[cell].number}")
    return Lookup(
        row_id=np.array(list(unique(rows, "RowId")), dtype=np.int64),
        image_id=np.array([image for image, _ in asked], dtype=np.int64),
        column=np.array([column for _, column in asked], dtype=np.int64),
    )


def _by_row_id(source: Source, lookup: Lookup) -> dict[int, Row]:
    """The rows of a RowId,Location file; UserError unless its RowIds are the lookup table's."""
    rows = [row for block in _blocks(source, ("RowId", "Location")) for row in block]
    by_id = unique(rows, "RowId")
    asked = set(lookup.row_id.tolist())
    for row_id, row in by_id.items():
        if row_id not in asked:
            raise row.error(f"RowId: expected one of the lookup table's, got {row_id}")
    lacking = sorted(asked - by_id.keys())
    if lacking:
        raise UserError(
            f"{source}: expected the {len(asked)} RowIds of {LOOKUP}, got {len(by_id)}; the first that is missing is "
            f"{lacking[0]}. {source.remedy}"
        )
    return by_id


def _read_answers(source: Source, lookup: Lookup) -> np.ndarray:
    """The true Locations in the lookup's order, (M,) float64, pixels."""
    rows = _by_row_id(source, lookup)
    return np.array([rows[row_id].coordinate("Location") for row_id in lookup.row_id.tolist()])


def _test_faces(ids: np.ndarray, images: np.ndarray, lookup: Lookup) -> FaceSet:
    """The test faces without labels; a row is a 15-keypoint row if any point beyond the four is asked of it."""
    beyond = np.isin(lookup.column // 2, BEYOND_FOUR)
    subset = np.where(np.isin(ids, lookup.image_id[beyond]), 15, 4).astype(np.int8)
    coords = np.full((len(ids), FACE15.size, 2), np.nan, dtype=np.float32)
    return FaceSet(ids, images, coords, FACE15, subset)
