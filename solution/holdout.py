"""A test file with answers: labelled faces that are held out of the training file, so that a run on the rest ends with
its true score, of faces that none of its stages has used. What cross-validation says can then be held against it.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from solution.artefacts import whole, write_json
from solution.data.competition import Competition
from solution.data.files import HOLDOUT
from solution.data.writing import Labelled, write_test, write_training
from solution.errors import UserError
from solution.faces import FaceSet
from solution.folds import groups_of
from solution.keypoints import SUBSETS

FEWEST = 10
"""Faces of each subset that either file must have, to be a training file with folds or a test file at all."""


def check_choice(share: float, seed: int) -> None:
    """UserError unless the share lies between 0 and 1 and the seed is no negative number."""
    if not 0 < share < 1:
        raise UserError(f"--share {share:g}: expected a share between 0 and 1, such as 0.15")
    if seed < 0:  # Python's generator takes it for the same as without its sign
        raise UserError(f"--seed {seed}: expected 0 or more")


def held_out(faces: FaceSet, share: float, seed: int) -> np.ndarray:
    """Which faces to hold out, bool (N,): at random, byte-identical pictures together.

    UserError where that leaves too few faces of a subset in either file.
    """
    twins = defaultdict(list)
    for row, group in enumerate(groups_of(faces.images).tolist()):
        twins[group].append(row)
    groups = list(twins.values())
    random.Random(seed).shuffle(groups)
    held = np.zeros(len(faces), bool)
    for rows in groups:
        if held.sum() >= round(share * len(faces)):
            break
        held[rows] = True
    for subset in SUBSETS:
        fewest = min((held & (faces.subset == subset)).sum(), (~held & (faces.subset == subset)).sum())
        if fewest < FEWEST:
            raise UserError(
                f"--share {share:g}: expected at least {FEWEST} {subset}-keypoint faces in either file, got {fewest} "
                f"in one. Give another share, or more labelled faces than {len(faces)}."
            )
    return held


def hold_out(competition: Competition, folder: Path, share: float, seed: int) -> np.ndarray:
    """Write the competition's files anew with a test file of labelled faces, both in file order, and the answers.

    The folder is put in place whole; the same faces, share and seed make the same bytes. Gives which of the labelled
    faces were held out, bool (N,). UserError where the folder holds anything, where that leaves too few faces, or where
    the test file has been made by this project already.
    """
    if competition.drawn or competition.held_out:
        raise UserError(
            "--data: expected the competition's own files, got drawn faces or rows held out before, whose answers are "
            "known. A run on them ends with its true score as they are."
        )
    faces = competition.train
    held = held_out(faces, share, seed)
    with whole(folder) as temporary:
        write_training(temporary, _labelled(faces.take(~held)))
        write_test(temporary, _labelled(faces.take(held)))
        facts = {"data": competition.digest, "share": share, "seed": seed, "rows": faces.ids[held].tolist()}
        write_json(temporary / HOLDOUT, facts)
    return held


def _labelled(faces: FaceSet) -> Iterator[Labelled]:
    return zip(faces.coords, faces.images, strict=True)
