"""Where a training stands after its last finished epoch, so that a stopped run goes on with the same result."""

from pathlib import Path
from typing import Any

import torch

from solution.artefacts import atomic, digest_of

FILE = "checkpoint.pt"


def save(folder: Path, inputs: dict[str, Any], state: dict[str, Any]) -> None:
    """Write a state of tensors, numbers, strings, lists and dicts, bound to the job's inputs."""
    with atomic(folder / FILE) as temporary:
        torch.save({"inputs": digest_of(inputs), "state": state}, temporary)


def load(folder: Path, inputs: dict[str, Any]) -> dict[str, Any] | None:
    """The state saved for the same inputs; None where there is none, it is for other inputs, or it is damaged."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        content = torch.load(path, weights_only=True, map_location="cpu")
    except Exception:  # torch raises many kinds for a damaged file; each means: train from the start
        return None
    return content["state"] if content.get("inputs") == digest_of(inputs) else None


def remove(folder: Path) -> None:
    """Forget the state, once the job is complete."""
    (folder / FILE).unlink(missing_ok=True)
