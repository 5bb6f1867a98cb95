"""The audit's files: table, contact sheet and facts; and its essentials on the terminal."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from solution.evaluation.label_errors.ranking import FLAGGED, LISTED, flagged
from solution.faces import FaceSet, Predictions
from solution.report import drawing
from solution.runtime.artifacts import write_json, write_text
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
            "Remove the folder and run again to draw new faces."
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

TEXT, PAPER = (230, 230, 230), (32, 32, 32)


def contact_sheet(faces: FaceSet, oof: Predictions, audit: pd.DataFrame) -> np.ndarray:
    """Draw the audit's first WORST faces, worst first, below a legend. Returns (H, W, 3) uint8, blue-green-red.

    Each face is enlarged ZOOM times. Its labels are rings, each joined to the out-of-fold prediction of the same point.
    Two lines below a face give its id, subset and score, and as much of the reason as fits. An empty audit gives the
    legend alone.
    """
    row_of = {int(face): row for row, face in enumerate(faces.ids)}
    tiles = []
    for entry in audit.head(WORST).to_dict("records"):
        row = row_of[entry["id"]]
        predictions = np.where(np.isnan(faces.coords[row]), np.nan, oof.coords[row])
        tile = drawing.face(faces.images[row], faces.coords[row], predictions, ZOOM, links=True)
        tiles.append(np.vstack([tile, _caption(entry, tile.shape[1])]))
    width = COLUMNS * ZOOM * faces.images.shape[2]
    blocks = [_legend(width, len(tiles), len(audit))]
    if tiles:
        blocks.append(drawing.sheet(tiles, COLUMNS, gap=0, paper=PAPER))
    return np.vstack(blocks)


def _caption(entry: dict, width: int) -> np.ndarray:
    strip = np.full((CAPTION, width, 3), PAPER, np.uint8)
    title = f"id {entry['id']}  {entry['subset']} points  score {entry['score']:.2f}"
    drawing.text(strip, title, (4, 13), 0.42, TEXT)
    drawing.text(strip, drawing.fitting(entry["reason"], width - 8, 0.34), (4, 28), 0.34, TEXT)
    return strip


def _legend(width: int, shown: int, listed: int) -> np.ndarray:
    strip = np.full((LEGEND, width, 3), PAPER, np.uint8)
    drawing.ring(strip, np.array([16, 16]), 5, drawing.LABEL)
    drawing.text(strip, "label", (28, 21), 0.5, TEXT)
    drawing.dot(strip, np.array([104, 16]), 4, drawing.PREDICTION)
    drawing.text(strip, "out-of-fold prediction", (116, 21), 0.5, TEXT)
    facts = f"{shown} of {listed} listed faces, worst first; score 1 = at the limit of right labels"
    drawing.text(strip, facts, (340, 21), 0.5, TEXT)
    return strip


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
    drawing.save(folder / SHEET, contact_sheet(faces, oof, audit))
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
    """Print the worst TOP rows, the numbers, and where the files are."""
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
