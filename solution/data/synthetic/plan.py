"""What both files hold, decided before a face is drawn: passes, duplicates, wrong rows, drift."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solution.data.synthetic.duplicates import plan_duplicates, plan_test_duplicates
from solution.data.synthetic.habits import drift_at
from solution.data.synthetic.labels import plan_wrong
from solution.data.synthetic.passes import Passes, plan_passes
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.slots import Slot, slots
from solution.keypoints import FACE4


@dataclass(frozen=True, eq=False)
class Plan:
    """Rows are 0-based rows of their file."""

    settings: DrawnSettings
    """What it is the plan of."""
    passes: Passes
    """The common order of the 4-keypoint rows."""
    duplicates: dict[int, int]
    """Training row → the earlier training row whose picture it shows."""
    test_duplicates: dict[int, int]
    """Test row → the first training row whose picture it shows."""
    wrong: dict[int, str]
    """Training row → how its label is wrong, one of WRONG_KINDS."""

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
