"""Labels with the flaws of real ones: offset, noise, drift, missing points, gross errors."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from solution.data.synthetic.paint import DrawnFace
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.slots import Slot, draw_slot, purpose_rng
from solution.keypoints import FACE15, IN_FOUR, SIZE

WRONG_KINDS = ("swapped_eyes", "shifted", "other_face")
SHIFT = 15.0  # pixels by which a grossly wrong label is shifted

_TAIL = 5  # degrees of freedom of Student's t: heavier tails than a normal distribution's, and a finite variance


def plan_wrong(settings: DrawnSettings, duplicated: Iterable[int]) -> dict[int, str]:
    """Training rows with grossly wrong labels, row → one of WRONG_KINDS; never rows of `duplicated` pictures."""
    rng = purpose_rng(settings.seed, "wrong")
    free = np.setdiff1d(np.arange(settings.train), list(duplicated))
    rows = rng.choice(free, min(round(settings.wrong * settings.train), len(free)), replace=False)
    return {int(row): WRONG_KINDS[i % len(WRONG_KINDS)] for i, row in enumerate(np.sort(rows))}


def label(settings: DrawnSettings, slot: Slot, face: DrawnFace, drift: np.ndarray, wrong: str | None) -> np.ndarray:
    """The label of one row, (15, 2) float64 pixels within the picture, NaN where missing. drift: (4, 2)."""
    rng = slot.rng(settings.seed, "label")
    noise = rng.standard_t(_TAIL, (FACE15.size, 2)) / np.sqrt(_TAIL / (_TAIL - 2))
    missing = _missing(rng) if slot.subset == 15 else _missing_of_four(rng)
    if wrong == "other_face":
        face = _other(settings, slot)
    coords = np.full((FACE15.size, 2), np.nan)
    if slot.subset == 15:
        coords[:] = face.points15 + (settings.offset15, 0) + settings.noise15 * noise
    else:
        coords[IN_FOUR] = face.points4 + (settings.offset4, 0) + drift + settings.noise4 * noise[IN_FOUR]
    if wrong == "swapped_eyes":
        coords = _swap_eyes(coords)
    elif wrong == "shifted":
        angle = rng.uniform(0, 2 * np.pi)
        coords += SHIFT * np.array([np.cos(angle), np.sin(angle)])
    coords[missing] = np.nan
    return np.clip(coords, 0, SIZE - 1)


def _other(settings: DrawnSettings, slot: Slot) -> DrawnFace:
    """A face of the same subset that no file has."""
    return draw_slot(settings.seed, replace(slot, index=slot.index + 1_000_000))


def _swap_eyes(coords: np.ndarray) -> np.ndarray:
    order = np.arange(FACE15.size)
    eyes = [i for i, name in enumerate(FACE15.points) if "eye_" in name]
    order[eyes] = FACE15.mirror[eyes]
    return coords[order]


def _missing(rng: np.random.Generator) -> np.ndarray:
    """Indices of points that a 15-keypoint row lacks: none in 93 % of the rows, seldom many. Never all beyond four."""
    if rng.random() >= 0.07:
        return np.array([], dtype=int)
    count = int(rng.integers(5, 11)) if rng.random() < 0.15 else min(int(rng.geometric(0.6)), 4)
    return rng.choice(FACE15.size, count, replace=False)


def _missing_of_four(rng: np.random.Generator) -> np.ndarray:
    """Index of the one point that a few 4-keypoint rows lack."""
    return IN_FOUR[rng.integers(len(IN_FOUR), size=int(rng.random() < 0.005))]
