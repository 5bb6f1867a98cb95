"""The sentences of the report: the headline, how far it can be trusted, and a comparison."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from solution.data.placement import CONTINUES, INTERLEAVED, UNKNOWN
from solution.ensemble.choice import SubsetChoice
from solution.ensemble.selection import PLAIN
from solution.evaluation.error_tables import ALL, WEIGHTED
from solution.evaluation.evaluation import Evaluation
from solution.evaluation.label_noise import SectionNoise
from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.evaluation.summary import Figure, Scores, Summary, Truth, Worth
from solution.keypoints import SUBSETS
from solution.report.comparison import Comparison
from solution.report.report import COLUMN_MEANS, FIRST_PRIVATE, Report


def headline(report: Report, steps: bool = True) -> list[str]:
    """The headline without the last sentence. steps: with the forward selection."""
    summary, truth, choice = report.summary, report.evaluation.truth, report.choice
    expected, without = summary["expected"], summary["expected_without_outliers"]
    lines = [
        f"Expected on the test file, over every label: {_expected(expected)}.",
        f"Expected without outliers: {_expected(without)}{_disagreeing(summary.disagreeing)}.",
        _validated(
            summary,
            f"without the {summary.outliers} outliers, whose labels are {OUTLIERS_IN_WORDS}",
            "cv_without_outliers",
        ),
        _validated(summary, "over every label", "cv"),
    ]
    if truth is not None:
        lines += [_true(truth), against_truth(summary, truth)]
    lines += [_choice(subset, chosen) for subset, chosen in choice.items()]
    lines += [f"{placement.describe()}." for placement in report.placement.values()]
    lines += [_drift(subset, chosen) for subset, chosen in choice.items()]
    if steps:
        lines += [_added(subset, path) for subset, path in report.added.items()]
    return [*lines, *_duplicates(report), *_orientation(report)]


def _expected(figure: Figure) -> str:
    """The figure, the interval of a test file, and each subset's figure."""
    interval = ""
    if "overall" in figure.intervals:
        low, high = figure.intervals["overall"]
        interval = f" (95 % of test files of this size score between {low:.3f} and {high:.3f} px)"
    return f"{figure.scores['overall']:.3f} px{interval}, {_parts(figure.scores)}"


def _disagreeing(count: int) -> str:
    if not count:
        return ""
    faces = "1 test face" if count == 1 else f"{count} test faces"
    return f" (the gain from averaging is measured without {faces} on which the pipelines disagree)"


def _validated(summary: Summary, which: str, key: str) -> str:
    figure = summary[key]
    return (
        f"Cross-validated RMSE of {summary.name} {which}: {_with_interval(figure.scores, figure.intervals)}, "
        f"{_parts(figure.scores)}."
    )


def _true(truth: Truth) -> str:
    without = f"; without {truth.outliers} whose answers are {OUTLIERS_IN_WORDS}: {truth.without['overall']:.3f} px"
    return (
        f"True RMSE on the test pictures, over every answer: {_with_interval(truth.scores, truth.intervals)}, "
        f"{_parts(truth.scores)}{without if truth.outliers else ''}."
    )


def against_truth(summary: Summary, truth: Truth) -> str:
    """Whether the true figure is within the expected interval, and by how much the figures differ from it."""
    true, without = truth.scores["overall"], truth.without["overall"]
    low, high = summary["expected"].intervals.get("overall", (float("nan"),) * 2)
    expected, cv = (summary[f"{key}_without_outliers"].scores["overall"] / without - 1 for key in ("expected", "cv"))
    return (
        f"The true figure is {'inside' if low <= true <= high else 'outside'} the expected interval. Without outliers "
        f"(true: {without:.3f} px) the expected figure differs by {expected:+.1%}. The cross-validated figure differs "
        f"by {cv:+.1%}; it is the error of one fold's pipeline."
    )


def _with_interval(scores: Scores, intervals: Mapping[str | int, tuple[float, float]]) -> str:
    low, high = intervals["overall"]
    return f"{scores['overall']:.3f} px (95 % interval {low:.3f} to {high:.3f} over sections of rows)"


def _parts(scores: Scores) -> str:
    return ", ".join(f"{s}-keypoint rows {scores[s]:.3f}" for s in SUBSETS if not np.isnan(scores[s]))


def _choice(subset: int, choice: SubsetChoice) -> str:
    point, low, high = choice.difference
    return (
        f"{subset}-keypoint rows use the {choice.used} (figures without outliers): "
        f"blend {choice.blend:.3f} px, stack {choice.stack:.3f} px, "
        f"stack minus blend {point:+.3f} px (95 % interval {low:+.3f} to {high:+.3f})."
    )


def _added(subset: int, steps: Sequence[Sequence[Any]]) -> str:
    """What each specialist adds to the blend, the most useful first."""
    path = ", ".join(f"{name} {value:.3f}" for name, value in steps)
    return f"{subset}-keypoint rows, RMSE of the blend as specialists join (px, without outliers): {path}."


def _drift(subset: int, choice: SubsetChoice) -> str:
    """Whether the submission contains the label drift, and the validation that decided it."""
    where = f"{subset}-keypoint rows: the label drift is"
    if choice.relation == UNKNOWN:
        return f"{where} not added, since the place of the test pictures is unknown."
    if choice.drift_difference is None:
        return f"{where} not added, since there are too few rows to validate it."
    point, low, high = choice.drift_difference
    how = {INTERLEAVED: "single random rows", CONTINUES: "stretches that follow a row"}[choice.relation]
    carried = ""
    if choice.carried:
        window, factor, decay = choice.carried
        carried = f" It is the mean of the last {window} rows times {factor:g}, and decays over {decay:g} rows."
    return (
        f"{where} {'added' if choice.drift_used else 'not added'}. On {how}, without outliers: "
        f"{choice.plain:.3f} px without it, {choice.drift:.3f} px with it, {point:+.4f} px (95 % interval "
        f"{low:+.4f} to {high:+.4f} over sections).{carried}"
    )


def _duplicates(report: Report) -> list[str]:
    """How many test pictures are identical to training pictures, whether their labels are used, and their worth."""
    duplicates = report.evaluation.duplicates
    known = f"{duplicates.test_pictures} test pictures are byte-identical to labelled training pictures"
    if not report.use_duplicates:
        return [f"{known}; their labels are not used."]
    use = (
        f"{known}; submission-duplicates.csv blends the predictions of {duplicates.used} with those labels "
        "(--use-duplicates). It uses pictures that the training file has already, which may be against the spirit of a "
        "competition. No figure here contains it."
    )
    return [use, *(_worth(subset, worth) for subset, worth in duplicates.worth.items())]


def _worth(subset: int, worth: Worth) -> str:
    used = f"the label has a weight of {worth.weight:.2f} on the test pictures" if worth.wins else "it is not used"
    return (
        f"The {worth.rows} {subset}-keypoint training rows with a duplicate (without outliers): out-of-fold "
        f"{worth.alone:.3f} px, blended with the duplicate's label {worth.blended:.3f} px; {used}. Most pipelines were "
        f"trained on the duplicate of a test picture; where none was, the best weight is {worth.unmet:.2f}."
    )


def _orientation(report: Report) -> list[str]:
    """Leaderboard figures for comparison; none for drawn faces."""
    if report.drawn:
        return []
    return [
        f"For orientation, Kaggle's private leaderboard: first place {FIRST_PRIVATE:.5f} px, "
        f"column means {COLUMN_MEANS:.2f} px. They are of Kaggle's own test pictures and can be compared only if these "
        "are Kaggle's own files."
    ]


def closing(report: Report) -> str:
    """The last sentence: where the submission is, its expected score, and its true score where that is known."""
    truth = report.evaluation.truth
    where = "No submission written" if report.submission is None else f"Submission: {report.submission}"
    true = "" if truth is None else f", true {truth.scores['overall']:.3f} px"
    return f"{where}, expected RMSE {report.summary['expected'].scores['overall']:.3f} px{true}"


def trust(evaluation: Evaluation, summary: Summary) -> list[str]:
    """How far cross-validation can be trusted."""
    cv, expected = (summary[f"{key}_without_outliers"].scores["overall"] for key in ("cv", "expected"))
    lines = [
        f"{summary.outliers} of {evaluation.rows} rows are outliers: their labels are {OUTLIERS_IN_WORDS}. They have "
        f"{evaluation.outlier_share:.0%} of the squared error, so each of them moves the figure over every label.",
        "The expected interval contains the chance of a test file: which sections of rows it has, and how many wrong "
        "labels. It contains no bias of a labeller that no training row shows, and no randomness of the training.",
        _between_folds(evaluation, summary.name),
        f"Averaging the folds' pipelines removes {cv - expected:.3f} px of one pipeline's error. This is measured on "
        "the test pictures, without labels.",
    ]
    if evaluation.truth is not None:
        lines.append(against_truth(summary, evaluation.truth))
    return [*lines, *(_noise(subset, noise) for subset, noise in evaluation.noise.items())]


def _between_folds(evaluation: Evaluation, name: str) -> str:
    scores = [s for s in evaluation.errors.folds if (s.name, s.subset) == (name, WEIGHTED) and s.part != ALL]
    held = np.array([score.rmse_without_outliers for score in scores])
    return (
        f"Without outliers the {len(held)} folds are between {held.min():.3f} and {held.max():.3f} px, with a standard "
        f"deviation of {held.std(ddof=1) if len(held) > 1 else 0.0:.3f} px."
    )


def _noise(subset: int, noise: SectionNoise) -> str:
    between, within = noise.between, noise.within
    low, high = between.interval
    return (
        f"{between.pictures} pictures of the {subset}-keypoint rows have two or more labels each ({between.rows} rows, "
        f"RMSE {between.rmse:.3f} px). The difference of these labels shows the labels' noise: {between.labels:.3f} px "
        f"(95 % interval {low:.3f} to {high:.3f}) between sections of the file, and {within.labels:.3f} px within a "
        f"section, where the drift is known. No prediction of a test file of unknown sections can have a lower error "
        f"than the first. The predictions' own error is {between.predictions:.3f} px."
    )


def comparison_sentences(comparison: Comparison) -> list[str]:
    """What the comparison's table compares, and which specialists have no counterpart."""
    lines = [
        f"Compared with {comparison.against} on the same pictures. The difference is this run minus the other: below 0 "
        "this run is better. Lines other than those over every label leave out "
        f"{comparison.outliers} rows that are outliers of both runs."
    ]
    if comparison.compared == PLAIN:
        lines.append(
            "The other run is of an earlier format, whose final predictions contain the label drift by rank. So the "
            "plain predictions of both runs are compared."
        )
    for names, where in ((comparison.only_ours, "this run"), (comparison.only_theirs, "the other run")):
        if names:
            lines.append(f"Only in {where}: {', '.join(names)}.")
    return lines
