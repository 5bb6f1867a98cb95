"""All that a report says as one value, gathered from a finished run. Markdown, page, terminal and JSON show it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solution import ensemble
from solution.artefacts import digest_of
from solution.audit.evidence import disagreement
from solution.audit.table import make_audit
from solution.ensemble import Ensemble
from solution.faces import Predictions
from solution.recipe import Recipe
from solution.report.calibration import Calibration, calibrate
from solution.report.comparison import Comparison, compare
from solution.report.contributions import Contribution, contributions
from solution.report.curves import Curve, read_curves
from solution.report.other import Other
from solution.report.pictures import Gallery, Picture
from solution.report.provenance import Provenance, provenance_of
from solution.report.standing import Standing, stand
from solution.report.summary import Summary
from solution.report.tables import Tables, aligned, make_tables
from solution.specialists import Specialist, Workbench
from solution.suspects import far_off

NAMES = (ensemble.BLEND, ensemble.RIDGE, ensemble.STACK, ensemble.PLAIN, ensemble.FINAL)
"""What is made of the specialists together, in the order of the tables."""

TOGETHER = "ensemble"
"""The final predictions with the specialists' disagreement as their spread."""


@dataclass(frozen=True, eq=False)
class Report:
    """Everything that is shown. points: the keypoints' names, which marks of pictures refer to by number."""

    tables: Tables
    summary: Summary
    standing: Standing
    contributions: tuple[Contribution, ...]
    curves: tuple[Curve, ...]
    calibration: tuple[Calibration, ...]
    pictures: tuple[Picture, ...]
    points: tuple[str, ...]
    provenance: Provenance
    comparison: Comparison | None = None


def gather(
    bench: Workbench,
    specialists: Sequence[Specialist],
    made: Ensemble,
    summary: Summary,
    scale: str,
    other: Other | None = None,
) -> Report:
    """Gather the report of a finished run. other: another one to compare it with.

    UserError where a training's history cannot be read.
    """
    faces, weights = bench.competition.train, bench.competition.weights
    recipes = tuple(s.recipe for s in specialists)
    final = made.oof_predictions(ensemble.FINAL, bench)
    suspects = far_off(final.coords, faces.coords)
    apart = disagreement(np.stack([s.oof.coords for s in specialists])).astype(np.float32)
    together = replace(final, name=TOGETHER, spread=apart)
    audit = make_audit(faces, bench.table, replace(together, coords=made.oof[ensemble.WITH_DRIFT]))
    gallery = Gallery(faces, bench.table.fold, final.coords, apart, audit)
    oof = [s.oof for s in specialists]
    tables = make_tables(
        faces, bench.table, [*oof, *(made.oof_predictions(name, bench) for name in NAMES)], weights, suspects
    )
    return Report(
        tables=tables,
        summary=summary,
        standing=stand(faces, bench.table, final, made.oof[ensemble.WITH_DRIFT], suspects, tables, summary),
        contributions=contributions(summary, made.weights),
        curves=read_curves(bench.workspace, recipes, bench.table.k),
        calibration=calibrate(faces, ~suspects, [*oof, together]),
        pictures=gallery.worst(),
        points=faces.schema.points,
        provenance=provenance_of(bench, recipes, scale),
        comparison=None if other is None else _compared(bench, recipes, gallery, made, oof, other),
    )


def _compared(
    bench: Workbench,
    recipes: tuple[Recipe, ...],
    gallery: Gallery,
    made: Ensemble,
    oof: Sequence[Predictions],
    other: Other,
) -> Comparison:
    trainings = ensemble.inputs_of(bench, recipes)["trainings"]
    together = aligned(gallery.faces, made.oof_predictions(other.compared, bench))
    ours = {other.compared: together} | {predictions.name: predictions.coords for predictions in oof}
    ours = {name: coords.astype(np.float64) for name, coords in ours.items()}
    digests = {name: digest_of([inputs for inputs, _ in made]) for name, made in trainings.items()}
    return compare(gallery, ours, digests, other, bench.competition.weights)
