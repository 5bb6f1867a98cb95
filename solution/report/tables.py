"""The report's tables. Each one is made here once; page, Markdown, terminal, JSON and CSV show it."""

import math
from collections.abc import Sequence

from solution.evaluation.error_tables import ALL, WEIGHTED, Errors, Score
from solution.evaluation.outliers import OUTLIERS_IN_WORDS
from solution.evaluation.summary import Figure
from solution.evaluation.worst_faces import Picture
from solution.keypoints import SUBSETS
from solution.report.comparison import Comparison
from solution.report.provenance import Provenance
from solution.report.report import Report
from solution.specialists.history import Curve, by_recipe, mean_held, mean_loss
from solution.table import BETTER, PART, WORSE, Column, Marked, Table, Value, written

LEGEND = (
    "RMSE in pixels over all labelled cells of the 15-keypoint rows, of the 4-keypoint rows, and of both, weighted by "
    "the share of asked cells. A figure in brackets covers only the cells that the specialist predicts and cannot be "
    f"compared. Outliers are rows whose labels are {OUTLIERS_IN_WORDS}."
)
ROWS = {"15": "15", "4": "4", WEIGHTED: "both"}
"""What a group of rows is called in a table."""

MINUTES = Column("minutes", unit="min", form=".1f")
TOP = 5
"""Worst pictures on the terminal."""

BLOCKS = "▁▂▃▄▅▆▇█"
LONGEST = 24
"""Characters of a sparkline; longer curves are thinned."""

FIGURES = 6
"""Figures of a curve where it cannot be drawn."""


def pixels(key: str, title: str = "", *, best: bool = False, wide: bool = False, kind: str = "") -> Column:
    """A column of pixels."""
    return Column(key, title, "px", ".3f", best=best, wide=wide, kind=kind)


def headline_table(report: Report) -> Table:
    """The headline figures with their intervals."""
    columns = [Column("figure", "error, px")]
    for part, title in (("overall", "both"), *((s, f"{s}-keypoint rows") for s in SUBSETS)):
        columns += [pixels(f"{part}", title), pixels(f"{part}_interval", "95 %", wide=part != "overall", kind="quiet")]
    return Table(
        "The headline figures",
        columns,
        [_figure(figure) for figure in report.figures],
        name="standing-table",
        sorts=False,
    )


def _figure(figure: Figure) -> list[Value]:
    row: list[Value] = [figure.title]
    for part in ("overall", *SUBSETS):
        row += [figure.scores.get(part, math.nan), figure.intervals.get(part)]
    return row


def overview(report: Report) -> Table:
    """One row for each predictions: RMSE by subset, weighted, weighted without outliers, coverage, minutes."""
    errors = report.evaluation.errors
    scores = {(score.name, score.subset): score for score in errors.folds if score.part == ALL}
    columns = [
        Column("predictions"),
        *(pixels(subset, best=True) for subset in ROWS),
        pixels("rmse_without_outliers", "w/o outliers", best=True),
        Column("coverage", form=".0%"),
        MINUTES,
    ]
    rows = [
        [
            name,
            *(_rmse(scores[name, subset]) for subset in ROWS),
            _without(scores[name, WEIGHTED]),
            scores[name, WEIGHTED].coverage,
            report.minutes.get(name),
        ]
        for name in errors.names
    ]
    return Table("Overview", columns, rows, [LEGEND])


def folds_table(report: Report) -> Table:
    """Predictions × fold × subset; a row for each predictions and subset that it predicts some of."""
    errors = report.evaluation.errors
    by_row: dict[tuple[str, str], dict[str, Score]] = {}
    for score in errors.folds:
        by_row.setdefault((score.name, score.subset), {})[score.part] = score
    by_row = {key: parts for key, parts in by_row.items() if not math.isnan(parts[ALL].rmse)}
    parts = list(dict.fromkeys(score.part for score in errors.folds))
    columns = [
        Column("predictions"),
        Column("rows"),
        *(pixels(part, "all folds" if part == ALL else f"fold {part}", best=True) for part in parts),
        pixels("rmse_without_outliers", "w/o outliers", best=True),
        Column("coverage", form=".0%"),
        MINUTES,
    ]
    rows = [
        [
            name,
            ROWS[subset],
            *(_rmse(scores[part]) for part in parts),
            _without(scores[ALL]),
            scores[ALL].coverage,
            report.minutes.get(name),
        ]
        for (name, subset), scores in by_row.items()
    ]
    title = "RMSE by predictions, fold and subset"
    return Table(title, columns, rows, name="folds-table", groups=[subset for _, subset in by_row])


def keypoints_table(errors: Errors, subset: str) -> Table:
    """One row for each keypoint of the subset, one column for each predictions of it."""
    scores = {(s.part, s.name): s for s in errors.keypoints if s.subset == subset and not math.isnan(s.rmse)}
    points = list(dict.fromkeys(score.part for score in errors.keypoints if score.subset == subset))
    names = [name for name in errors.names if name in {name for _, name in scores}]
    rows = [
        [point.replace("_", " "), *(_rmse(scores[point, n]) if (point, n) in scores else None for n in names)]
        for point in points
    ]
    return Table(
        f"RMSE by keypoint, {subset}-keypoint rows",
        [Column("keypoint"), *(pixels(name, best=True) for name in names)],
        rows,
        name=f"heat-{subset}",
        best_of_row=True,
        heat=True,
    )


def _rmse(score: Score) -> Value:
    return score.rmse if score.coverage == 1 else Marked(score.rmse, PART)


def _without(score: Score) -> Value:
    return score.rmse_without_outliers if score.coverage == 1 else Marked(score.rmse_without_outliers, PART)


def scores_table(scores: Sequence[Score], part: str) -> Table:
    """The scores in long form, for JSON and CSV. part: what a score's part is, "fold" or "point"."""
    keys = ("name", "subset", part, "rmse", "cells", "coverage", "rmse_without_outliers", "best")
    rows: list[list[Value]] = [
        [s.name, s.subset, s.part, s.rmse, s.cells, s.coverage, s.rmse_without_outliers, s.best] for s in scores
    ]
    return Table(f"Scores by {part}", [Column(key) for key in keys], rows)


def contributions_table(report: Report) -> Table:
    """By subset, when a specialist joins the blend, the blend's RMSE then, what that gains, its weight; and minutes."""
    columns = [Column("name", "adds to the blend")]
    for s in SUBSETS:
        columns += [
            Column(f"step_{s}", f"{s}: joins", wide=True),
            pixels(f"rmse_{s}", f"{s}: px"),
            pixels(f"gain_{s}", "gain"),
            Column(f"weight_{s}", "weight", form=".2f", kind="bar"),
        ]
    rows: list[list[Value]] = []
    for part in report.contributions:
        row: list[Value] = [part.name]
        for s in SUBSETS:
            share = part.shares.get(s)
            row += [None] * 4 if share is None else [share.step, share.rmse, share.gain, share.weight]
        rows.append([*row, part.minutes])
    return Table("What each specialist adds and costs", [*columns, MINUTES], rows, name="contributions-table")


def training_table(curves: Sequence[Curve], spark: bool) -> Table:
    """Held-out RMSE against epochs for each specialist, mean of its folds. spark: draw curves with block characters."""
    columns = [Column("training"), Column("epochs")]
    columns += [Column("loss"), Column("held-out")] if spark else []
    rows = [_training(name, group, spark) for name, group in by_recipe(curves).items()]
    return Table("Training", [*columns, Column("first to last, px")], rows)


def _training(name: str, curves: Sequence[Curve], spark: bool) -> list[Value]:
    loss, held = mean_loss(curves), [rmse for _, rmse in mean_held(curves)]
    if spark:
        ends = held[:1] + held[-1:] if len(held) > 1 else held
        return [name, len(loss), sparkline(loss), sparkline(held), " ".join(written(rmse, ".3f") for rmse in ends)]
    return [name, len(loss), " ".join(written(rmse, ".2f") for rmse in thinned(held, FIGURES))]


def sparkline(values: Sequence[float]) -> str:
    """The values as a line of blocks, the highest block for the largest value; thinned to LONGEST."""
    shown = thinned(values, LONGEST)
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    steps = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((value - low) * steps)] for value in shown)


def thinned(values: Sequence[float], count: int) -> list[float]:
    """At most `count` of the values, evenly, with the first and the last."""
    if len(values) <= count:
        return list(values)
    return [values[round(i * (len(values) - 1) / (count - 1))] for i in range(count)]


def calibration_table(report: Report) -> Table:
    """How each sigma compares with the errors."""
    parts = report.evaluation.calibration
    columns = [
        Column("name", "uncertainty of"),
        Column("subset", "rows"),
        Column("points", wide=True),
        Column("ratio", "error / sigma", form=".2f"),
        Column("within_1", "within 1 sd", form=".1%"),
        Column("within_2", "within 2 sd", form=".1%"),
        Column("rank", "rank correlation", form=".2f", wide=True),
    ]
    rows: list[list[Value]] = [[p.name, p.subset, p.points, p.ratio, *p.within, p.rank] for p in parts]
    title = "Predicted sigma against error"
    return Table(title, columns, rows, name="calibration-table", groups=[str(part.subset) for part in parts])


def worst_table(report: Report) -> Table:
    """The TOP worst pictures."""
    columns = [Column("point", "worst pictures"), Column("id"), pixels("rms", "px rms"), Column("subset", "points")]
    rows = [
        [*_picture(p, report.points), p.subset, "outlier" if p.outlier else None]
        for p in report.evaluation.pictures[:TOP]
    ]
    return Table("The worst pictures", [*columns, Column("label")], rows)


def changed_table(comparison: Comparison, points: Sequence[str]) -> Table:
    """The TOP pictures whose error differs most between two runs."""
    columns = [Column("point", "changed most"), Column("id"), pixels("rms", "px rms"), pixels("rms_other", "other run")]
    rows = [[*_picture(p, points), p.rms_other] for p in comparison.changed[:TOP]]
    return Table("The pictures that changed most", columns, rows)


def _picture(picture: Picture, points: Sequence[str]) -> list[Value]:
    return [points[picture.worst.point], picture.id, picture.rms]


def comparison_table(comparison: Comparison) -> Table:
    """This run's RMSE against another's, with paired differences."""
    signed = Column("point", "difference", "px", "+.3f")
    columns = [
        Column("name", "predictions"),
        Column("subset", "rows"),
        pixels("ours", "this run"),
        pixels("theirs", "other run"),
        signed,
        Column("interval", "95 % interval", "px", "+.3f", kind="quiet"),
        Column("rows", "pictures", wide=True),
        Column("same", "settings", wide=True),
    ]
    settings = {None: None, True: "same", False: "other"}
    rows: list[list[Value]] = []
    for part in comparison.differences:
        mark = BETTER if part.high < 0 else WORSE if part.low > 0 else ""
        numbers: list[Value] = [part.ours, part.theirs, Marked(part.point, mark), (part.low, part.high), part.rows]
        rows.append([part.name, ROWS[part.subset], *numbers, settings[part.same]])
    groups = [part.subset for part in comparison.differences]
    return Table("This run against the other", columns, rows, name="comparison-table", groups=groups)


def recipes_table(provenance: Provenance) -> Table:
    """The specialists' most important settings with their times."""
    shown = ("rows", "epochs", "batch")
    columns = [Column("specialist"), *(Column(key) for key in shown), Column("starts from"), Column("device")]
    rows = [
        [
            recipe.name,
            *(recipe.settings.get(key) for key in shown),
            *(recipe.parent, recipe.device, sum(recipe.seconds) / 60, recipe.digest),
        ]
        for recipe in provenance.recipes
    ]
    columns += [MINUTES, Column("digest", kind="code")]
    return Table("Specialists, times and digests", columns, rows, name="recipes-table")


def settings_table(provenance: Provenance) -> Table:
    """Every setting of every specialist."""
    keys = dict.fromkeys(
        key for recipe in provenance.recipes for key in recipe.settings if key not in ("name", "runs_at")
    )
    rows = [
        [key, *(_setting(r.settings[key]) if key in r.settings else None for r in provenance.recipes)] for key in keys
    ]
    columns = [Column("setting"), *(Column(recipe.name) for recipe in provenance.recipes)]
    return Table("Every setting of every specialist", columns, rows, name="settings-table", sorts=False)


def _setting(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
