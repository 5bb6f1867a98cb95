"""What the ensemble uses for one subset, with the figures that decide it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class SubsetChoice:
    """Blend or stack, with label drift or without. RMSE in pixels, without outliers.

    Differences are (value, low, high) with the ends of the 95 % interval. A field of the drift's validation is None
    where there is nothing to validate.
    """

    used: str  # "blend" or "stack"
    blend: float  # RMSE of the blend, out-of-fold
    stack: float  # RMSE of the stack, out-of-fold
    difference: tuple[float, float, float]  # `stack` minus `blend`
    relation: str  # how the test pictures stand to the training rows: see data/placement.py
    drift_used: bool  # whether label drift is added
    plain: float | None = None  # RMSE of the validated rows without drift
    drift: float | None = None  # RMSE of the same rows with drift
    drift_difference: tuple[float, float, float] | None = None  # `drift` minus `plain`
    carried: tuple[int, float, float] | None = None
    """Window (rows), factor and decay (rows) of the extrapolation; None where the test does not continue."""

    def to_json(self) -> dict[str, Any]:
        """The fields that are not None, as JSON values."""
        fields = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in fields.items()}
        return cls(**values)
