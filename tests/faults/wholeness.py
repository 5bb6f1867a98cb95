"""Checks that files on disk can be used, at whatever moment their process was killed."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from solution.runtime.artifacts import LEFT_OVER, MANIFEST, intact, manifest

SHA256 = 32


def check_all(root: Path) -> None:
    """Every file is whole, and every manifest is true. Unfinished files have names that are never read."""
    for path in root.rglob("*"):
        if path.is_file() and not LEFT_OVER.fullmatch(path.name):
            check(path)
    for path in root.rglob(MANIFEST):
        content = manifest(path.parent)
        assert content is not None, path
        assert intact(path.parent, content), path


def check(path: Path) -> None:
    """One file can be read to its end."""
    content = path.read_bytes()
    if path.suffix == ".json":
        json.loads(content)
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].size >= 0 for name in arrays.files), path
    elif path.suffix == ".safetensors":
        assert load_file(path), path
    elif path.suffix == ".pt":
        assert hashlib.sha256(content[SHA256:]).digest() == content[:SHA256], path
    elif path.suffix in (".csv", ".md"):
        assert content.endswith(b"\n"), path
    if path.suffix == ".csv":
        assert len({len(row) for row in csv.reader(content.decode().splitlines())}) == 1, path
