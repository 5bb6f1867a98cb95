"""Parts of a report that tests put together by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from solution.ensemble.choice import SubsetChoice
from solution.ensemble.selection import FINAL
from solution.evaluation.calibration import calibrate
from solution.evaluation.error_tables import make_errors
from solution.evaluation.evaluation import TOGETHER, Duplicates, Evaluation
from solution.evaluation.label_errors.ranking import make_audit
from solution.evaluation.summary import Summary
from solution.evaluation.worst_faces import Gallery
from solution.faces import FaceSet, FoldTable, Predictions, aligned
from solution.report.provenance import Provenance, Trainings
from solution.report.report import Report
from solution.specialists.history import Curve, Epoch

WEIGHTS = {15: 0.65, 4: 0.35}
SIZES = {15: 6, 4: 10}
"""Test pictures of each subset."""

CHOICE = {
    15: SubsetChoice(
        used="stack", blend=1.09, stack=1.07, difference=(-0.02, -0.031, -0.009), relation="unknown", drift_used=False
    ),
    4: SubsetChoice(
        used="blend", blend=1.4, stack=1.41, difference=(0.01, -0.01, 0.03), relation="unknown", drift_used=False
    ),
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
    """A training whose loss falls from 8, with these RMSE of held-out rows."""
    return Curve(recipe, fold, tuple(Epoch(i + 1, 8 / (i + 1), rmse, 2.5, phase) for i, rmse in enumerate(held)))


def gallery_of(faces: FaceSet, table: FoldTable, final: Predictions, sigma: float = 0.8) -> Gallery:
    """The pictures of final predictions whose specialists disagree by `sigma` px everywhere."""
    coords = aligned(faces, final).astype(np.float32)
    sigmas = np.full(coords.shape[:2], sigma, np.float32)
    whole = Predictions(final.name, faces.ids, coords, sigmas)
    return Gallery(faces, table.fold, coords, sigmas, make_audit(faces, table, whole))


def evaluation_of(
    faces: FaceSet, table: FoldTable, oof: list[Predictions], outliers: np.ndarray, summary: Summary
) -> Evaluation:
    """An evaluation of which the last predictions are the final ones."""
    sigma = np.linspace(0.5, 2, faces.coords[..., 0].size).reshape(-1, 15)
    return Evaluation(
        summaries={FINAL: summary},
        truth=None,
        errors=make_errors(faces, table, oof, WEIGHTS, outliers),
        rows=len(faces),
        outlier_share=0.25,
        noise={},
        calibration=calibrate(faces, ~outliers, [replace(oof[2], name=TOGETHER, sigma=sigma)]),
        pictures=gallery_of(faces, table, oof[-1]).worst(),
        audit=(),
        duplicates=Duplicates(test_pictures=0, used=0, worth={}, labels={}),
    )


def report_of(faces: FaceSet, evaluation: Evaluation) -> Report:
    """A report of that evaluation with two specialists."""
    return Report(
        evaluation=evaluation,
        choice=CHOICE,
        added={15: [["unet_15", 1.09], ["eyes", 1.07]], 4: [["eyes", 1.4]]},
        weights={15: {"unet_15": 0.8, "eyes": 0.2}, 4: {"eyes": 1.0}},
        placement={},
        curves=tuple(curve(name, fold, [None, 2.0, None, 1.5]) for name in ("unet_15", "eyes") for fold in range(3)),
        provenance=PROVENANCE,
        faces=faces,
        submission=Path("submissions/real/best.csv"),
    )
