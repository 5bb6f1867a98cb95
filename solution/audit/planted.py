"""Drawn faces know which of their labels are wrong: how well does the audit find them?"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from solution.errors import UserError


def read_planted(path: Path) -> dict[int, str]:
    """The rows whose labels were planted wrong, row → kind, from a drawn folder's manifest.

    UserError where the file cannot be read or names none of it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {int(entry["row"]): str(entry["kind"]) for entry in content["wrong"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: expected the manifest of drawn faces with its list of wrong rows, got: {error!r}. "
            "Draw the faces anew: remove the folder and run again."
        ) from error


def found_planted(found: np.ndarray, planted: dict[int, str]) -> dict[str, Any]:
    """How many of the found ids (M,) are planted (precision), and of the planted found (recall), and which are missed.

    precision is None where nothing was found, recall where nothing was planted.
    """
    right = np.isin(found, list(planted))
    hits = int(right.sum())
    return {
        "found": len(found),
        "right": hits,
        "precision": round(hits / len(found), 4) if len(found) else None,
        "recall": round(hits / len(planted), 4) if planted else None,
        "missed": [{"row": row, "kind": kind} for row, kind in planted.items() if row not in found],
        "innocent": found[~right].tolist(),
    }
