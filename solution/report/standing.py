"""How good the submission is, as a table of figures with intervals, and how far cross-validation can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import SUBSETS
from solution.report.noise import label_noise
from solution.report.scores import Interval, Scores
from solution.report.summary import COLUMN_MEANS, FIRST_PRIVATE, Summary, held_against
from solution.report.tables import ALL, WEIGHTED, Tables, aligned
from solution.suspects import FAR_IN_WORDS


@dataclass(frozen=True)
class Figure:
    """One line: RMSE in pixels of "overall", 15 and 4 (orientation: overall alone), and 95 % intervals where known."""

    key: str
    title: str
    scores: Scores
    intervals: Mapping[str | int, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """figures: the headline as a table. trust: sentences that say how far it can be trusted."""

    figures: tuple[Figure, ...]
    trust: tuple[str, ...]


def stand(
    faces: FaceSet, table: FoldTable, final: Predictions, suspects: np.ndarray, tables: Tables, summary: Summary
) -> Standing:
    """The headline of the final out-of-fold predictions with an interval for each subset. suspects: bool (N,)."""
    coords = aligned(faces, final)
    figures = [
        Figure("expected", "Expected of the submission", summary.expected),
        Figure("cv", "Cross-validated, without suspects", summary.without_suspects, summary.intervals_without),
        Figure("cv_every_label", "Cross-validated, over every label", summary.cv, summary.intervals),
    ]
    if summary.truth is not None:
        figures.append(Figure("true", "True, on the test pictures", summary.truth.scores, summary.truth.intervals))
    if not summary.drawn:
        figures.append(Figure("first", "First of Kaggle's private leaderboard", {"overall": FIRST_PRIVATE}))
        figures.append(Figure("means", "Answering each column's mean, there", {"overall": COLUMN_MEANS}))
    trust = [*_trust(coords, faces, suspects, tables, summary), *_noise(coords, faces, table, suspects)]
    return Standing(tuple(figures), tuple(trust))


def _trust(coords: np.ndarray, faces: FaceSet, suspects: np.ndarray, tables: Tables, summary: Summary) -> list[str]:
    squared = (coords - faces.coords) ** 2
    share = float(np.nansum(squared[suspects]) / max(np.nansum(squared), 1e-12))
    averaged = summary.without_suspects["overall"] - summary.expected["overall"]
    lines = [
        f"{int(suspects.sum())} of {len(faces)} rows are suspects: their labels lie {FAR_IN_WORDS}. "
        f"They carry {share:.0%} of the squared error, so one more or less of them moves the figure over every label.",
        "Intervals are what resampling the pictures gives: another draw of as many pictures would score within them "
        "about 95 times in 100. They hold no change of labellers, and none of the training's own luck.",
        _between_folds(tables, summary.name),
        f"Averaging the folds' pipelines takes {averaged:.3f} px off one pipeline's error; this is measured on the "
        "test pictures, without labels.",
    ]
    return lines if summary.truth is None else [*lines, held_against(summary, summary.truth)]


def _noise(coords: np.ndarray, faces: FaceSet, table: FoldTable, suspects: np.ndarray) -> list[str]:
    """For each subset with enough twins: how much of the error no network can learn."""
    lines = []
    for subset in SUBSETS:
        rows = (faces.subset == subset) & ~suspects
        found = label_noise((faces.coords - coords)[rows], table.group[rows])
        if found is None:
            continue
        low, high = found.interval
        lines.append(
            f"{found.pictures} pictures of the {subset}-keypoint rows are there more than once, each time with labels "
            f"of its own ({found.rows} rows, RMSE {found.rmse:.3f} px). Such labels differ from each other: "
            f"{found.labels:.3f} px of that (95 % interval {low:.3f} to {high:.3f}) is their own noise, which nothing "
            f"can learn; {found.predictions:.3f} px is the predictions' error (their squares sum up)."
        )
    return lines


def _between_folds(tables: Tables, name: str) -> str:
    rows = tables.folds[(tables.folds["name"] == name) & (tables.folds["subset"] == WEIGHTED)]
    held = rows.loc[rows["fold"] != ALL, "rmse_without_suspects"].to_numpy()
    return (
        f"Without suspects the {len(held)} folds lie between {held.min():.3f} and {held.max():.3f} px, with a standard "
        f"deviation of {held.std(ddof=1) if len(held) > 1 else 0.0:.3f} px."
    )
