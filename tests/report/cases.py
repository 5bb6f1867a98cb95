"""Parts of a report that tests put together by hand."""

from dataclasses import replace

import numpy as np

from solution.evaluation.calibration import calibrate
from solution.evaluation.error_tables import Tables
from solution.evaluation.headline import make_headline
from solution.evaluation.label_errors.ranking import make_audit
from solution.evaluation.summary import Summary
from solution.evaluation.worst_faces import Gallery
from solution.faces import FaceSet, FoldTable, Predictions, aligned
from solution.report.provenance import Provenance, Trainings
from solution.report.report import Report, contributions
from solution.specialists.history import Curve, Epoch

WEIGHTS = {15: 0.65, 4: 0.35}
SIZES = {15: 6, 4: 10}
"""Test pictures of each subset."""

CHOICE = {
    15: {"used": "stack", "blend": 1.09, "stack": 1.07, "difference": [-0.02, -0.031, -0.009]},
    4: {"used": "blend", "blend": 1.4, "stack": 1.41, "difference": [0.01, -0.01, 0.03]},
}
PROVENANCE = Provenance(
    dataset={
        "name": "real",
        "scale": "cpu",
        "drawn": False,
        "digest": "d" * 16,
        "folds_digest": "f" * 16,
        "folds": 3,
        "labelled_15": 12,
        "labelled_4": 12,
        "test": 8,
        "cells_asked": 130,
        "share_15": 0.65,
    },
    recipes=(
        Trainings("unet_15", "a" * 16, {"rows": "15", "optimiser.lr": 0.002}, (340.0,) * 3, "cpu", "unet_all"),
        Trainings("eyes", "b" * 16, {"rows": "all", "epochs": 2}, (25.0,) * 3, "cpu", None),
    ),
    stack={"digest": "e" * 16, "rounds": 250},
    versions={"solution": "0.1.0", "python": "3.11.2"},
    machine={"system": "Linux x86_64", "processor": "some", "cores": 2, "memory_gib": 8.0},
)


def only(predictions: Predictions, rows: np.ndarray, points: np.ndarray) -> Predictions:
    """The predictions of these rows, of these points alone."""
    coords = np.full_like(predictions.coords[rows], np.nan)
    coords[:, points] = predictions.coords[rows][:, points]
    return Predictions(predictions.name, predictions.ids[rows], coords, predictions.sigma[rows])


def curve(recipe: str, fold: int, held: list[float | None], phase: str = "") -> Curve:
    """A training whose loss falls from 8, with these looks at held-out rows."""
    return Curve(recipe, fold, tuple(Epoch(i + 1, 8 / (i + 1), one, 2.5, phase) for i, one in enumerate(held)))


def gallery_of(faces: FaceSet, table: FoldTable, final: Predictions, sigma: float = 0.8) -> Gallery:
    """The pictures of final predictions whose specialists lie `sigma` px apart everywhere."""
    coords = aligned(faces, final).astype(np.float32)
    sigmas = np.full(coords.shape[:2], sigma, np.float32)
    whole = Predictions(final.name, faces.ids, coords, sigmas)
    return Gallery(faces, table.fold, coords, sigmas, make_audit(faces, table, whole))


def report_of(
    faces: FaceSet,
    table: FoldTable,
    oof: list[Predictions],
    outliers: np.ndarray,
    tables: Tables,
    summary: Summary,
) -> Report:
    """A report of which the last predictions are the final ones."""
    gallery = gallery_of(faces, table, oof[-1])
    final = replace(oof[2], name="ensemble", sigma=np.linspace(0.5, 2, faces.coords[..., 0].size).reshape(-1, 15))
    return Report(
        tables=tables,
        summary=summary,
        headline=make_headline(faces, table, oof[-1], aligned(faces, oof[-1]), outliers, tables, summary),
        contributions=contributions(summary, {15: {"unet_15": 0.8, "eyes": 0.2}, 4: {"eyes": 1.0}}),
        curves=tuple(curve(name, fold, [None, 2.0, None, 1.5]) for name in ("unet_15", "eyes") for fold in range(3)),
        calibration=calibrate(faces, ~outliers, [final]),
        pictures=gallery.worst(),
        points=faces.schema.points,
        provenance=PROVENANCE,
    )
