"""The headline figures of one kind of predictions, and the true score where the answers are known.

FIGURES lists the figures. A new figure is one entry there: the stored evaluation, the submission's record, the page,
Markdown, the terminal and JSON show every entry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from solution.data.competition import Competition
from solution.evaluation.ensemble_variance import EnsembleVariance
from solution.evaluation.expected import Expected, Interval, OutOfFold, Scores, expect
from solution.evaluation.metrics import bootstrap_interval, rmse, weighted
from solution.evaluation.outliers import is_outlier, row_rms
from solution.faces import FaceSet
from solution.keypoints import SUBSETS

Intervals = Mapping[str | int, Interval]
"""95 % intervals in pixels of "overall", 15 and 4, where they are known."""


@dataclass(frozen=True)
class Figure:
    """One figure in pixels with its 95 % intervals."""

    key: str
    """Its name in JSON and in a submission's record."""

    title: str
    short: str
    """The title in a chart; empty for a figure that is not drawn."""

    scores: Scores
    """Of "overall", 15 and 4; overall is weighted by the share of the asked cells."""

    intervals: Intervals = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """What figures are computed from."""

    oof: OutOfFold
    variance: Mapping[int, float]
    """px² per cell that averaging the folds' pipelines removes from the squared error, by subset."""

    sizes: Mapping[int, int]
    """Test pictures of each subset."""

    weights: dict[int, float]
    """Share of the asked cells of each subset."""

    @cached_property
    def expected(self) -> Expected:
        return expect(self.oof, self.variance, self.sizes, self.weights)

    def cross_validated(self, kept: np.ndarray | None = None) -> tuple[Scores, Intervals]:
        """RMSE with intervals over these rows, bool (N,), or over all rows."""
        oof = self.oof
        rows = np.ones(len(oof.subset), bool) if kept is None else kept
        arrays = oof.coords, oof.labels, oof.subset, self.weights, rows
        return scores_of(*arrays), intervals_of(*arrays)

    def medians(self, kept: np.ndarray) -> Scores:
        """Median of the kept rows' rms error, bool (N,). Overall each subset has its share of the asked cells."""
        rms = row_rms(self.oof.coords - self.oof.labels, ~np.isnan(self.oof.labels))
        rows = {s: kept & ~np.isnan(rms) & (self.oof.subset == s) for s in SUBSETS}
        shares: dict[str | int, np.ndarray] = {s: rows[s] / max(rows[s].sum(), 1) for s in SUBSETS}
        shares["overall"] = np.sum([self.weights[s] * shares[s] for s in SUBSETS], axis=0)
        return {part: _median(rms[share > 0], share[share > 0]) for part, share in shares.items()}


@dataclass(frozen=True)
class FigureKind:
    """How one figure is named and computed."""

    key: str
    title: str
    short: str
    compute: Callable[[Validation], tuple[Scores, Intervals]]


FIGURES = (
    FigureKind(
        "expected", "Expected of the submission", "Expected", lambda v: (v.expected.scores, v.expected.intervals)
    ),
    FigureKind("cv", "Cross-validated, over every label", "CV", lambda v: v.cross_validated()),
    FigureKind(
        "expected_without_outliers",
        "Expected, without outliers",
        "Expected, no outliers",
        lambda v: (v.expected.without_outliers, v.expected.without_outliers_intervals),
    ),
    FigureKind(
        "cv_without_outliers",
        "Cross-validated, without outliers",
        "CV, no outliers",
        lambda v: v.cross_validated(~v.oof.outliers),
    ),
    FigureKind(
        "median_without_outliers", "Median picture, without outliers", "", lambda v: (v.medians(~v.oof.outliers), {})
    ),
)
"""The headline figures, in the order in which they are shown."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The headline figures of one kind of predictions."""

    name: str
    """The predictions' name: "final" or "plain"."""

    figures: tuple[Figure, ...]
    """One for each of FIGURES."""

    outliers: int
    """Training rows whose labels are far from the predictions."""

    disagreeing: int
    """Test faces on which the folds' pipelines disagree. The ensemble variance is measured without them."""

    def __getitem__(self, key: str) -> Figure:
        return next(figure for figure in self.figures if figure.key == key)


def summarise(name: str, validation: Validation, disagreeing: int) -> Summary:
    """Compute the headline figures. ValueError where a labelled cell has no prediction."""
    figures = tuple(Figure(kind.key, kind.title, kind.short, *kind.compute(validation)) for kind in FIGURES)
    return Summary(name=name, figures=figures, outliers=int(validation.oof.outliers.sum()), disagreeing=disagreeing)


def validation_of(
    faces: FaceSet, coords: np.ndarray, variance: EnsembleVariance, sizes: Mapping[int, int], weights: dict[int, float]
) -> Validation:
    """From out-of-fold predictions (N, 15, 2) in the faces' order."""
    oof = OutOfFold(coords=coords, labels=faces.coords, subset=faces.subset, outliers=is_outlier(coords, faces.coords))
    return Validation(oof=oof, variance=variance.by_subset, sizes=sizes, weights=weights)


def _median(values: np.ndarray, shares: np.ndarray) -> float:
    """The weighted median, both (N,); NaN where there is no value."""
    return float(np.quantile(values, 0.5, weights=shares, method="inverted_cdf")) if len(values) else float("nan")


def scores_of(
    coords: np.ndarray, labels: np.ndarray, subset: np.ndarray, weights: dict[int, float], kept: np.ndarray
) -> Scores:
    """RMSE of predictions (N, 15, 2) over the kept rows, bool (N,). NaN for a subset without a labelled cell, and
    overall if that subset has weight.
    """
    rows = {s: kept & (subset == s) for s in SUBSETS}
    by_subset = {s: rmse(coords[rows[s]], labels[rows[s]]) for s in SUBSETS}
    return {"overall": weighted(by_subset, weights), **{s: by_subset[s] for s in SUBSETS}}


def intervals_of(
    coords: np.ndarray, labels: np.ndarray, subset: np.ndarray, weights: dict[int, float], kept: np.ndarray
) -> Intervals:
    """Their 95 % bootstrap intervals over sections of rows in file order; none for a subset without a labelled cell."""
    kinds = {"overall": weights} | {s: {t: float(t == s) for t in SUBSETS} for s in SUBSETS}
    labelled = kept & ~np.isnan(labels).all(axis=(1, 2))
    intervals: dict[str | int, Interval] = {}
    for kind, shares in kinds.items():
        rows = labelled if kind == "overall" else labelled & (subset == kind)
        if rows.any():
            intervals[kind] = bootstrap_interval(coords[rows], labels[rows], subset[rows], shares)
    return intervals


@dataclass(frozen=True)
class Truth:
    """The true error of a submission, in pixels."""

    scores: Scores
    """Over every answer, pooled as Kaggle does."""

    intervals: Intervals
    outliers: int
    """Test faces whose answers are as far from the predictions as outliers' labels are: most of them are wrong."""

    without: Scores
    """The scores without these faces."""


def truth_of(coords: np.ndarray, competition: Competition) -> Truth | None:
    """Compare a submission's points, (T, 15, 2) in pixels, with the answers; None where these are not known."""
    faces = competition.answered
    if faces is None:
        return None
    arrays = coords, faces.coords, faces.subset, competition.weights
    far, every = is_outlier(coords, faces.coords), np.ones(len(faces), bool)
    return Truth(scores_of(*arrays, every), intervals_of(*arrays, every), int(far.sum()), scores_of(*arrays, ~far))


@dataclass(frozen=True)
class Worth:
    """What the labels of duplicates are worth in one subset, from its training rows that have a duplicate there."""

    weight: float
    """Weight of the duplicates' mean label on the test pictures, 0 to 1."""

    unmet: float
    """The best weight where no pipeline has been trained on the duplicate."""

    rows: int
    """How many rows have a duplicate, without outliers."""

    alone: float
    """RMSE of the out-of-fold predictions of these rows, pixels."""

    blended: float
    """RMSE of the predictions blended with the duplicates' labels, pixels. The weight comes from the other folds."""

    @property
    def wins(self) -> bool:
        """Whether the labels are to be used: they have a weight, and that weight is better out-of-fold."""
        return self.weight > 0 and self.blended < self.alone
