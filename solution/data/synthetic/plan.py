"""The content of both files, decided before a face is drawn: passes, duplicates, wrong rows, drift.

A 4-keypoint row repeats the picture that an earlier pass shows at about the same place of the picture order, so the two
rows are about a whole number of passes apart, mostly one. 15-keypoint rows have few duplicates, anywhere in the
training file, and none in the test file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from solution.data.synthetic.labels import plan_wrong
from solution.data.synthetic.passes import Passes, drift_at, plan_passes
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.slots import Slot, purpose_rng, slots
from solution.keypoints import FACE4

NEAREST = 0.6
"""Share of the repeats that go back to the nearest earlier pass; the same share of the others to the next one."""

JITTER = 0.015  # standard deviation of a picture's place between passes, as a share of the pass
OF_FIFTEEN = 0.1  # share of 15-keypoint rows with a duplicate, as a share of `DrawnSettings.duplicates`


@dataclass(frozen=True, eq=False)
class Plan:
    """What a row shows and how its label is wrong. Rows are 0-based rows of their file."""

    settings: DrawnSettings
    passes: Passes  # the common order of the 4-keypoint rows
    duplicates: dict[int, int]  # training row → the earlier training row whose picture it shows
    test_duplicates: dict[int, int]  # test row → the first training row whose picture it shows
    wrong: dict[int, str]  # training row → how its label is wrong, one of WRONG_KINDS

    @cached_property
    def shown(self) -> dict[str, list[Slot]]:
        """By file, the slot whose picture each row shows."""
        training, test = (slots(self.settings, file) for file in ("training", "test"))
        return {
            "training": [training[self.duplicates.get(row, row)] for row in range(len(training))],
            "test": [
                training[self.test_duplicates[row]] if row in self.test_duplicates else slot
                for row, slot in enumerate(test)
            ],
        }

    @cached_property
    def drift(self) -> dict[str, np.ndarray]:
        """By file, the drift of every row, (N, 4, 2) pixels; 0 for 15-keypoint rows."""
        s = self.settings
        moved = drift_at(s, self.passes, np.arange(self.passes.total))
        parts = {"training": (s.train15, moved[: s.train4]), "test": (s.test15, moved[s.train4 :])}
        return {file: np.concatenate([np.zeros((n15, FACE4.size, 2)), part]) for file, (n15, part) in parts.items()}


def plan_files(settings: DrawnSettings) -> Plan:
    """The plan that settings ask for; the same for the same settings."""
    passes = plan_passes(settings)
    duplicates = plan_duplicates(settings, passes)
    test_duplicates = plan_test_duplicates(settings, passes, duplicates)
    duplicated = {*duplicates, *duplicates.values(), *test_duplicates.values()}
    return Plan(settings, passes, duplicates, test_duplicates, plan_wrong(settings, duplicated))


def plan_duplicates(settings: DrawnSettings, passes: Passes) -> dict[int, int]:
    """Training rows that show an earlier row's picture, row → earlier row of the same subset."""
    rng15, rng4 = purpose_rng(settings.seed, "duplicates").spawn(2)
    duplicates = _pairs_of_fifteen(settings, rng15)
    rows, used = 2 * round(settings.duplicates * settings.train4 / 2), set[int]()
    for place, earlier in _repeats(passes, np.arange(settings.train4), rng4):
        if len(used) == rows:
            break
        if not {place, earlier} & used:
            used |= {place, earlier}
            duplicates[settings.train15 + place] = settings.train15 + earlier
    return dict(sorted(duplicates.items()))


def plan_test_duplicates(settings: DrawnSettings, passes: Passes, duplicates: dict[int, int]) -> dict[int, int]:
    """Test rows that show a training row's picture: test row → the first training row that shows it.

    No two test rows show the same picture. duplicates: those within the training file, as `plan_duplicates` gives them.
    """
    rng = purpose_rng(settings.seed, "test_duplicates")
    rows = round(settings.test_duplicates * settings.test4)
    row_of: dict[int, int] = {}  # by the training row
    for place, earlier in _repeats(passes, np.arange(passes.train, passes.total), rng):
        if len(row_of) == rows:
            break
        row = settings.train15 + earlier
        row_of.setdefault(duplicates.get(row, row), settings.test15 + place - passes.train)
    return dict(sorted((row, first) for first, row in row_of.items()))


def _pairs_of_fifteen(settings: DrawnSettings, rng: np.random.Generator) -> dict[int, int]:
    """A few pairs of 15-keypoint rows anywhere, row → earlier row; none among fewer than ten rows."""
    count = min(ceil(OF_FIFTEEN * settings.duplicates * settings.train15 / 2), settings.train15 // 10)
    chosen = rng.permutation(settings.train15)[: 2 * count].reshape(count, 2)
    return {int(max(pair)): int(min(pair)) for pair in chosen}


def _repeats(passes: Passes, places: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """These places in random order, each with a place of the training file in an earlier pass that it may repeat."""
    number, share = passes.locate(places)
    back = rng.geometric(NEAREST, len(places)) - 1
    share = share + rng.normal(0, JITTER, len(places))
    for i in rng.permutation(len(places)).tolist():
        earlier = passes.place_at(np.arange(number[i])[::-1], share[i])  # nearest pass first
        known = earlier[earlier < passes.train]
        if len(known):
            yield int(places[i]), int(known[back[i] % len(known)])
