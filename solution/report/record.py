"""The record beside a submission: how it was made and its expected score, as JSON values."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from solution.data.placement import Placement
from solution.ensemble.selection import Ensemble
from solution.evaluation.evaluation import Duplicates, Evaluation
from solution.evaluation.summary import Summary

DECIMALS = 5


def record_of(
    evaluation: Evaluation, kind: str, ensemble: Ensemble, placement: Mapping[int, Placement]
) -> dict[str, Any]:
    """The record of the submission of one kind of predictions. RMSE in pixels.

    `expected` and its interval are over every label, so that they can be compared with the leaderboard. The figures
    without outliers compare models.
    """
    summary = evaluation.summaries[kind]
    return {
        "kind": kind,
        **figures_record(summary),
        "outliers": summary.outliers,
        "disagreeing": summary.disagreeing,
        "placement": {str(s): _placement(place) for s, place in placement.items()},
        "use_duplicates": False,
        "duplicates": {"test_pictures": evaluation.duplicates.test_pictures},
        "choice": {str(s): choice.to_json() for s, choice in ensemble.choice.items()},
        "added": {str(s): steps for s, steps in ensemble.added.items()},
        "blend_weights": {str(s): weights for s, weights in ensemble.weights.items()},
    }


def figures_record(summary: Summary) -> dict[str, Any]:
    """Each headline figure by subset, and its intervals."""
    record: dict[str, Any] = {}
    for figure in summary.figures:
        record[figure.key] = {str(s): round(value, DECIMALS) for s, value in figure.scores.items()}
        record[f"{figure.key}_intervals"] = {
            str(s): [round(end, DECIMALS) for end in ends] for s, ends in figure.intervals.items()
        }
    return record


def duplicates_record(duplicates: Duplicates) -> dict[str, Any]:
    """What changes in the record of the submission that uses the labels of duplicates."""
    worth = {
        str(s): {
            "weight": round(worth.weight, DECIMALS),
            "weight_unmet": round(worth.unmet, DECIMALS),
            "rows": worth.rows,
            "cv_alone": round(worth.alone, DECIMALS),
            "cv_blended": round(worth.blended, DECIMALS),
        }
        for s, worth in duplicates.worth.items()
    }
    facts = {"test_pictures": duplicates.test_pictures, "blended": duplicates.used, "worth": worth}
    return {"use_duplicates": True, "duplicates": facts}


def _placement(placement: Placement) -> dict[str, Any]:
    """Where one subset's test pictures stand, with the evidence; None for a figure that is not known."""
    facts = {f.name: getattr(placement, f.name) for f in fields(placement)}
    return {
        name: None if isinstance(value, float) and np.isnan(value) else _rounded(value)
        for name, value in facts.items()
        if name not in ("subset", "places", "error")
    }


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return round(value, 4) if isinstance(value, float) else value
