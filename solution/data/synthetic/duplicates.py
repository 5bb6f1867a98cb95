"""Which rows show a picture that another row shows, too, byte for byte.

A 4-keypoint row repeats the picture that an earlier pass shows at about the same place of the picture order, so the two
stand about a whole number of passes apart, mostly one. 15-keypoint rows have few duplicates, anywhere in the training
file, and none in the test file.
"""

from collections.abc import Iterator
from math import ceil

import numpy as np

from solution.data.synthetic.passes import Passes
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.slots import purpose_rng

_NEAREST = 0.6  # share of the repeats that go back to the nearest earlier pass, and of the others to the next one, ...
_JITTER = 0.015  # how far from its place a picture stands in another pass: one deviation, as a share of the pass
_OF_FIFTEEN = 0.1  # the share of 15-keypoint rows with a duplicate, as a share of `duplicates`


def plan_duplicates(settings: DrawnSettings, passes: Passes) -> dict[int, int]:
    """Training rows that show an earlier row's picture, row → earlier row: pairs of rows of one kind."""
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
    count = min(ceil(_OF_FIFTEEN * settings.duplicates * settings.train15 / 2), settings.train15 // 10)
    chosen = rng.permutation(settings.train15)[: 2 * count].reshape(count, 2)
    return {int(max(pair)): int(min(pair)) for pair in chosen}


def _repeats(passes: Passes, places: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """These places in random order, each with the place of a training row of an earlier pass that it may repeat."""
    number, share = passes.locate(places)
    back = rng.geometric(_NEAREST, len(places)) - 1
    share = share + rng.normal(0, _JITTER, len(places))
    for i in rng.permutation(len(places)).tolist():
        earlier = passes.place_at(np.arange(number[i])[::-1], share[i])  # nearest pass first
        known = earlier[earlier < passes.train]
        if len(known):
            yield int(places[i]), int(known[back[i] % len(known)])
