"""The report's headline: one figure with its interval, what it is made of, and what to hold it against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from solution.ambiguity import Ambiguity
from solution.faces import FaceSet, Predictions
from solution.keypoints import SUBSETS
from solution.metrics import weighted
from solution.report.scores import Interval, Scores, intervals_of, scores_of
from solution.report.tables import aligned
from solution.report.truth import Truth
from solution.suspects import FAR_IN_WORDS
from solution.twins import TwinLabels, Worth

FIRST_PRIVATE = 1.28236
COLUMN_MEANS = 3.78
"""Private leaderboard figures in px, for orientation: the first place, and answering each column's mean."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The headline. RMSE in pixels; `Scores` are dicts of "overall", 15 and 4.

    cv: of the final out-of-fold predictions, overall weighted by asked cells; intervals: their 95 % bootstrap intervals
    over pictures. without_suspects: the same figures less the `suspects` rows whose labels lie far off, with
    intervals_without. truth: what the submission scores, where the answers are known. choice: per subset which of blend
    and stack is used ("used"), both RMSE ("blend", "stack") and "difference": stack minus blend with its interval,
    [point, low, high]. seconds: training time by specialist. expected: what the submission should score, see
    `_expected`; torn: test faces on which the folds' pipelines contradict each other, which it leaves out of what
    averaging is worth. added: by subset, the forward selection of specialists, [name, the blend's RMSE with it].
    test_twins: test pictures that are identical to labelled ones; twins: what these labels say, where they are used,
    which none of the other figures but `truth` shows. drawn: faces drawn here.
    """

    name: str
    cv: Scores
    intervals: Mapping[str | int, Interval]
    expected: Scores
    torn: int
    suspects: int
    without_suspects: Scores
    intervals_without: Mapping[str | int, Interval]
    drawn: bool
    truth: Truth | None = None
    choice: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    submission: Path | None = None
    added: Mapping[int, Sequence[Sequence[Any]]] = field(default_factory=dict)
    test_twins: int = 0
    twins: TwinLabels | None = None


def summarise(
    faces: FaceSet,
    final: Predictions,
    weights: dict[int, float],
    *,
    suspects: np.ndarray,
    ambiguity: Ambiguity,
    **facts: Any,  # noqa: ANN401 - the fields of Summary that are taken as they come
) -> Summary:
    """The headline of the final out-of-fold predictions. suspects: bool (N,). ambiguity: what averaging
    the folds' pipelines takes off. facts: Summary's other fields.

    ValueError where a labelled cell has no prediction.
    """
    coords = aligned(faces, final)
    without, every = scores_of(coords, faces, weights, ~suspects), np.ones(len(faces), bool)
    return Summary(
        name=final.name,
        cv=scores_of(coords, faces, weights, every),
        expected=_expected(without, ambiguity.by_subset, weights),
        torn=ambiguity.torn,
        intervals=intervals_of(coords, faces, weights, every),
        suspects=int(suspects.sum()),
        without_suspects=without,
        intervals_without=intervals_of(coords, faces, weights, ~suspects),
        **facts,
    )


def headline(summary: Summary, steps: bool = True) -> list[str]:
    """The headline in sentences, without the closing one. steps: with the forward selection."""
    lines = [
        f"Expected on the test pictures, where the folds' pipelines are averaged: "
        f"{summary.expected['overall']:.3f} px, {_parts(summary.expected)}{_torn(summary.torn)}."
    ]
    which = f"without the {summary.suspects} suspects, whose labels lie {FAR_IN_WORDS}"
    lines.append(_validated(summary.name, which, summary.without_suspects, summary.intervals_without))
    lines.append(_validated(summary.name, "over every label", summary.cv, summary.intervals))
    if summary.truth is not None:
        lines += [_true(summary.truth), held_against(summary, summary.truth)]
    lines += [_choice(subset, choice) for subset, choice in summary.choice.items()]
    if steps:
        lines += [_added(subset, path) for subset, path in summary.added.items()]
    return [*lines, *_twins(summary), *landmarks(summary)]


def _torn(count: int) -> str:
    if not count:
        return ""
    faces = "1 face" if count == 1 else f"{count} faces"
    return f" (without {faces} on which they contradict each other)"


def _validated(name: str, which: str, scores: Scores, intervals: Mapping[str | int, Interval]) -> str:
    return f"Cross-validated RMSE of {name} {which}: {_with_interval(scores, intervals)}, {_parts(scores)}."


def _true(truth: Truth) -> str:
    less = f"; without {truth.far_off} whose answers lie {FAR_IN_WORDS}: {truth.without['overall']:.3f} px"
    return (
        f"True RMSE on the test pictures, over every answer: {_with_interval(truth.scores, truth.intervals)}, "
        f"{_parts(truth.scores)}{less if truth.far_off else ''}."
    )


def held_against(summary: Summary, truth: Truth) -> str:
    """By how much the figures that leave out labels far off miss the true one that leaves such answers out."""
    true = truth.without["overall"]
    expected, validated = (figure["overall"] / true - 1 for figure in (summary.expected, summary.without_suspects))
    which = f" ({true:.3f} px without answers far off)" if truth.far_off else ""
    return (
        f"From the true figure{which} the expected one differs by {expected:+.1%}, the cross-validated one without "
        f"suspects, which is of one fold's pipeline, by {validated:+.1%}."
    )


def _with_interval(scores: Scores, intervals: Mapping[str | int, Interval]) -> str:
    low, high = intervals["overall"]
    return f"{scores['overall']:.3f} px (95 % interval {low:.3f} to {high:.3f} over pictures)"


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


def _expected(cv: Scores, ambiguity: Mapping[int, float], weights: dict[int, float]) -> Scores:
    """The test score to expect: one pipeline's squared error less what averaging all of them takes off."""
    by_subset = {s: float(np.sqrt(max(cv[s] ** 2 - ambiguity[s], 0.0))) for s in SUBSETS}
    return {"overall": weighted(by_subset, weights), **by_subset}


def _parts(scores: Scores) -> str:
    return ", ".join(f"{s}-keypoint rows {scores[s]:.3f}" for s in SUBSETS if not np.isnan(scores[s]))


def _choice(subset: int, choice: Mapping[str, Any]) -> str:
    point, low, high = choice["difference"]
    return (
        f"{subset}-keypoint rows use the {choice['used']} (figures without suspects): "
        f"blend {choice['blend']:.3f} px, stack {choice['stack']:.3f} px, "
        f"stack minus blend {point:+.3f} px (95 % interval {low:+.3f} to {high:+.3f})." + _drift(choice)
    )


def _added(subset: int, steps: Sequence[Sequence[Any]]) -> str:
    """What each specialist adds to the blend, the most useful first."""
    path = ", ".join(f"{name} {value:.3f}" for name, value in steps)
    return f"{subset}-keypoint rows, the blend as specialists join (px, without suspects): {path}."


def _drift(choice: Mapping[str, Any]) -> str:
    """What the drift of the labels along the file is worth, where the ensemble has tried it."""
    if "drift" not in choice:
        return ""
    used = "added" if choice["drift_used"] else "not added"
    return f" The labels' drift along the file is {used}: {choice['plain']:.3f} px without, {choice['drift']:.3f} with."


def _twins(summary: Summary) -> list[str]:
    """How many test pictures are known from the training file, whether that is used, and what it is worth."""
    known = f"{summary.test_twins} test pictures are byte-identical to labelled training pictures"
    if summary.twins is None:
        return [f"{known}; their labels are not used."]
    said = (
        f"{known}; the predictions of {summary.twins.used} are blended with those labels (--use-twins). That may be "
        "against the spirit of a competition. The CV and the expected figure are without it."
    )
    return [said, *(_worth(subset, worth) for subset, worth in summary.twins.worth.items())]


def _worth(subset: int, worth: Worth) -> str:
    return (
        f"The {worth.rows} {subset}-keypoint training rows with a twin (without suspects): out-of-fold "
        f"{worth.alone:.3f} px, blended with the twin's label {worth.blended:.3f} px; the label weighs "
        f"{worth.weight:.2f} on the test pictures."
    )
