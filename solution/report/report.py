"""All that a report shows as one value. It is read from a finished run. Only comparisons with
another run are computed here."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from solution.data.placement import Placement
from solution.ensemble import selection
from solution.ensemble.choice import SubsetChoice
from solution.ensemble.selection import Ensemble
from solution.evaluation.evaluation import Evaluation
from solution.evaluation.summary import Figure, Summary
from solution.evaluation.worst_faces import Gallery
from solution.faces import FaceSet, Predictions, aligned
from solution.keypoints import SUBSETS
from solution.report.comparison import Comparison, compare
from solution.report.previous_run import Other
from solution.report.provenance import Provenance, provenance_of
from solution.run import Run
from solution.runtime.artifacts import digest_of
from solution.specialists.cross_validation import Specialist
from solution.specialists.history import Curve, read_curves

FIRST_PRIVATE = 1.28236
COLUMN_MEANS = 3.78
"""Kaggle's private leaderboard in px, for orientation: the first place, and the answer of each column's mean."""

ORIENTATION = (
    Figure("first", "First of Kaggle's private leaderboard", "", {"overall": FIRST_PRIVATE}),
    Figure("means", "Answering each column's mean, there", "", {"overall": COLUMN_MEANS}),
)


@dataclass(frozen=True)
class Share:
    """A specialist in one subset's blend."""

    step: int
    """When the forward selection takes it, from 1."""

    rmse: float
    """RMSE of the blend with it and those before it, px without outliers."""

    gain: float
    """By how much that is better than before, px; NaN for the first."""

    weight: float
    """Its mean weight in the blend of all."""


@dataclass(frozen=True)
class Contribution:
    """What one specialist adds and costs."""

    name: str
    shares: Mapping[int, Share]
    """By subset that it is part of."""

    minutes: float
    """Training time of all folds together, NaN where it is not known."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """Everything that is shown."""

    evaluation: Evaluation
    choice: Mapping[int, SubsetChoice]
    """By subset, what the stack stage uses and why."""

    added: Mapping[int, Sequence[Sequence[Any]]]
    """By subset, the forward selection of specialists: [name, the blend's RMSE with it]."""

    weights: Mapping[int, Mapping[str, float]]
    """By subset and specialist, the mean weight in the blend."""

    placement: Mapping[int, Placement]
    """By subset, where the test pictures stand."""

    curves: tuple[Curve, ...]
    provenance: Provenance
    faces: FaceSet
    """The labelled faces: their pictures and the keypoints' names."""

    drawn: bool = False
    """Whether the faces are drawn, so that no leaderboard has their figures."""

    use_duplicates: bool = False
    submission: Path | None = None
    """The submission of this stack, if it is written."""

    comparison: Comparison | None = None

    @property
    def summary(self) -> Summary:
        """The headline of the final predictions."""
        return self.evaluation.summaries[selection.FINAL]

    @property
    def points(self) -> tuple[str, ...]:
        """The keypoints' names, which marks of pictures refer to by number."""
        return self.faces.schema.points

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The headline figures. The true one and those of the leaderboard stand beside the expected one."""
        first, *others = self.summary.figures
        truth = self.evaluation.truth
        beside = [] if self.drawn else list(ORIENTATION)
        if truth is not None:
            beside.insert(0, Figure("true", "True, on the test pictures", "True", truth.scores, truth.intervals))
        return (first, *beside, *others)

    @cached_property
    def minutes(self) -> dict[str, float]:
        """Training time of each specialist, all folds together."""
        return {recipe.name: sum(recipe.seconds) / 60 for recipe in self.provenance.recipes}

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """Every specialist, in the order of the recipes."""
        return tuple(
            Contribution(name, {s: share for s in SUBSETS if (share := self._share(name, s)) is not None}, minutes)
            for name, minutes in self.minutes.items()
        )

    def _share(self, name: str, subset: int) -> Share | None:
        steps = self.added.get(subset, [])
        at = next((i for i, (added, _) in enumerate(steps) if added == name), None)
        if at is None:
            return None
        rmse = float(steps[at][1])
        gain = float(steps[at - 1][1]) - rmse if at else math.nan
        return Share(at + 1, rmse, gain, float(self.weights.get(subset, {}).get(name, math.nan)))


def gather(
    run: Run,
    evaluation: Evaluation,
    ensemble: Ensemble,
    *,
    submission: Path | None = None,
    comparison: Comparison | None = None,
) -> Report:
    """The report of a finished run. UserError where a training's history cannot be read."""
    return Report(
        evaluation=evaluation,
        choice=ensemble.choice,
        added=ensemble.added,
        weights=ensemble.weights,
        placement=run.competition.placement,
        curves=read_curves(run.workspace, run.recipes, run.table.k),
        provenance=provenance_of(run),
        faces=run.competition.train,
        drawn=run.competition.drawn,
        use_duplicates=run.use_duplicates,
        submission=submission,
        comparison=comparison,
    )


def compare_runs(run: Run, specialists: Sequence[Specialist], ensemble: Ensemble, other: Other) -> Comparison:
    """Compare this run with another one on the same pictures."""
    members: list[Predictions] = [s.oof for s in specialists]
    faces = run.competition.train
    final = ensemble.oof_predictions(selection.FINAL, run).coords
    gallery = Gallery.of(faces, run.table, final, ensemble.oof[selection.WITH_DRIFT], members)
    together = aligned(faces, ensemble.oof_predictions(other.compared, run))
    ours = {other.compared: together} | {member.name: member.coords for member in members}
    trainings = selection.inputs_of(run)["trainings"]
    digests = {name: digest_of([inputs for inputs, _ in made]) for name, made in trainings.items()}
    coords = {name: values.astype(np.float64) for name, values in ours.items()}
    return compare(gallery, coords, digests, other, run.competition.weights)
