"""The audit: all evidence against each row's labels as one score, and the rows ranked by it.

The limits that make a score of 1 are set for precision: who looks at a flagged face should find a mistake. On 320 drawn
faces with 14 wrong rows planted at a time, eight times over, and specialists of smoke scale (3 px), all 72 flagged rows
were wrong, and 64 % of the wrong ones were flagged (the far off alone: 46 %). The rest were faces labelled with
another face's points where these happen to fit to about 5 px, and shifts that such poor specialists cannot tell.
On 5993 rows of Kaggle's, by one U-Net that had been trained on four fifths of them, 14 were flagged: twelve mistakes to
the eye, a hidden eye, and a picture of several faces in which the network looked at no face. The next rows, at 0.96 and
below, are open mouths and covered eyes.
"""

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
"""Score from which labels are flagged: beyond what right labels do, by at least one kind of evidence."""

LISTED = 0.5
"""Score from which a row is listed at all."""

COLUMNS = (
    "id",
    "subset",
    "score",
    "far_off",
    "reason",
    "worst_point",
    "rms_residual_px",
    "twin_disagreement_px",
    "geometry",
)


def make_audit(faces: FaceSet, table: FoldTable, oof: Predictions) -> pd.DataFrame:
    """Rank the rows whose labels may be wrong, worst first. Reads only: no row is dropped or changed anywhere.

    oof: out-of-fold predictions of all faces, in their order; sigma: how far the specialists lie apart, px.

    The score is the largest of four ratios, each a deviation over the limit that right labels stay below: the row's
    residual, its worst point's residual, the difference to its duplicate, and the geometry. 1 = at the limit, 2 = twice
    it. Columns: COLUMNS. Rows: those from LISTED on, and all that lie far off. reason: every kind of evidence over the
    limit, the strongest first, or the strongest alone where none is. ValueError where the ids do not agree.
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
    ratios = np.nan_to_num(np.stack([one.ratio for one in evidence]))
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
            "rms_residual_px": residuals.rms[ranked].round(2),
            "twin_disagreement_px": residuals.disagreement[ranked].round(2),
            "geometry": [geometry.reason(row) for row in ranked],
        },
        columns=list(COLUMNS),
    )


def flagged(audit: pd.DataFrame) -> np.ndarray:
    """The ids of the flagged rows, (M,), from `make_audit`'s table."""
    return audit.loc[audit["score"] >= FLAGGED, "id"].to_numpy()


def _reason(evidence: tuple[Evidence, ...], ratios: np.ndarray, row: int) -> str:
    order = np.argsort(-ratios, kind="stable")
    told = [kind for kind in order if ratios[kind] >= FLAGGED] or [order[0]]
    return "; ".join(evidence[kind].reason(row) for kind in told)


def _worst_point(vectors: np.ndarray, points: tuple[str, ...]) -> str:
    """The point farthest from its prediction; nothing where none has both."""
    distance = np.linalg.norm(vectors, axis=-1)
    return "" if np.isnan(distance).all() else points[int(np.nanargmax(distance))]
