"""Cross-validation folds: identical pictures stay together, and both kinds of rows are spread evenly."""

import csv
import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from solution.faces import FaceSet, FoldTable
from solution.keypoints import SUBSETS
from solution.runtime.artifacts import write_text
from solution.runtime.errors import UserError

COLUMNS = ("id", "subset", "fold", "group")


def groups_of(images: Iterable[np.ndarray]) -> np.ndarray:
    """Which of N pictures (H, W) are byte-identical: (N,) int64, the place of each picture's first appearance."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(key, row) for row, key in enumerate(_fingerprints(images))], dtype=np.int64)


def duplicates_across(train: FaceSet, test: FaceSet) -> np.ndarray:
    """Byte-identical pictures of two sets: pairs (test row, train row), (P, 2) int64, in that order."""
    rows_of: dict[bytes, list[int]] = {}
    for row, key in enumerate(_fingerprints(train.images)):
        rows_of.setdefault(key, []).append(row)
    pairs = [
        (row, duplicate) for row, key in enumerate(_fingerprints(test.images)) for duplicate in rows_of.get(key, [])
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def make_folds(faces: FaceSet, k: int = 5, seed: int = 0) -> FoldTable:
    """Deal the groups out to k folds, each subset evenly. The same faces, k and seed give the same folds.

    UserError where a subset has fewer groups than folds.
    """
    group = groups_of(faces.images)
    if k < 2:
        raise UserError(f"expected at least 2 folds, got {k}. Ask for 2 or more.")
    for subset in SUBSETS:
        groups = len(np.unique(group[faces.subset == subset]))
        if groups < k:
            raise UserError(
                f"expected at least {k} different pictures with {subset} keypoints for {k} folds, got {groups}. "
                "Ask for fewer folds or give more faces."
            )
    table = FoldTable(ids=faces.ids, fold=_deal(faces.subset, group, k, seed), group=group)
    check_folds(table, faces)
    return table


def check_folds(table: FoldTable, faces: FaceSet) -> None:
    """ValueError unless the table holds each face once, keeps identical pictures together and fills every fold."""
    if not np.array_equal(table.ids, faces.ids):
        raise ValueError(f"the ids differ from those of the {len(faces)} faces")
    if not np.array_equal(table.group, groups_of(faces.images)):
        raise ValueError("the groups are not those of the identical pictures")
    if table.fold.shape != table.ids.shape or table.fold.min() < 0:
        raise ValueError("not every face has a fold")
    split = np.flatnonzero(table.fold != table.fold[table.group])  # a group is named by the row of its first member
    if split.size:
        raise ValueError(f"the pictures with ids {table.ids[table.group[split[0]]]} and {table.ids[split[0]]} are "
                         "identical but lie in different folds")  # fmt: skip
    for subset in SUBSETS:
        empty = np.setdiff1d(np.arange(table.k), table.fold[faces.subset == subset])
        if empty.size:
            raise ValueError(f"fold {empty[0]} has no {subset}-keypoint row")


def write_folds(path: Path, table: FoldTable, faces: FaceSet) -> None:
    """Write the table as CSV with the columns id, subset, fold, group."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(np.column_stack([table.ids, faces.subset, table.fold, table.group]).tolist())
    write_text(path, text.getvalue())


def read_folds(path: Path, faces: FaceSet) -> FoldTable:
    """Read the table back; UserError where it is missing, damaged or not of these faces."""
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            header, *rows = list(csv.reader(handle)) or [[]]
        if tuple(header) != COLUMNS:
            raise ValueError(f"the columns {header[:6]} instead of {list(COLUMNS)}")
        values = np.array(rows, dtype=np.int64).reshape(len(rows), -1)
        if values.shape != (len(faces), len(COLUMNS)):
            raise ValueError(f"{len(values)} rows")
        ids, subset, fold, group = values.T
        table = FoldTable(ids=ids, fold=fold, group=group)
        if not np.array_equal(subset, faces.subset):
            raise ValueError("the subsets differ from the faces'")
        check_folds(table, faces)
    except (OSError, ValueError, OverflowError, csv.Error) as error:
        raise UserError(
            f"{path}: expected the fold table of these {len(faces)} faces, got: {error}. "
            "Run `python -m solution folds` with the same --data again."
        ) from error
    return table


def _fingerprints(images: Iterable[np.ndarray]) -> list[bytes]:
    """A digest of each picture's bytes, length N."""
    return [hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in images]


def _deal(subset: np.ndarray, group: np.ndarray, k: int, seed: int) -> np.ndarray:
    """The fold of each row, (N,) int64: each group in turn goes where its kind of rows is rarest.

    Groups with both kinds of rows come first and the large before the small, so that the single pictures, nearly all
    of them, even out what those leave; and no fold stays without a kind that has k groups.
    """
    rows, inverse = np.unique(group, return_inverse=True)
    size = np.stack([np.bincount(inverse[subset == s], minlength=len(rows)) for s in SUBSETS], axis=1)
    shuffled = np.random.default_rng(seed).permutation(len(rows))
    mixed = np.all(size > 0, axis=1)
    order = shuffled[np.lexsort((-size.sum(axis=1)[shuffled], ~mixed[shuffled]))]
    load = np.zeros((k, len(SUBSETS)), dtype=np.int64)
    fold = np.empty(len(rows), dtype=np.int64)
    for one in order:
        own = load[:, size[one] > 0].sum(axis=1)
        fold[one] = np.lexsort((load.sum(axis=1), own))[0]
        load[fold[one]] += size[one]
    return fold[inverse]
