"""Dataclasses as JSON values, and back."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from solution.runtime.values import from_json, to_json


@dataclass(frozen=True)
class Inner:
    value: float
    pair: tuple[float, str]


@dataclass(frozen=True)
class Outer:
    name: str
    by_part: Mapping[str | int, float]
    inner: Mapping[int, Inner]
    many: tuple[Inner, ...]
    maybe: Inner | None = None


VALUE = Outer("a", {"overall": 0.1 + 0.2, 15: 1e-300}, {4: Inner(1 / 3, (2.0, "b"))}, (Inner(5.0, (1.0, "c")),) * 2)


def test_a_value_comes_back_with_every_bit():
    text = json.dumps(to_json(VALUE), allow_nan=False)
    assert from_json(Outer, json.loads(text)) == VALUE


def test_what_is_not_finite_is_null_and_comes_back_as_nan():
    value = to_json(Inner(np.float64("nan"), (math.inf, "x")))
    assert value == {"value": None, "pair": [None, "x"]}
    assert math.isnan(from_json(Inner, value).value)


def test_a_value_of_another_shape_is_refused():
    with pytest.raises(KeyError):
        from_json(Outer, {"name": "a"})
