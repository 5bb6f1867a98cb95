"""The report as one JSON object: what the terminal shows, in numbers."""

import math
from collections.abc import Hashable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from solution.evaluation.headline import Figure
from solution.evaluation.summary import closing, headline
from solution.evaluation.worst_faces import Picture
from solution.report.comparison import Comparison
from solution.report.provenance import Provenance
from solution.report.report import Report
from solution.specialists.history import Curve

DECIMALS = 6


def facts(report: Report) -> dict[str, Any]:
    """The report as JSON values. RMSE and all other distances in pixels; null where a figure does not exist."""
    found = {
        "dataset": report.provenance.dataset,
        "submission": None if report.summary.submission is None else str(report.summary.submission),
        "figures": {figure.key: _figure(figure) for figure in report.headline.figures},
        "outliers": report.summary.outliers,
        "disagreeing": report.summary.disagreeing,
        "trust": report.headline.trust,
        "folds": _records(report.tables.folds),
        "keypoints": _records(report.tables.keypoints),
        "contributions": [asdict(one) for one in report.contributions],
        "training": [_curve(curve) for curve in report.curves],
        "calibration": [asdict(one) for one in report.calibration],
        "worst": [_picture(picture, report.points) for picture in report.pictures],
        "made": _provenance(report.provenance),
        "against": None if report.comparison is None else _comparison(report.comparison, report.points),
        "sentences": [*headline(report.summary), closing(report.summary)],
    }
    return plain(found)


def plain(value: Any) -> Any:  # noqa: ANN401 - any value made of containers, numbers and text
    """The value as JSON can hold it: text keys, numbers rounded to DECIMALS, None for what is no number."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, DECIMALS) if math.isfinite(value) else None
    return value


def _figure(figure: Figure) -> dict[str, Any]:
    return {"title": figure.title, "rmse": dict(figure.scores), "interval": dict(figure.intervals)}


def _records(frame: pd.DataFrame) -> list[dict[Hashable, Any]]:
    return frame.to_dict("records")


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "recipe": curve.recipe,
        "fold": curve.fold,
        "epochs": [epoch.number for epoch in curve.epochs],
        "loss": [epoch.loss for epoch in curve.epochs],
        "held_rmse": [epoch.held for epoch in curve.epochs],
        "seconds": sum(epoch.seconds for epoch in curve.epochs),
    }


def _picture(picture: Picture, points: tuple[str, ...]) -> dict[str, Any]:
    worst = max(picture.marks, key=lambda mark: mark.error)
    return {
        "id": picture.id,
        "subset": picture.subset,
        "fold": picture.fold,
        "rms": picture.rms,
        "rms_other": picture.rms_other,
        "worst_point": points[worst.point],
        "worst_error": worst.error,
        "outlier": picture.outlier,
        "audit_score": picture.score,
        "audit_reason": picture.reason,
    }


def _provenance(made: Provenance) -> dict[str, Any]:
    return {
        "recipes": [asdict(recipe) for recipe in made.recipes],
        "stack": made.stack,
        "versions": made.versions,
        "machine": made.machine,
        "training_minutes": made.minutes,
    }


def _comparison(comparison: Comparison, points: tuple[str, ...]) -> dict[str, Any]:
    return {
        "run": comparison.against,
        "outliers": comparison.outliers,
        "differences": [asdict(one) for one in comparison.differences],
        "changed": [_picture(picture, points) for picture in comparison.changed],
        "only_ours": comparison.only_ours,
        "only_theirs": comparison.only_theirs,
    }
