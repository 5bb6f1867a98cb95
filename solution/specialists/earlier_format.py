"""Trainings of format 1 stay valid: only the names of their settings differ. Remove this module with format 3."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from solution.runtime.artifacts import digest_of, write_json
from solution.specialists.patches.predict import READING
from solution.specialists.training import SETTINGS

KEYS = {"parent": "start_from", "init_from": "warm_start", "biases": "habits", "uncertainties": "doubts"}
KINDS = {"Coordinates": "Located", "SimCC": "Marginals"}


def earlier_inputs(training: dict[str, Any], parent: dict[str, Any] | None, data: str) -> Iterator[dict[str, Any]]:
    """The inputs of a training as manifests of format 1 name them.

    training, parent: its inputs and those of the training that it starts from. data: the digest of all competition
    files, which the earliest manifests name in place of the training file's digest.
    """
    for named in (training["data"], data):
        start_from = digest_of(_inputs(parent, named, None)) if parent else None
        yield _inputs(training, named, start_from)


def _inputs(training: dict[str, Any], data: str, start_from: str | None) -> dict[str, Any]:
    values = {**training, "format": 1, "recipe": _renamed(training["recipe"], KEYS, KINDS), "data": data}
    del values["parent"]
    return {**values, "start_from": start_from}


def upgrade(folder: Path) -> None:
    """Rewrite a training's settings under the current names."""
    keys, kinds = ({earlier: now for now, earlier in names.items()} for names in (KEYS, KINDS))
    for path in (folder / SETTINGS, folder / READING):
        if path.is_file():
            write_json(path, _renamed(json.loads(path.read_text(encoding="utf-8")), keys, kinds))


def _renamed(value: Any, keys: dict[str, str], kinds: dict[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    """The value with other names for the keys of dictionaries and for the kinds of codecs."""
    if isinstance(value, dict):
        renamed = {keys.get(key, key): _renamed(inner, keys, kinds) for key, inner in value.items()}
        return {key: kinds.get(inner, inner) if key == "kind" else inner for key, inner in renamed.items()}
    return [_renamed(inner, keys, kinds) for inner in value] if isinstance(value, list) else value
