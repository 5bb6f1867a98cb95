"""The state of a training after its last finished epoch. A stopped run resumes from it with the same result.

The file is a SHA-256 and then a dict as torch writes it. The SHA-256 is that of the dict. It is needed because torch
alone would read damaged bytes as weights without an error.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from solution.runtime.artifacts import digest_of, write_bytes

FILE = "checkpoint.pt"
_DIGEST = hashlib.sha256().digest_size


def save(folder: Path, inputs: dict[str, Any], state: dict[str, Any]) -> None:
    """Write a state of tensors, numbers, strings, lists and dicts, for these inputs."""
    content = io.BytesIO()
    torch.save({"inputs": digest_of(inputs), "state": state}, content)
    write_bytes(folder / FILE, hashlib.sha256(content.getvalue()).digest() + content.getvalue())


def load(folder: Path, inputs: dict[str, Any]) -> dict[str, Any] | None:
    """The state saved for the same inputs; None if there is none, it is of other inputs, or it is damaged."""
    try:
        written = (folder / FILE).read_bytes()
    except OSError:
        return None
    digest, content = written[:_DIGEST], written[_DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        return None
    saved = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    return saved["state"] if saved["inputs"] == digest_of(inputs) else None


def remove(folder: Path) -> None:
    """Remove the state once the training is complete."""
    (folder / FILE).unlink(missing_ok=True)
