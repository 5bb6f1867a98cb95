"""The report as one JSON object: what the terminal shows, in numbers."""

import math
from dataclasses import asdict
from typing import Any

from solution.evaluation.summary import Figure
from solution.evaluation.worst_faces import Picture
from solution.report.comparison import Comparison
from solution.report.provenance import Provenance
from solution.report.report import Report
from solution.report.sentences import closing, headline, trust
from solution.report.tables import scores_table
from solution.runtime.values import to_json
from solution.specialists.history import Curve

DECIMALS = 6


def facts(report: Report) -> dict[str, Any]:
    """The report as JSON values. RMSE and all other distances are in pixels; null where a figure does not exist."""
    evaluation, points = report.evaluation, report.points
    values = {
        "dataset": report.provenance.dataset,
        "submission": None if report.submission is None else str(report.submission),
        "figures": {figure.key: _figure(figure) for figure in report.figures},
        "outliers": report.summary.outliers,
        "disagreeing": report.summary.disagreeing,
        "trust": trust(evaluation, report.summary),
        "folds": scores_table(evaluation.errors.folds, "fold").records(),
        "keypoints": scores_table(evaluation.errors.keypoints, "point").records(),
        "contributions": report.contributions,
        "training": [_curve(curve) for curve in report.curves],
        "calibration": evaluation.calibration,
        "worst": [_picture(picture, points) for picture in evaluation.pictures],
        "made": _provenance(report.provenance),
        "against": None if report.comparison is None else _comparison(report.comparison, points),
        "sentences": [*headline(report), closing(report)],
    }
    return rounded(to_json(values))


def rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value with its numbers rounded to DECIMALS."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return round(value, DECIMALS) if isinstance(value, float) and math.isfinite(value) else value


def _figure(figure: Figure) -> dict[str, Any]:
    return {"title": figure.title, "rmse": figure.scores, "interval": figure.intervals}


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
    return {
        "id": picture.id,
        "subset": picture.subset,
        "fold": picture.fold,
        "rms": picture.rms,
        "rms_other": picture.rms_other,
        "worst_point": points[picture.worst.point],
        "worst_error": picture.worst.error,
        "outlier": picture.outlier,
        "audit_score": picture.score,
        "audit_reason": picture.reason,
    }


def _provenance(provenance: Provenance) -> dict[str, Any]:
    return {
        "recipes": [asdict(recipe) for recipe in provenance.recipes],
        "stack": provenance.stack,
        "versions": provenance.versions,
        "machine": provenance.machine,
        "training_minutes": provenance.minutes,
    }


def _comparison(comparison: Comparison, points: tuple[str, ...]) -> dict[str, Any]:
    return {
        "run": comparison.against,
        "outliers": comparison.outliers,
        "differences": comparison.differences,
        "changed": [_picture(picture, points) for picture in comparison.changed],
        "only_ours": comparison.only_ours,
        "only_theirs": comparison.only_theirs,
    }
