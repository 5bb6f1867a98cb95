"""Settings of drawn faces: how many of each kind, and which flaws of real labels they have."""

import math
from dataclasses import dataclass, fields

from solution.runtime.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DrawnSettings:
    """Sizes, flaws and structure of the drawn files. UserError where a value makes no sense."""

    seed: int = 0  # names all random numbers: the same settings give the same bytes
    train15: int = 700  # 15-keypoint rows of the training file
    train4: int = 1300  # 4-keypoint rows of the training file
    test15: int = 150  # 15-keypoint pictures of the test file
    test4: int = 250  # 4-keypoint pictures of the test file
    passes: float = 5.6
    """Passes over one picture order that the 4-keypoint training rows make; the test file continues them."""
    offset15: float = 0.5  # how far to the right of the true place 15-keypoint labels are put, pixels
    offset4: float = 1.2  # how far to the right of the true place 4-keypoint labels are put, pixels
    noise15: float = 0.5  # noise of 15-keypoint labels, pixels rms an axis
    noise4: float = 1.0  # noise of 4-keypoint labels, pixels rms an axis
    drift: float = 1.0  # factor on the label drift of 4-keypoint rows, 0 for none
    switch: float | None = None
    """Share of the 4-keypoint training rows after which the bottom lip is labelled lower; the test file follows."""
    switch_step: float = 3.0  # how much lower that is, pixels
    duplicates: float = 0.125  # share of the 4-keypoint training rows whose picture another training row also shows
    test_duplicates: float = 0.2  # share of the 4-keypoint test pictures that a training row also shows
    wrong: float = 0.005  # share of the training rows with grossly wrong labels

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int and (not isinstance(value, int) or value < 0):
                raise UserError(f"drawn faces: {field.name} is {value!r}, expected a whole number of 0 or more.")
        for name in ("noise15", "noise4", "drift"):
            self._require(name, getattr(self, name) >= 0, "0 or more")
        for name in ("duplicates", "test_duplicates", "wrong"):
            self._require(name, 0 <= getattr(self, name) <= 0.3, "a share of 0 to 0.3")
        self._require("passes", 1 <= self.passes < math.inf, "a number of 1 or more")
        self._require("switch", self.switch is None or 0 < self.switch < 1, "none, or between 0 and 1")
        if self.train == 0 or self.test == 0:
            raise UserError("drawn faces: expected at least one training face and one test face. Raise the sizes.")

    def _require(self, name: str, good: bool, expected: str) -> None:
        if not good:
            raise UserError(f"drawn faces: {name} is {getattr(self, name)!r}, expected {expected}.")

    @property
    def train(self) -> int:
        """Rows of the training file."""
        return self.train15 + self.train4

    @property
    def test(self) -> int:
        """Rows of the test file."""
        return self.test15 + self.test4
