"""The headline: RMSE with its intervals, what it is made of, what a submission truly scores, and in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from solution.data.competition import Competition
from solution.data.sequence import CONTINUES, INTERLEAVED, UNKNOWN, Placement
from solution.evaluation.ensemble_variance import EnsembleVariance
from solution.evaluation.expected import Interval, OutOfFold, Scores, expect
from solution.evaluation.metrics import bootstrap_interval, rmse, weighted
from solution.evaluation.outliers import OUTLIERS_IN_WORDS, is_outlier
from solution.faces import FaceSet, Predictions, aligned
from solution.keypoints import SUBSETS


def scores_of(coords: np.ndarray, faces: FaceSet, weights: dict[int, float], kept: np.ndarray) -> Scores:
    """The scores of predictions (N, 15, 2) of these rows, bool (N,); NaN for a subset without any labelled cell, and
    overall if that has weight.
    """
    by_subset = {}
    for s in SUBSETS:
        rows = kept & (faces.subset == s)
        by_subset[s] = rmse(coords[rows], faces.coords[rows])
    found: dict[str | int, float] = {"overall": weighted(by_subset, weights)}
    found.update(by_subset.items())
    return found


def intervals_of(
    coords: np.ndarray, faces: FaceSet, weights: dict[int, float], kept: np.ndarray
) -> dict[str | int, Interval]:
    """Their 95 % bootstrap intervals over sections of rows in file order; none for a subset without a labelled cell."""
    kinds = {"overall": weights} | {s: {t: float(t == s) for t in SUBSETS} for s in SUBSETS}
    labelled = kept & ~np.isnan(faces.coords).all(axis=(1, 2))
    found: dict[str | int, Interval] = {}
    for kind, shares in kinds.items():
        rows = labelled if kind == "overall" else labelled & (faces.subset == kind)
        if rows.any():
            found[kind] = bootstrap_interval(coords[rows], faces.coords[rows], faces.subset[rows], shares)
    return found


@dataclass(frozen=True)
class Worth:
    """What the labels of duplicates are worth in one subset, from its training rows that have a duplicate there.

    weight: 0 to 1, of the duplicates' mean label on the test pictures. unmet: the weight where no pipeline has met the
    picture. rows: how many rows that is, without outliers. alone, blended: their RMSE in pixels, of the out-of-fold
    prediction as it is, and blended by the share `MET` of the weight learnt from the other folds.
    """

    weight: float
    unmet: float
    rows: int
    alone: float
    blended: float

    @property
    def wins(self) -> bool:
        """Whether the labels are to be used: they have a weight, and that weight is better out-of-fold."""
        return self.weight > 0 and self.blended < self.alone


@dataclass(frozen=True)
class Truth:
    """scores: over every answer, pooled as Kaggle does, with their intervals. outliers: test faces whose answers lie as
    far from the predictions as outliers' labels do, wrong ones by all likelihood; without: the scores less these.
    """

    scores: Scores
    intervals: dict[str | int, Interval]
    outliers: int
    without: Scores


def truth_of(coords: np.ndarray, competition: Competition) -> Truth | None:
    """A submission's points, (T, 15, 2) in pixels, held against the answers; None where these are not known."""
    faces = competition.answered
    if faces is None:
        return None
    weights = competition.weights
    far, every = is_outlier(coords, faces.coords), np.ones(len(faces), bool)
    return Truth(
        scores=scores_of(coords, faces, weights, every),
        intervals=intervals_of(coords, faces, weights, every),
        outliers=int(far.sum()),
        without=scores_of(coords, faces, weights, ~far),
    )


FIRST_PRIVATE = 1.28236
COLUMN_MEANS = 3.78
"""Private leaderboard figures in px, for orientation: the first place, and answering each column's mean."""


class LabelsOfDuplicates(Protocol):
    """What training labels say of test pictures that are identical to labelled ones."""

    @property
    def worth(self) -> dict[int, Worth]:
        """What they are worth, by subset."""

    @property
    def used(self) -> int:
        """Number of test pictures whose predictions are blended with labels."""

    def blend(self, predictions: Predictions, test: FaceSet) -> Predictions:
        """The test predictions, in the test file's order, moved towards the labels where there are any."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The headline figures of one kind of the ensemble's predictions. RMSE in pixels; `Scores` are dicts of "overall",
    15 and 4, overall weighted by asked cells; intervals are 95 %.
    """

    name: str
    """The predictions' name: "final" or "plain"."""

    expected: Scores
    """What the submission should score on the test file, over every label: the figure beside the leaderboard's."""

    expected_intervals: Mapping[str | int, Interval]
    """Where a test file of this size scores 95 times in 100."""

    expected_without_outliers: Scores
    """The same without wrong labels: to compare models."""

    expected_without_outliers_intervals: Mapping[str | int, Interval]

    disagreeing: int
    """Test faces on which the folds' pipelines disagree; they are left out of what averaging is worth."""

    cv: Scores
    """Out-of-fold RMSE over every label."""

    cv_intervals: Mapping[str | int, Interval]
    """From resampling sections of rows."""

    cv_without_outliers: Scores
    """Out-of-fold RMSE over the rows whose labels are not far off: to compare models."""

    cv_without_outliers_intervals: Mapping[str | int, Interval]

    outliers: int
    """Rows whose labels are far off."""

    drawn: bool
    """Whether the faces are drawn by this project."""

    truth: Truth | None = None
    """What the submission scores, where the answers are known."""

    choice: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """By subset, which of blend and stack is used ("used"), both RMSE ("blend", "stack"), "difference" (stack minus
    blend with its interval: [point, low, high]), and what was found of the drift."""

    placement: Mapping[int, Placement] = field(default_factory=dict)
    """By subset, where the test pictures stand in the order of the training rows."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    """Training time by specialist."""

    submission: Path | None = None
    """The file that is described, where there is one."""

    added: Mapping[int, Sequence[Sequence[Any]]] = field(default_factory=dict)
    """By subset, the forward selection of specialists: [name, the blend's RMSE with it]."""

    test_duplicates: int = 0
    """Test pictures that are byte-identical to labelled ones."""

    duplicates: LabelsOfDuplicates | None = None
    """What those labels say, where --use-duplicates asks for it. None of the figures above contains it."""


def summarise(
    faces: FaceSet,
    final: Predictions,
    weights: dict[int, float],
    *,
    outliers: np.ndarray,
    variance: EnsembleVariance,
    sizes: Mapping[int, int],
    **facts: Any,  # noqa: ANN401 - the fields of Summary that are taken as they come
) -> Summary:
    """The headline of the final out-of-fold predictions. outliers: bool (N,), rows whose labels are far off.
    variance: what averaging the folds' pipelines takes off. sizes: test pictures by subset. facts: Summary's other
    fields.

    ValueError where a labelled cell has no prediction.
    """
    coords, every = aligned(faces, final), np.ones(len(faces), bool)
    oof = OutOfFold(coords=coords, labels=faces.coords, subset=faces.subset, outliers=outliers)
    expected = expect(oof, variance.by_subset, sizes, weights)
    return Summary(
        name=final.name,
        expected=expected.scores,
        expected_intervals=expected.intervals,
        expected_without_outliers=expected.without_outliers,
        expected_without_outliers_intervals=expected.without_outliers_intervals,
        disagreeing=variance.disagreeing,
        cv=scores_of(coords, faces, weights, every),
        cv_intervals=intervals_of(coords, faces, weights, every),
        cv_without_outliers=scores_of(coords, faces, weights, ~outliers),
        cv_without_outliers_intervals=intervals_of(coords, faces, weights, ~outliers),
        outliers=int(outliers.sum()),
        **facts,
    )


def headline(summary: Summary, steps: bool = True) -> list[str]:
    """The headline in sentences, without the closing one. steps: with the forward selection."""
    lines = [
        f"Expected on the test file, over every label: {_expected(summary.expected, summary.expected_intervals)}.",
        "Expected without outliers: "
        + _expected(summary.expected_without_outliers, summary.expected_without_outliers_intervals)
        + f"{_disagreeing(summary.disagreeing)}.",
    ]
    which = f"without the {summary.outliers} outliers, whose labels are {OUTLIERS_IN_WORDS}"
    without = summary.cv_without_outliers, summary.cv_without_outliers_intervals
    lines.append(_validated(summary.name, which, *without))
    lines.append(_validated(summary.name, "over every label", summary.cv, summary.cv_intervals))
    if summary.truth is not None:
        lines += [_true(summary.truth), held_against(summary, summary.truth)]
    lines += [_choice(subset, choice) for subset, choice in summary.choice.items()]
    lines += [f"{placement.describe()}." for placement in summary.placement.values()]
    lines += [_drift(subset, choice) for subset, choice in summary.choice.items() if "relation" in choice]
    if steps:
        lines += [_added(subset, path) for subset, path in summary.added.items()]
    return [*lines, *_duplicates(summary), *landmarks(summary)]


def _expected(scores: Scores, intervals: Mapping[str | int, Interval]) -> str:
    """The figure, where a file of the test's size scores, and each subset's."""
    between = "a test file of this size scores between {:.3f} and {:.3f} px 95 times in 100"
    range_ = f" ({between.format(*intervals['overall'])})" if "overall" in intervals else ""
    return f"{scores['overall']:.3f} px{range_}, {_parts(scores)}"


def _disagreeing(count: int) -> str:
    if not count:
        return ""
    faces = "1 test face" if count == 1 else f"{count} test faces"
    return f" (what averaging gains is measured without {faces} on which the pipelines disagree)"


def _validated(name: str, which: str, scores: Scores, intervals: Mapping[str | int, Interval]) -> str:
    return f"Cross-validated RMSE of {name} {which}: {_with_interval(scores, intervals)}, {_parts(scores)}."


def _true(truth: Truth) -> str:
    less = f"; without {truth.outliers} whose answers are {OUTLIERS_IN_WORDS}: {truth.without['overall']:.3f} px"
    return (
        f"True RMSE on the test pictures, over every answer: {_with_interval(truth.scores, truth.intervals)}, "
        f"{_parts(truth.scores)}{less if truth.outliers else ''}."
    )


def held_against(summary: Summary, truth: Truth) -> str:
    """Whether the true figure is within the expected interval, and by how much each figure misses its true one."""
    true, without = truth.scores["overall"], truth.without["overall"]
    low, high = summary.expected_intervals.get("overall", (float("nan"),) * 2)
    return (
        f"The true figure is {'inside' if low <= true <= high else 'outside'} the expected interval. Without outliers "
        f"({without:.3f} px) the expected figure differs by "
        f"{summary.expected_without_outliers['overall'] / without - 1:+.1%}, the cross-validated one, which is of one "
        f"fold's pipeline, by {summary.cv_without_outliers['overall'] / without - 1:+.1%}."
    )


def _with_interval(scores: Scores, intervals: Mapping[str | int, Interval]) -> str:
    low, high = intervals["overall"]
    return f"{scores['overall']:.3f} px (95 % interval {low:.3f} to {high:.3f} over sections of rows)"


def landmarks(summary: Summary) -> list[str]:
    """Leaderboard figures for orientation, none for drawn faces."""
    if summary.drawn:
        return []
    return [
        f"For orientation, Kaggle's private leaderboard: first place {FIRST_PRIVATE:.5f} px, "
        f"column means {COLUMN_MEANS:.2f} px (of Kaggle's own test pictures; "
        "comparable at most where these are Kaggle's own files)."
    ]


def closing(summary: Summary) -> str:
    """The last line: where the submission lies, what it can be expected to score, and what it scores where known."""
    where = "No submission written" if summary.submission is None else f"Submission: {summary.submission}"
    true = "" if summary.truth is None else f", true {summary.truth.scores['overall']:.3f} px"
    return f"{where}, expected RMSE {summary.expected['overall']:.3f} px{true}"


def _parts(scores: Scores) -> str:
    return ", ".join(f"{s}-keypoint rows {scores[s]:.3f}" for s in SUBSETS if not np.isnan(scores[s]))


def _choice(subset: int, choice: Mapping[str, Any]) -> str:
    point, low, high = choice["difference"]
    return (
        f"{subset}-keypoint rows use the {choice['used']} (figures without outliers): "
        f"blend {choice['blend']:.3f} px, stack {choice['stack']:.3f} px, "
        f"stack minus blend {point:+.3f} px (95 % interval {low:+.3f} to {high:+.3f})."
    )


def _added(subset: int, steps: Sequence[Sequence[Any]]) -> str:
    """What each specialist adds to the blend, the most useful first."""
    path = ", ".join(f"{name} {value:.3f}" for name, value in steps)
    return f"{subset}-keypoint rows, the blend as specialists join (px, without outliers): {path}."


def _drift(subset: int, choice: Mapping[str, Any]) -> str:
    """Whether the submission contains the labels' drift, and the validation that decided it."""
    where = f"{subset}-keypoint rows: the labels' drift is"
    if choice["relation"] == UNKNOWN:
        return f"{where} not added, since the place of the test pictures is unknown."
    if "drift" not in choice:
        return f"{where} not added, since there are too few rows to validate it."
    point, low, high = choice["drift_difference"]
    how = {INTERLEAVED: "single random rows", CONTINUES: "stretches that follow a row"}[choice["relation"]]
    carried = ""
    if choice.get("carried"):
        window, factor, decay = choice["carried"]
        carried = f" The mean of the last {window} rows is carried on by {factor:g}, decaying over {decay:g} rows."
    return (
        f"{where} {'added' if choice['drift_used'] else 'not added'}. On {how}, without outliers: "
        f"{choice['plain']:.3f} px without, {choice['drift']:.3f} with, {point:+.4f} px (95 % interval {low:+.4f} to "
        f"{high:+.4f} over sections).{carried}"
    )


def _duplicates(summary: Summary) -> list[str]:
    """How many test pictures are known from the training file, whether that is used, and what it is worth."""
    known = f"{summary.test_duplicates} test pictures are byte-identical to labelled training pictures"
    if summary.duplicates is None:
        return [f"{known}; their labels are not used."]
    said = (
        f"{known}; submission-duplicates.csv blends the predictions of {summary.duplicates.used} with those labels "
        "(--use-duplicates). It answers from having met the picture, which may be against the spirit of a competition. "
        "No figure here contains it."
    )
    return [said, *(_worth(subset, worth) for subset, worth in summary.duplicates.worth.items())]


def _worth(subset: int, worth: Worth) -> str:
    used = f"the label has a weight of {worth.weight:.2f} on the test pictures" if worth.wins else "it is not used"
    return (
        f"The {worth.rows} {subset}-keypoint training rows with a duplicate (without outliers): out-of-fold "
        f"{worth.alone:.3f} px, blended with the duplicate's label {worth.blended:.3f} px; {used} (most pipelines have "
        f"met the duplicate of a test picture; the best weight where none has is {worth.unmet:.2f})."
    )
