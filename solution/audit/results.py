"""The audit's files, and its essentials on the terminal."""

from pathlib import Path
from typing import Any

import cv2
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solution.artefacts import write_bytes, write_json, write_text
from solution.audit.planted import found_planted
from solution.audit.sheet import contact_sheet
from solution.audit.table import FLAGGED, LISTED, flagged, make_audit
from solution.faces import FaceSet, FoldTable, Predictions

TABLE, SHEET, FACTS = "audit.csv", "audit.png", "audit.json"
TOP = 10
WIDTH = 80


def write_audit(
    folder: Path, faces: FaceSet, table: FoldTable, oof: Predictions, planted: dict[int, str] | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Make the audit and write its table, contact sheet and facts into the folder; the table and the facts.

    planted: what is wrong in drawn faces, id → kind; None for others.
    """
    audit = make_audit(faces, table, oof)
    facts = facts_of(audit, len(faces), planted)
    write_text(folder / TABLE, audit.to_csv(index=False, lineterminator="\n"))
    _, encoded = cv2.imencode(".png", contact_sheet(faces, oof, audit))
    write_bytes(folder / SHEET, encoded.tobytes())
    write_json(folder / FACTS, facts)
    return audit, facts


def facts_of(audit: pd.DataFrame, rows: int, planted: dict[int, str] | None) -> dict[str, Any]:
    """The audit in numbers; for drawn faces also precision and recall of the far off and of the flagged rows."""
    found = {"far_off": audit.loc[audit["far_off"], "id"].to_numpy(), "flagged": flagged(audit)}
    facts: dict[str, Any] = {"rows": rows, "listed": len(audit), "listed_from": LISTED, "flagged_from": FLAGGED}
    facts |= {name: len(ids) for name, ids in found.items()}
    if planted is not None:
        facts["planted"] = len(planted)
        facts |= {f"{name}_against_planted": found_planted(ids, planted) for name, ids in found.items()}
    return facts


def show(audit: pd.DataFrame, facts: dict[str, Any], folder: Path, console: Console | None = None) -> None:
    """Print the worst TOP rows, the numbers, and where the files lie."""
    console = console or Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "points", "score"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for row in audit.head(TOP).itertuples():
        table.add_row(str(row.id), str(row.subset), f"{row.score:.2f}", Text(str(row.reason)))
    console.print(table, width=min(console.width, WIDTH))
    console.print()
    for sentence in sentences(facts):
        console.print(Text(sentence), width=min(console.width, WIDTH))
    for name in (TABLE, SHEET, FACTS):
        console.print(Text(str(folder / name)), soft_wrap=True)  # one line, so that the path can be copied


def sentences(facts: dict[str, Any]) -> list[str]:
    """What `facts_of` found, in sentences."""
    lines = [
        f"{facts['rows']} rows audited: {facts['far_off']} far off, {facts['flagged']} flagged (score "
        f"{facts['flagged_from']:g} or more), {facts['listed']} listed ({facts['listed_from']:g} or more). "
        "The audit drops none; reports give their figures with the far off rows and without."
    ]
    for name in ("far_off", "flagged"):
        against = facts.get(f"{name}_against_planted")
        if against is not None:
            lines.append(
                f"Of {facts['planted']} rows planted wrong, {against['right']} are {name.replace('_', ' ')} (recall "
                f"{_share(against['recall'])}), among {against['found']} that are (precision "
                f"{_share(against['precision'])})."
            )
    return lines


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
