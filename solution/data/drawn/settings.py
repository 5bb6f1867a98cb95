"""What is drawn: how many faces of each kind, and which flaws of real labels are planted. Checked when made."""

from dataclasses import dataclass, fields

from solution.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DrawnSettings:
    """train15 … test4: numbers of faces. offset15, offset4: labels lie this far right of the true place, pixels.

    noise15, noise4: label noise, pixels rms an axis. drift: factor on the drift of the 4-keypoint labels. switch: the
    place in the 4-keypoint rows, 0 to 1, from which on the bottom lip is labelled switch_step pixels lower. twins:
    share of the training rows that have an identical twin. wrong: share of the training rows with grossly wrong labels.
    """

    seed: int = 0
    train15: int = 700
    train4: int = 1300
    test15: int = 150
    test4: int = 250
    offset15: float = 0.5
    offset4: float = 1.2
    noise15: float = 0.5
    noise4: float = 1.0
    drift: float = 1.0
    switch: float | None = None
    switch_step: float = 3.0
    twins: float = 0.03
    wrong: float = 0.005

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int and (not isinstance(value, int) or value < 0):
                raise UserError(f"drawn faces: {field.name} is {value!r}, expected a whole number of 0 or more.")
        for name in ("noise15", "noise4", "drift"):
            self._require(name, getattr(self, name) >= 0, "0 or more")
        for name in ("twins", "wrong"):
            self._require(name, 0 <= getattr(self, name) <= 0.3, "a share of 0 to 0.3")
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
