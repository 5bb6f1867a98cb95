"""Cross-validation folds: identical pictures are in one fold, and each subset is distributed evenly."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from solution.faces import FaceSet, FoldTable
from solution.keypoints import SUBSETS
from solution.runtime.artifacts import write_text
from solution.runtime.errors import UserError

COLUMNS = ["id", "subset", "fold", "group"]


def groups_of(images: Iterable[np.ndarray]) -> np.ndarray:
    """Groups of byte-identical pictures (H, W): (N,) int64, the row of each picture's first appearance."""
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
    """Assign the groups to k folds, each subset evenly. The same faces, k and seed give the same folds.

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
    split = np.flatnonzero(table.fold != table.fold[table.group])  # a group's number is the row of its first member
    if split.size:
        raise ValueError(f"the pictures with ids {table.ids[table.group[split[0]]]} and {table.ids[split[0]]} are "
                         "identical but in different folds")  # fmt: skip
    for subset in SUBSETS:
        empty = np.setdiff1d(np.arange(table.k), table.fold[faces.subset == subset])
        if empty.size:
            raise ValueError(f"fold {empty[0]} has no {subset}-keypoint row")


def write_folds(path: Path, table: FoldTable, faces: FaceSet) -> None:
    """Write the table as CSV with the columns id, subset, fold, group."""
    rows = np.column_stack([table.ids, faces.subset, table.fold, table.group])
    write_text(path, pd.DataFrame(rows, columns=COLUMNS).to_csv(index=False, lineterminator="\n"))


def read_folds(path: Path, faces: FaceSet) -> FoldTable:
    """Read the table back; UserError where it is missing, damaged or not of these faces."""
    try:
        rows = pd.read_csv(path, dtype=np.int64)
        if list(rows.columns) != COLUMNS:
            raise ValueError(f"the columns {list(rows.columns)[:6]} instead of {COLUMNS}")
        if len(rows) != len(faces):
            raise ValueError(f"{len(rows)} rows")
        table = FoldTable(ids=rows["id"].to_numpy(), fold=rows["fold"].to_numpy(), group=rows["group"].to_numpy())
        if not np.array_equal(rows["subset"], faces.subset):
            raise ValueError("the subsets differ from the faces'")
        check_folds(table, faces)
    except (OSError, ValueError, OverflowError) as error:
        raise UserError(
            f"{path}: expected the fold table of these {len(faces)} faces, got: {error}. "
            "Run `python -m solution folds` with the same --data again."
        ) from error
    return table


def _fingerprints(images: Iterable[np.ndarray]) -> list[bytes]:
    """A digest of each picture's bytes, length N."""
    return [hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in images]


def _deal(subset: np.ndarray, group: np.ndarray, k: int, seed: int) -> np.ndarray:
    """The fold of each row, (N,) int64: each group in turn goes to the fold with the fewest rows of its subset.

    Groups with rows of both subsets come first, and large ones before small ones. The single pictures, nearly all of
    them, then even out the rest, and no fold lacks a subset that has k groups.
    """
    rows, inverse = np.unique(group, return_inverse=True)
    size = np.stack([np.bincount(inverse[subset == s], minlength=len(rows)) for s in SUBSETS], axis=1)
    shuffled = np.random.default_rng(seed).permutation(len(rows))
    mixed = np.all(size > 0, axis=1)
    order = shuffled[np.lexsort((-size.sum(axis=1)[shuffled], ~mixed[shuffled]))]
    load = np.zeros((k, len(SUBSETS)), dtype=np.int64)
    fold = np.empty(len(rows), dtype=np.int64)
    for index in order:
        of_subset = load[:, size[index] > 0].sum(axis=1)
        fold[index] = np.lexsort((load.sum(axis=1), of_subset))[0]
        load[fold[index]] += size[index]
    return fold[inverse]
