"""The audit: all evidence against each row's labels as one score, and the rows ranked by it.

The limits that make a score of 1 are set for precision: nearly every flagged face has a wrong label. The audit was
tested on eight sets of 320 drawn faces with 14 planted wrong rows each, with specialists of scale smoke (3 px). All 72
flagged rows were wrong, and 64 % of the wrong rows were flagged (46 % were outliers). The wrong rows that were not
flagged were labels of another face that fit to about 5 px, and small shifts. On 5,993 rows of Kaggle's file, the audit
with one U-Net flagged 14 rows: twelve visible mistakes, a hidden eye, and a picture of several faces. The next rows, at
0.96 and below, are open mouths and covered eyes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from solution.evaluation.label_errors.evidence import (
    Evidence,
    Residuals,
    duplicate_evidence,
    point_evidence,
    row_evidence,
)
from solution.evaluation.label_errors.geometry import geometry_evidence
from solution.evaluation.outliers import is_outlier
from solution.faces import FaceSet, FoldTable, Predictions

FLAGGED = 1.0
"""Score from which labels are flagged: at least one kind of evidence is above the limit of right labels."""

LISTED = 0.5
"""Score from which a row is listed."""

COLUMNS = (
    "id",
    "subset",
    "score",
    "far_off",
    "reason",
    "worst_point",
    "rms_residual_px",
    "duplicate_disagreement_px",
    "geometry",
)


def make_audit(faces: FaceSet, table: FoldTable, oof: Predictions) -> pd.DataFrame:
    """Rank the rows whose labels may be wrong, worst first. No row is dropped or changed.

    oof: out-of-fold predictions of all faces, in their order; sigma: disagreement of the specialists, px.

    The score is the largest of four ratios, each a deviation over the limit of right labels: the row's residual, its
    worst point's residual, the difference from its duplicate, and the geometry. Columns: COLUMNS. Rows: those with
    LISTED or more, and all outliers. reason: every kind of evidence above the limit, the strongest first, or the
    strongest one where none is above it. ValueError where the ids do not agree.
    """
    if not (np.array_equal(faces.ids, oof.ids) and np.array_equal(faces.ids, table.ids)):
        raise ValueError("faces, folds and predictions are not of the same rows in the same order")
    residuals = Residuals.of(faces, table.group, oof.coords, oof.sigma)
    geometry = geometry_evidence(faces)
    evidence = (
        row_evidence(residuals),
        point_evidence(residuals, faces.subset, faces.schema),
        duplicate_evidence(residuals, faces.ids),
        geometry,
    )
    ratios = np.nan_to_num(np.stack([kind.ratio for kind in evidence]))
    score, sure = ratios.max(axis=0), is_outlier(oof.coords, faces.coords)
    listed = np.flatnonzero((score >= LISTED) | sure)
    ranked = listed[np.lexsort((faces.ids[listed], -score[listed]))]
    return pd.DataFrame(
        {
            "id": faces.ids[ranked],
            "subset": faces.subset[ranked],
            "score": score[ranked].round(2),
            "far_off": sure[ranked],
            "reason": [_reason(evidence, ratios[:, row], row) for row in ranked],
            "worst_point": [_worst_point(residuals.vectors[row], faces.schema.points) for row in ranked],
            "rms_residual_px": residuals.rms[ranked].astype(float).round(2),
            "duplicate_disagreement_px": residuals.disagreement[ranked].astype(float).round(2),
            "geometry": [geometry.reason(row) for row in ranked],
        },
        columns=list(COLUMNS),
    )


def audit_of(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The audit from its rows as JSON values."""
    return pd.DataFrame(list(records), columns=list(COLUMNS)).astype({"score": float, "far_off": bool})


def flagged(audit: pd.DataFrame) -> np.ndarray:
    """The ids of the flagged rows, (M,), from `make_audit`'s table."""
    return audit.loc[audit["score"] >= FLAGGED, "id"].to_numpy()


def _reason(evidence: tuple[Evidence, ...], ratios: np.ndarray, row: int) -> str:
    order = np.argsort(-ratios, kind="stable")
    strong = [kind for kind in order if ratios[kind] >= FLAGGED] or [order[0]]
    return "; ".join(evidence[kind].reason(row) for kind in strong)


def _worst_point(vectors: np.ndarray, points: tuple[str, ...]) -> str:
    """The point farthest from its prediction; empty where no point has both."""
    distance = np.linalg.norm(vectors, axis=-1)
    return "" if np.isnan(distance).all() else points[int(np.nanargmax(distance))]
