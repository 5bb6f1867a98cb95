"""Every face's place in the files, and its random generators.

Each face has one generator for the picture and one for the label, named by file, subset and index. So a face does not
change with the number of faces, and a picture does not change with the label settings.
"""

from dataclasses import dataclass

import numpy as np

from solution.data.synthetic.paint import DrawnFace, draw_face
from solution.data.synthetic.settings import DrawnSettings
from solution.keypoints import FACE15, SIZE, SUBSETS

FILES = ("training", "test")
PURPOSES = ("picture", "label", "duplicates", "wrong", "drift", "passes", "test_duplicates")
"""Each purpose has random numbers of its own, so that a setting never changes the numbers of another purpose."""


def purpose_rng(seed: int, purpose: str) -> np.random.Generator:
    """The generator of numbers that concern all rows."""
    return np.random.default_rng([seed, PURPOSES.index(purpose)])


@dataclass(frozen=True)
class Slot:
    """One face's place: its file, its kind of row (15 or 4), and its index among the rows of that kind."""

    file: str
    subset: int
    index: int

    def rng(self, seed: int, purpose: str) -> np.random.Generator:
        return np.random.default_rng([seed, PURPOSES.index(purpose), FILES.index(self.file), self.subset, self.index])


def slots(settings: DrawnSettings, file: str) -> list[Slot]:
    """Every row of a file in file order."""
    sizes = {"training": (settings.train15, settings.train4), "test": (settings.test15, settings.test4)}[file]
    return [Slot(file, subset, i) for subset, size in zip(SUBSETS, sizes, strict=True) for i in range(size)]


def draw_slot(seed: int, slot: Slot) -> DrawnFace:
    """The face that belongs to a slot; its row may show another slot's."""
    return draw_face(slot.rng(seed, "picture"))


def draw_faces(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Faces with their true points: images (n, 96, 96) uint8, coords (n, 15, 2) float32 pixels, no label flaws.

    They are the faces of the first 15-keypoint training rows of the same seed, except where a row repeats a picture.
    """
    faces = [draw_slot(seed, Slot("training", 15, i)) for i in range(n)]
    images = np.array([face.image for face in faces], dtype=np.uint8).reshape(n, SIZE, SIZE)
    return images, np.array([face.points15 for face in faces], dtype=np.float32).reshape(n, FACE15.size, 2)
