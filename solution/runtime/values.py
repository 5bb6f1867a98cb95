"""Frozen dataclasses as JSON values, and back.

A float that is not finite is null in JSON. Floats keep every bit, since JSON text holds their shortest exact form.
"""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np


def to_json(value: Any) -> Any:  # noqa: ANN401 - any value made of dataclasses, containers, numbers and text
    """The value as JSON can hold it: dataclasses and mappings become objects, tuples become lists."""
    if is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_json(kind: Any, value: Any) -> Any:  # noqa: ANN401 - a type and its value
    """The value of this type that `to_json` gave. KeyError or TypeError where the value is of another type."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: from_json(hints[name], value[name]) for name in hints})  # type: ignore[operator]
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (only,) = (part for part in args if part is not NoneType)
        return None if value is None else from_json(only, value)
    if kind is float:
        return math.nan if value is None else float(value)
    if origin is tuple:
        kinds = args[:1] * len(value) if args[1:] == (...,) else args
        return tuple(from_json(part, inner) for part, inner in zip(kinds, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {_key(key): from_json(args[1], inner) for key, inner in value.items()}
    return value


def _key(text: str) -> str | int:
    """Keys are names or numbers; JSON has text alone."""
    return int(text) if text.isdecimal() else text
