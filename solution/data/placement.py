"""Where the test pictures stand in the order of the training rows: the value that `sequence.py` finds."""

from dataclasses import dataclass

import numpy as np

INTERLEAVED, CONTINUES, UNKNOWN = "interleaved", "continues", "unknown"


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """Where one subset's test pictures stand among its training rows, with the evidence.

    A place counts the subset's rows of the training file from 0. A place of N or more is after the last of N rows. A
    figure is NaN if there are too few pairs to compute it.
    """

    subset: int
    """15 or 4."""

    relation: str
    """INTERLEAVED, CONTINUES or UNKNOWN."""

    pictures: int
    """Test pictures that are byte-identical to a training picture."""

    pairs: tuple[int, int, int]
    """Pairs of identical pictures: within the training file, across the files, within the test file."""

    period: float = float("nan")
    """Training rows from one pass to the next."""

    rate: float = float("nan")
    """Training rows that one test picture advances where the test file continues the training file."""

    concentration: float = float("nan")
    """How well the distances across the files agree on one phase of the period with the test pictures after the last
    row, 0 to 1: length of the mean of exp(2πi · distance / period)."""

    by_rank: float = float("nan")
    """The same with the test pictures placed by rank."""

    chance: float = float("nan")
    """Highest `concentration` of shuffled test pictures."""

    together: float = float("nan")
    """Mean of cos(2π · distance / period) over the pairs of both files with the test pictures after the last row: 1
    where all distances are multiples of the period."""

    misfit: float = float("nan")
    """How far the places by rank are from what identical pictures show, measured by what a random sample of the rows
    allows: mean squared standardised deviation, about 1 or less for a random sample."""

    phase: float = float("nan")
    """Rows by which the first test picture's distances exceed a multiple of the period; 0 where the test file begins
    exactly where the training file ends."""

    phase_error: float = float("nan")
    """Standard error of `phase` in rows, from leaving out eighths of the pairs."""

    rate_error: float = float("nan")
    """Standard error of `rate`, training rows a test picture: passes differ in length, and the distances' remainders
    still gain or lose rows from picture to picture."""

    places: np.ndarray | None = None
    """(T,) each test picture's place; None where it is unknown."""

    error: np.ndarray | None = None
    """(T,) standard deviation of each place, rows. It is finite if the places are known. In a continuation it grows
    with the distance from the last training row by `rate_error`."""

    def describe(self) -> str:
        """One sentence with the evidence."""
        if self.relation == UNKNOWN and np.isnan(self.concentration):
            return (
                f"{self.subset}-keypoint test pictures: place unknown ({self.pictures} of them are identical to "
                f"training pictures, {self.pairs[0]} pairs within the training file)"
            )
        relation = {INTERLEAVED: "interleaved with", CONTINUES: "continue", UNKNOWN: "place unknown in"}[self.relation]
        return (
            f"{self.subset}-keypoint test pictures: {relation} the training rows ({self.pictures} identical to "
            f"training pictures; period {self.period:.0f} rows; concentration {self.concentration:.2f} after the last "
            f"row, {self.by_rank:.2f} by rank, {self.chance:.2f} by chance; phase at the boundary {self.phase:+.0f} ± "
            f"{self.phase_error:.0f} rows)"
        )
