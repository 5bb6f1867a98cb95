"""The audit's files: table, contact sheet and facts; and its essentials on the terminal."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from solution.evaluation.label_errors.ranking import FLAGGED, LISTED, flagged
from solution.faces import FaceSet, Predictions
from solution.runtime.artifacts import write_bytes, write_json, write_text
from solution.runtime.errors import UserError
from solution.table import Column, Table


def read_planted(path: Path) -> dict[int, str]:
    """The rows with planted wrong labels, row → kind, from a drawn folder's manifest.

    UserError where the file cannot be read or has no list of them.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {int(entry["row"]): str(entry["kind"]) for entry in content["wrong"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: expected the manifest of drawn faces with its list of wrong rows, got: {error!r}. "
            "Draw the faces anew: remove the folder and run again."
        ) from error


def found_planted(ids: np.ndarray, planted: dict[int, str]) -> dict[str, Any]:
    """Compare the ids (M,) of rows that the audit names with the planted rows.

    precision: share of the named rows that are planted; None where no row is named. recall: share of the planted rows
    that are named; None where no row is planted. missed: planted rows that are not named. innocent: named rows that are
    not planted.
    """
    right = np.isin(ids, list(planted))
    hits = int(right.sum())
    return {
        "found": len(ids),
        "right": hits,
        "precision": round(hits / len(ids), 4) if len(ids) else None,
        "recall": round(hits / len(planted), 4) if planted else None,
        "missed": [{"row": row, "kind": kind} for row, kind in planted.items() if row not in ids],
        "innocent": ids[~right].tolist(),
    }


WORST = 48
"""Faces on the sheet."""

COLUMNS = 8
ZOOM = 3
CAPTION = 34
"""Height of the two lines below a face, pixels of the sheet."""

LEGEND = 32
"""Height of the legend on top."""

# Blue, green, red. Nearly everybody can tell orange from sky blue, on dark and light skin.
LABEL, PREDICTION = (0, 120, 255), (255, 200, 60)
LINK, TEXT, PAPER = (150, 150, 150), (230, 230, 230), (32, 32, 32)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def contact_sheet(faces: FaceSet, oof: Predictions, audit: pd.DataFrame) -> np.ndarray:
    """Draw the audit's first WORST faces, worst first, below a legend. Returns (H, W, 3) uint8, blue-green-red.

    Every face is enlarged ZOOM times, its labels ringed and tied to the out-of-fold predictions of the same points; id,
    subset and score stand below, then the reason as far as it fits. An empty audit gives the legend alone.
    """
    row_of = {int(face): row for row, face in enumerate(faces.ids)}
    tiles = []
    for entry in audit.head(WORST).to_dict("records"):
        row = row_of[entry["id"]]
        face = _face(faces.images[row], faces.coords[row], oof.coords[row])
        tiles.append(np.vstack([face, _caption(entry, face.shape[1])]))
    width = COLUMNS * ZOOM * faces.images.shape[2]
    lines = [_legend(width, len(tiles), len(audit))]
    for start in range(0, len(tiles), COLUMNS):
        line = np.hstack(tiles[start : start + COLUMNS])
        lines.append(np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))))
    return np.vstack(lines)


def _face(image: np.ndarray, labels: np.ndarray, coords: np.ndarray) -> np.ndarray:
    """A grey picture (H, W) enlarged, with its labels and predictions (K, 2)."""
    enlarged = cv2.resize(image, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    canvas = cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR)
    for label, prediction in zip(labels, coords, strict=True):
        if np.isnan(label).any():
            continue
        at = _enlarged(label)
        if not np.isnan(prediction).any():
            cv2.line(canvas, at, _enlarged(prediction), LINK, 1, cv2.LINE_AA)
            cv2.circle(canvas, _enlarged(prediction), 2, PREDICTION, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(canvas, at, 4, LABEL, 1, cv2.LINE_AA)
    return canvas


def _enlarged(point: np.ndarray) -> tuple[int, int]:
    """A point's place in the enlarged picture: a pixel's centre becomes the centre of ZOOM pixels."""
    x, y = np.rint((point + 0.5) * ZOOM - 0.5).astype(int).tolist()
    return x, y


def _caption(entry: dict, width: int) -> np.ndarray:
    strip = np.full((CAPTION, width, 3), PAPER, np.uint8)
    title = f"id {entry['id']}  {entry['subset']} points  score {entry['score']:.2f}"
    _write(strip, title, (4, 13), 0.42)
    _write(strip, _fitting(entry["reason"], width - 8, 0.34), (4, 28), 0.34)
    return strip


def _fitting(text: str, width: int, size: float) -> str:
    """As much of the text as fits into the width, in pixels."""
    while cv2.getTextSize(text, FONT, size, 1)[0][0] > width:
        text = text[:-1]
    return text


def _legend(width: int, shown: int, listed: int) -> np.ndarray:
    strip = np.full((LEGEND, width, 3), PAPER, np.uint8)
    cv2.circle(strip, (16, 16), 5, LABEL, 1, cv2.LINE_AA)
    _write(strip, "label", (28, 21), 0.5)
    cv2.circle(strip, (104, 16), 4, PREDICTION, cv2.FILLED, cv2.LINE_AA)
    _write(strip, "out-of-fold prediction", (116, 21), 0.5)
    _write(
        strip, f"{shown} of {listed} listed faces, worst first; score 1 = at the limit of right labels", (340, 21), 0.5
    )
    return strip


def _write(canvas: np.ndarray, text: str, at: tuple[int, int], size: float) -> None:
    cv2.putText(canvas, text, at, FONT, size, TEXT, 1, cv2.LINE_AA)


TABLE, SHEET, FACTS = "audit.csv", "audit.png", "audit.json"
TOP = 10
WIDTH = 80


def write_audit(
    folder: Path, faces: FaceSet, audit: pd.DataFrame, oof: Predictions, planted: dict[int, str] | None
) -> dict[str, Any]:
    """Write the audit's table, contact sheet and facts into the folder. Returns the facts.

    oof: the out-of-fold predictions that are drawn. planted: the wrong labels of drawn faces, id → kind; None for other
    faces.
    """
    facts = facts_of(audit, len(faces), planted)
    write_text(folder / TABLE, audit.to_csv(index=False, lineterminator="\n"))
    _, encoded = cv2.imencode(".png", contact_sheet(faces, oof, audit))
    write_bytes(folder / SHEET, encoded.tobytes())
    write_json(folder / FACTS, facts)
    return facts


def facts_of(audit: pd.DataFrame, rows: int, planted: dict[int, str] | None) -> dict[str, Any]:
    """The audit in numbers; for drawn faces also precision and recall of the outliers and of the flagged rows."""
    kinds = {"far_off": audit.loc[audit["far_off"], "id"].to_numpy(), "flagged": flagged(audit)}
    facts: dict[str, Any] = {"rows": rows, "listed": len(audit), "listed_from": LISTED, "flagged_from": FLAGGED}
    facts |= {name: len(ids) for name, ids in kinds.items()}
    if planted is not None:
        facts["planted"] = len(planted)
        facts |= {f"{name}_against_planted": found_planted(ids, planted) for name, ids in kinds.items()}
    return facts


def show(audit: pd.DataFrame, facts: dict[str, Any], folder: Path, console: Console | None = None) -> None:
    """Print the worst TOP rows, the numbers, and where the files lie."""
    console = console or Console()
    columns = [Column("id"), Column("subset", "points"), Column("score", form=".2f"), Column("reason", text=True)]
    rows = [[row[column.key] for column in columns] for row in audit.head(TOP).to_dict("records")]
    console.print(Table("The worst labels", columns, rows).rich(), width=min(console.width, WIDTH))
    console.print()
    for sentence in sentences(facts):
        console.print(Text(sentence), width=min(console.width, WIDTH))
    for name in (TABLE, SHEET, FACTS):
        console.print(Text(str(folder / name)), soft_wrap=True)  # one line, so that the path can be copied


def sentences(facts: dict[str, Any]) -> list[str]:
    """The facts in sentences."""
    lines = [
        f"{facts['rows']} rows audited: {facts['far_off']} outliers, {facts['flagged']} flagged (score "
        f"{facts['flagged_from']:g} or more), {facts['listed']} listed ({facts['listed_from']:g} or more). "
        "The audit drops no row. Reports give their figures with outliers and without."
    ]
    for name, kind in (("far_off", "outliers"), ("flagged", "flagged")):
        against = facts.get(f"{name}_against_planted")
        if against is not None:
            lines.append(
                f"Of {facts['planted']} rows with planted wrong labels {against['right']} are {kind} (recall "
                f"{_share(against['recall'])}); {against['found']} rows are {kind} in all (precision "
                f"{_share(against['precision'])})."
            )
    return lines


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
