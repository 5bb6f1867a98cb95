"""Hold out labelled faces as a test file with answers: a run on the rest ends with its true score.

`end` and `block` cut as Kaggle did: 15-keypoint rows at random along the file, 4-keypoint rows as one contiguous block.
`random` takes single rows of both subsets at random. `together` also does this, but keeps byte-identical pictures in
one file, so the held-out pictures are unknown to every stage. The other cuts leave duplicates in both files, like
Kaggle's files.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solution.data.competition import Competition
from solution.data.folds import groups_of
from solution.data.reader import HOLDOUT
from solution.data.writer import Labelled, write_test, write_training
from solution.faces import FaceSet
from solution.keypoints import SUBSETS
from solution.runtime.artifacts import atomic_folder, write_json
from solution.runtime.errors import UserError

FEWEST = 10  # faces of each subset that either file must have
END, BLOCK, RANDOM, TOGETHER = "end", "block", "random", "together"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Which labelled faces become the test file. UserError where a value is out of range.

    Only `end` has the shape of Kaggle's test file, whose 4-keypoint pictures continue the training file.
    """

    share: float = 0.2  # share of the faces to hold out: of each subset with `end` and `block`, otherwise of all
    seed: int = 0  # seed of the random choice
    kind: str = END  # END, BLOCK, RANDOM or TOGETHER
    start: int | None = None  # first row of the block, counted from 0 among the 4-keypoint rows; only with BLOCK

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise UserError(f"--share {self.share:g}: expected a share between 0 and 1, such as 0.2")
        if self.seed < 0:  # Python's generator ignores the sign
            raise UserError(f"--seed {self.seed}: expected 0 or more")
        if self.start is not None and self.start < 0:
            raise UserError(f"--block {self.start}: expected 0 or more, the first 4-keypoint row to hold out")

    @property
    def name(self) -> str:
        """The cut in a folder's name, such as end-0 or block1200-0."""
        return f"{self.kind}{'' if self.start is None else self.start}-{self.seed}"


def held_out(faces: FaceSet, cut: Cut) -> np.ndarray:
    """The faces to hold out, bool (N,). UserError where either file has too few faces of a subset."""
    if cut.kind in (RANDOM, TOGETHER):
        group = groups_of(faces.images) if cut.kind == TOGETHER else np.arange(len(faces))
        held = _random_groups(group, cut)
    else:
        held = np.zeros(len(faces), bool)
        held[_random_rows(np.flatnonzero(faces.subset == 15), cut)] = True
        held[_block(np.flatnonzero(faces.subset == 4), cut)] = True
    for subset in SUBSETS:
        fewest = min((held & (faces.subset == subset)).sum(), (~held & (faces.subset == subset)).sum())
        if fewest < FEWEST:
            raise UserError(
                f"--share {cut.share:g}: expected at least {FEWEST} {subset}-keypoint faces in either file, got "
                f"{fewest} in one. Give another share, or more labelled faces than {len(faces)}."
            )
    return held


def _random_groups(group: np.ndarray, cut: Cut) -> np.ndarray:
    """Whole groups at random until the share is reached; group (N,), bool (N,)."""
    members = defaultdict(list)
    for row, name in enumerate(group.tolist()):
        members[name].append(row)
    groups = list(members.values())
    random.Random(cut.seed).shuffle(groups)
    held = np.zeros(len(group), bool)
    for rows in groups:
        if held.sum() >= round(cut.share * len(group)):
            break
        held[rows] = True
    return held


def _random_rows(rows: np.ndarray, cut: Cut) -> np.ndarray:
    return np.array(random.Random(cut.seed).sample(rows.tolist(), round(cut.share * len(rows))), dtype=int)


def _block(rows: np.ndarray, cut: Cut) -> np.ndarray:
    """The contiguous block of these rows. UserError where it does not fit."""
    size = round(cut.share * len(rows))
    start = len(rows) - size if cut.start is None else cut.start
    if start + size > len(rows):
        raise UserError(
            f"--block {start}: expected {len(rows) - size} or less, since the block has {size} of the {len(rows)} "
            "4-keypoint rows. Give an earlier row or a smaller --share."
        )
    return rows[start : start + size]


def hold_out(competition: Competition, folder: Path, cut: Cut) -> np.ndarray:
    """Write the competition's files with a test file of labelled faces, both in file order, and the answers.

    The folder is written atomically; the same faces and the same cut make the same bytes. Returns which of the labelled
    faces are held out, bool (N,). UserError where the folder is not empty, where a file has too few faces, or where the
    faces are drawn or held out already.
    """
    if competition.drawn or competition.held_out:
        raise UserError(
            "--data: expected the competition's own files, got drawn faces or rows held out before, whose answers are "
            "known. A run on them ends with its true score already."
        )
    faces = competition.train
    held = held_out(faces, cut)
    with atomic_folder(folder) as temporary:
        write_training(temporary, _labelled(faces.take(~held)))
        write_test(temporary, _labelled(faces.take(held)))
        write_json(temporary / HOLDOUT, _facts(competition, cut, held))
    return held


def _facts(competition: Competition, cut: Cut, held: np.ndarray) -> dict[str, Any]:
    """The content of holdout.json: the data, the cut, the block of 4-keypoint rows where there is one, and the rows."""
    faces = competition.train
    facts: dict[str, Any] = {"data": competition.digest, "cut": cut.kind, "share": cut.share, "seed": cut.seed}
    if cut.kind in (END, BLOCK):
        places = np.flatnonzero(held[faces.subset == 4])
        facts["block"] = [int(places[0]), int(places[-1]) + 1]
    return {**facts, "rows": faces.ids[held].tolist()}


def _labelled(faces: FaceSet) -> Iterator[Labelled]:
    return zip(faces.coords, faces.images, strict=True)
