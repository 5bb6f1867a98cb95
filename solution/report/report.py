"""All that a report says as one value, gathered from a finished run. Markdown, page, terminal and JSON show it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solution.ensemble import selection
from solution.ensemble.selection import Ensemble
from solution.evaluation.calibration import Calibration, calibrate
from solution.evaluation.error_tables import Tables, make_tables
from solution.evaluation.headline import Headline, make_headline
from solution.evaluation.label_errors.evidence import disagreement
from solution.evaluation.label_errors.ranking import make_audit
from solution.evaluation.outliers import is_outlier
from solution.evaluation.summary import Summary
from solution.evaluation.worst_faces import Gallery, Picture
from solution.faces import Predictions, aligned
from solution.keypoints import SUBSETS
from solution.report.comparison import Comparison, compare
from solution.report.previous_run import Other
from solution.report.provenance import Provenance, provenance_of
from solution.run import Run
from solution.runtime.artifacts import digest_of
from solution.specialists.cross_validation import Specialist
from solution.specialists.history import Curve, read_curves


@dataclass(frozen=True)
class Share:
    """A specialist in one subset's blend. step: when the forward selection takes it, from 1. rmse: the blend's with it
    and those before it, px without outliers. gain: by how much that is better than before, NaN for the first. weight:
    its mean weight in the blend of all.
    """

    step: int
    rmse: float
    gain: float
    weight: float


@dataclass(frozen=True)
class Contribution:
    """shares: by subset that it is part of. minutes: training, all folds together, NaN where that is not known."""

    name: str
    shares: Mapping[int, Share]
    minutes: float


def contributions(summary: Summary, weights: Mapping[int, Mapping[str, float]]) -> tuple[Contribution, ...]:
    """Every specialist, in the order of the summary's times. weights: by subset and name, the mean in the blend."""
    return tuple(
        Contribution(
            name,
            {s: share for s in SUBSETS if (share := _share(name, summary, weights.get(s, {}), s)) is not None},
            summary.seconds.get(name, math.nan) / 60,
        )
        for name in summary.seconds
    )


def _share(name: str, summary: Summary, weights: Mapping[str, float], subset: int) -> Share | None:
    steps = summary.added.get(subset, [])
    at = next((i for i, (added, _) in enumerate(steps) if added == name), None)
    if at is None:
        return None
    rmse = float(steps[at][1])
    gain = float(steps[at - 1][1]) - rmse if at else math.nan
    return Share(at + 1, rmse, gain, float(weights.get(name, math.nan)))


NAMES = (selection.BLEND, selection.RIDGE, selection.STACK, selection.PLAIN, selection.FINAL)
"""What is made of the specialists together, in the order of the tables."""

TOGETHER = "ensemble"
"""The final predictions with the specialists' disagreement as their spread."""


@dataclass(frozen=True, eq=False)
class Report:
    """Everything that is shown. points: the keypoints' names, which marks of pictures refer to by number."""

    tables: Tables
    summary: Summary
    headline: Headline
    contributions: tuple[Contribution, ...]
    curves: tuple[Curve, ...]
    calibration: tuple[Calibration, ...]
    pictures: tuple[Picture, ...]
    points: tuple[str, ...]
    provenance: Provenance
    comparison: Comparison | None = None


def gather(
    run: Run,
    specialists: Sequence[Specialist],
    made: Ensemble,
    summary: Summary,
    other: Other | None = None,
) -> Report:
    """Gather the report of a finished run. other: another one to compare it with.

    UserError where a training's history cannot be read.
    """
    faces, weights = run.competition.train, run.competition.weights
    final = made.oof_predictions(selection.FINAL, run)
    outliers = is_outlier(final.coords, faces.coords)
    apart = disagreement(np.stack([s.oof.coords for s in specialists])).astype(np.float32)
    together = replace(final, name=TOGETHER, sigma=apart)
    audit = make_audit(faces, run.table, replace(together, coords=made.oof[selection.WITH_DRIFT]))
    gallery = Gallery(faces, run.table.fold, final.coords, apart, audit)
    oof = [s.oof for s in specialists]
    tables = make_tables(
        faces, run.table, [*oof, *(made.oof_predictions(name, run) for name in NAMES)], weights, outliers
    )
    return Report(
        tables=tables,
        summary=summary,
        headline=make_headline(faces, run.table, final, made.oof[selection.WITH_DRIFT], outliers, tables, summary),
        contributions=contributions(summary, made.weights),
        curves=read_curves(run.workspace, run.recipes, run.table.k),
        calibration=calibrate(faces, ~outliers, [*oof, together]),
        pictures=gallery.worst(),
        points=faces.schema.points,
        provenance=provenance_of(run),
        comparison=None if other is None else _compared(run, gallery, made, oof, other),
    )


def _compared(
    run: Run,
    gallery: Gallery,
    made: Ensemble,
    oof: Sequence[Predictions],
    other: Other,
) -> Comparison:
    trainings = selection.inputs_of(run)["trainings"]
    together = aligned(gallery.faces, made.oof_predictions(other.compared, run))
    ours = {other.compared: together} | {predictions.name: predictions.coords for predictions in oof}
    ours = {name: coords.astype(np.float64) for name, coords in ours.items()}
    digests = {name: digest_of([inputs for inputs, _ in made]) for name, made in trainings.items()}
    return compare(gallery, ours, digests, other, run.competition.weights)
