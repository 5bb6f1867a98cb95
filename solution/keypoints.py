"""The point schemas: names, mirror partners derived from the names, and the pixel convention.

Pixel convention: (x, y), x to the right, y down. The centre of the top left pixel is (0, 0), so the centre of a picture
96 pixels wide is at x = 47.5, and mirroring takes x to 95 - x. "Left" is the person's left, at the picture's right.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

SIZE = 96
"""Height and width of the competition's pictures, in pixels."""

SUBSETS = (15, 4)
"""The two kinds of rows, named by the most points that their labellers placed."""

KINDS = (*SUBSETS, 68)
"""Every kind of row: the competition's two, and those of the 68-point schema."""


def _partner(name: str) -> str:
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in name.split("_"))


@dataclass(frozen=True)
class Schema:
    """A set of named points in a fixed order."""

    name: str
    points: tuple[str, ...]
    partners: tuple[tuple[str, str], ...] = ()  # pairs that mirroring swaps; other names swap "left" and "right"

    @property
    def size(self) -> int:
        """Number of points, K."""
        return len(self.points)

    @cached_property
    def mirror(self) -> np.ndarray:
        """Index of each point's mirror partner, shape (K,)."""
        swaps = dict(self.partners) | {second: first for first, second in self.partners}
        return np.array([self.points.index(swaps.get(point, _partner(point))) for point in self.points])

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The competition's column names, NAME_x and NAME_y of each point, length 2 K."""
        return tuple(f"{point}_{axis}" for point in self.points for axis in "xy")

    def index(self, points: tuple[str, ...]) -> np.ndarray:
        """The indices of the named points in this schema, shape (len(points),)."""
        return np.array([self.points.index(point) for point in points])


FACE15 = Schema(
    "face15",
    (
        "left_eye_center",
        "right_eye_center",
        "left_eye_inner_corner",
        "left_eye_outer_corner",
        "right_eye_inner_corner",
        "right_eye_outer_corner",
        "left_eyebrow_inner_end",
        "left_eyebrow_outer_end",
        "right_eyebrow_inner_end",
        "right_eyebrow_outer_end",
        "nose_tip",
        "mouth_left_corner",
        "mouth_right_corner",
        "mouth_center_top_lip",
        "mouth_center_bottom_lip",
    ),
)

FACE4 = Schema("face4", ("left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip"))

_BACKWARDS = (
    (*range(17),),  # the jaw
    (*range(17, 27),),  # both eyebrows
    (*range(31, 36),),  # the nostrils; the bridge, 27 to 30, is in the middle
    (*range(36, 40), *range(42, 46)),  # the upper lids with the corners
    (40, 41, 46, 47),  # the lower lids
    (*range(48, 55),),  # the mouth: outer top, outer bottom, inner top, inner bottom
    (*range(55, 60),),
    (*range(60, 65),),
    (*range(65, 68),),
)
"""Sequences of the 68 points that mirroring reverses."""

FACE68 = Schema(
    "face68",
    tuple(str(i) for i in range(68)),
    tuple((str(a), str(b)) for run in _BACKWARDS for a, b in zip(run, reversed(run), strict=True) if a < b),
)
"""The 68-point schema of the iBUG 300-W annotations, in its usual order."""

SHARED = {
    "left_eye_center": (42, 43, 44, 45, 46, 47),
    "right_eye_center": (36, 37, 38, 39, 40, 41),
    "left_eye_inner_corner": (42,),
    "left_eye_outer_corner": (45,),
    "right_eye_inner_corner": (39,),
    "right_eye_outer_corner": (36,),
    "left_eyebrow_inner_end": (22,),
    "left_eyebrow_outer_end": (26,),
    "right_eyebrow_inner_end": (21,),
    "right_eyebrow_outer_end": (17,),
    "nose_tip": (30,),
    "mouth_left_corner": (54,),
    "mouth_right_corner": (48,),
    "mouth_center_top_lip": (51,),
    "mouth_center_bottom_lip": (57,),
}
"""The points of the 68 that give each of the fifteen as their mean: an eye's centre is that of its outline."""

IN_FOUR = FACE15.index(FACE4.points)
"""The indices of the 4-keypoint rows' points among the fifteen."""

POINTS = {15: np.arange(FACE15.size), 4: IN_FOUR, 68: np.arange(FACE68.size)}
"""The points that a subset's labels have, as indices into its schema: FACE15, or FACE68 for 68."""

BEYOND_FOUR = np.setdiff1d(np.arange(FACE15.size), IN_FOUR)
"""The points that only 15-keypoint rows have."""


def mirror(coords: np.ndarray, schema: Schema = FACE15, width: int = SIZE) -> np.ndarray:
    """Mirror pixel coordinates left to right. Shape (N, K, 2) in and out, a new array; NaN stays NaN."""
    mirrored = coords[:, schema.mirror].copy()
    mirrored[..., 0] = (width - 1) - mirrored[..., 0]
    return mirrored


def fifteen_of(coords: np.ndarray) -> np.ndarray:
    """The fifteen points out of the 68, (N, 68, 2) in, (N, 15, 2) out. See SHARED for which."""
    return np.stack([coords[:, list(SHARED[point])].mean(axis=1) for point in FACE15.points], axis=1)


def subset_of(known: np.ndarray) -> np.ndarray:
    """The subset of each row by the points that it has. Bool (N, 15) in, int8 (N,) of 15 and 4 out."""
    return np.where(known[:, BEYOND_FOUR].any(axis=1), 15, 4).astype(np.int8)
