"""How good the submission is, as a table of figures with intervals, and how far cross-validation can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from solution.evaluation.error_tables import ALL, WEIGHTED, Tables
from solution.evaluation.expected import Interval, Scores
from solution.evaluation.label_noise import label_noise
from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.evaluation.summary import COLUMN_MEANS, FIRST_PRIVATE, Summary, held_against
from solution.faces import FaceSet, FoldTable, Predictions, aligned
from solution.keypoints import SUBSETS


@dataclass(frozen=True)
class Figure:
    """One line: RMSE in pixels of "overall", 15 and 4 (orientation: overall alone), and 95 % intervals where known."""

    key: str
    title: str
    scores: Scores
    intervals: Mapping[str | int, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class Headline:
    """figures: the headline as a table. trust: sentences that say how far it can be trusted."""

    figures: tuple[Figure, ...]
    trust: tuple[str, ...]


def make_headline(
    faces: FaceSet,
    table: FoldTable,
    final: Predictions,
    with_drift: np.ndarray,
    outliers: np.ndarray,
    tables: Tables,
    summary: Summary,
) -> Headline:
    """The headline of the final out-of-fold predictions with an interval for each subset. with_drift: (N, 15, 2), the
    predictions with the drift at each row's own place. outliers: bool (N,).
    """
    coords = aligned(faces, final)
    figures = [Figure("expected", "Expected of the submission", summary.expected, summary.expected_intervals)]
    if summary.truth is not None:
        figures.append(Figure("true", "True, on the test pictures", summary.truth.scores, summary.truth.intervals))
    if not summary.drawn:  # beside the expected score alone: the others are no scores of a test file
        figures.append(Figure("first", "First of Kaggle's private leaderboard", {"overall": FIRST_PRIVATE}))
        figures.append(Figure("means", "Answering each column's mean, there", {"overall": COLUMN_MEANS}))
    figures += [
        Figure("cv", "Cross-validated, over every label", summary.cv, summary.cv_intervals),
        Figure(
            "expected_without_outliers",
            "Expected, without outliers",
            summary.expected_without_outliers,
            summary.expected_without_outliers_intervals,
        ),
        Figure(
            "cv_without_outliers",
            "Cross-validated, without outliers",
            summary.cv_without_outliers,
            summary.cv_without_outliers_intervals,
        ),
    ]
    trust = [*_trust(coords, faces, outliers, tables, summary), *_noise(coords, with_drift, faces, table, outliers)]
    return Headline(tuple(figures), tuple(trust))


def _trust(coords: np.ndarray, faces: FaceSet, outliers: np.ndarray, tables: Tables, summary: Summary) -> list[str]:
    squared = (coords - faces.coords) ** 2
    share = float(np.nansum(squared[outliers]) / max(np.nansum(squared), 1e-12))
    averaged = summary.cv_without_outliers["overall"] - summary.expected_without_outliers["overall"]
    lines = [
        f"{int(outliers.sum())} of {len(faces)} rows are outliers: their labels are {OUTLIERS_IN_WORDS}. "
        f"They carry {share:.0%} of the squared error, so one more or less of them moves the figure over every label.",
        "The expected interval contains the luck of a test file: which sections of rows it has, and how many wrong "
        "labels. It contains no labeller's bias that no training row shows, and none of the training's own luck.",
        _between_folds(tables, summary.name),
        f"Averaging the folds' pipelines takes {averaged:.3f} px off one pipeline's error; this is measured on the "
        "test pictures, without labels.",
    ]
    return lines if summary.truth is None else [*lines, held_against(summary, summary.truth)]


def _noise(
    coords: np.ndarray, with_drift: np.ndarray, faces: FaceSet, table: FoldTable, outliers: np.ndarray
) -> list[str]:
    """For each subset with enough duplicates, how much of the error no network can learn: between sections of the file
    and within one.
    """
    lines = []
    for subset in SUBSETS:
        rows = (faces.subset == subset) & ~outliers
        between, within = (label_noise((faces.coords - one)[rows], table.group[rows]) for one in (coords, with_drift))
        if between is None or within is None:
            continue
        low, high = between.interval
        lines.append(
            f"{between.pictures} pictures of the {subset}-keypoint rows have two or more labels each ({between.rows} "
            f"rows, RMSE {between.rmse:.3f} px). These labels differ by the labels' own noise: {between.labels:.3f} px "
            f"(95 % interval {low:.3f} to {high:.3f}) between sections of the file, which is the floor of a test file "
            f"of unknown sections, and {within.labels:.3f} px within a section, where the drift is known. "
            f"{between.predictions:.3f} px is the predictions' error."
        )
    return lines


def _between_folds(tables: Tables, name: str) -> str:
    rows = tables.folds[(tables.folds["name"] == name) & (tables.folds["subset"] == WEIGHTED)]
    held = rows.loc[rows["fold"] != ALL, "rmse_without_outliers"].to_numpy()
    return (
        f"Without outliers the {len(held)} folds are between {held.min():.3f} and {held.max():.3f} px, with a standard "
        f"deviation of {held.std(ddof=1) if len(held) > 1 else 0.0:.3f} px."
    )
