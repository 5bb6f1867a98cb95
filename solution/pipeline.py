"""The stages in order, each from what lies on disk to what lies on disk.

Data, folds, train and stack make the predictions; submission, report and audit tell what came of them.
"""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from solution import recipes
from solution.data.folds import make_folds, read_folds, write_folds
from solution.data.reader import DRAWN
from solution.data.sequence import Placement
from solution.ensemble import duplicates, selection
from solution.ensemble.selection import Ensemble
from solution.evaluation.ensemble_variance import ensemble_variance
from solution.evaluation.label_errors.evidence import disagreement
from solution.evaluation.outliers import is_outlier
from solution.evaluation.summary import Summary, summarise, truth_of
from solution.faces import Predictions
from solution.kaggle import leaderboard
from solution.kaggle import submit as sending
from solution.kaggle.submission import (
    FORMAT,
    check_submission,
    read_record,
    read_submission,
    record_path,
    write_submission,
)
from solution.keypoints import SUBSETS
from solution.report import label_errors
from solution.report.label_errors import read_planted
from solution.report.previous_run import read_other
from solution.report.report import gather
from solution.report.write import publish
from solution.run import Run, exclusive
from solution.runtime import lock
from solution.runtime.artifacts import digest_of
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.runtime.workers import local, ray
from solution.runtime.workers.task import incomplete
from solution.specialists import remote
from solution.specialists.cross_validation import Specialist, collect
from solution.specialists.landmarks import pretrained


def data(run: Run) -> None:
    """Read and check the files, and say what they hold."""
    train, test = run.competition.train, run.competition.test
    counts = {s: int((train.subset == s).sum()) for s in SUBSETS}
    LOG.info(
        "Data: %d labelled faces (%d with 15 points, %d with 4), %d test faces, %d cells asked; %d test pictures are "
        "identical to labelled ones",
        *(len(train), counts[15], counts[4], len(test), len(run.competition.lookup.row_id)),
        duplicates.in_test(run.competition),
    )
    for placement in run.competition.placement.values():
        LOG.info("Data: %s", placement.describe())


@exclusive
def folds(run: Run) -> None:
    """Make the fold table, unless the one there fits the data."""
    path = run.workspace.fold_table
    if path.is_file():
        try:
            read_folds(path, run.competition.train)
        except UserError:
            LOG.info("Folds: %s is of other data, made anew", path)
        else:
            LOG.info("Folds: %s is up to date", path)
            return
    table = make_folds(run.competition.train)
    write_folds(path, table, run.competition.train)
    LOG.info("Folds: %d folds, %d groups, written to %s", table.k, len(set(table.group.tolist())), path)


@exclusive
def train(run: Run, names: tuple[str, ...] = (), fold: int | None = None) -> None:
    """Train what is not complete: every recipe, or the named ones, on every fold, or one."""
    for name in names:
        if run.scale not in recipes.load(name).runs_at:
            raise UserError(f"--recipe {name}: expected one that runs at scale {run.scale}, it does not")
    if fold is not None and not 0 <= fold < run.table.k:
        raise UserError(f"--fold {fold}: expected 0 to {run.table.k - 1}")
    jobs = [job for job in run.jobs(*names) if fold in (None, job.fold)]
    missing = incomplete("Train", jobs)
    untrained = [job for job in missing if not job.is_trained()]
    if len(untrained) < len(missing):
        LOG.info("Train: %d trained networks predict anew", len(missing) - len(untrained))
    stale = sum(job.files_digest is not None for job in untrained)
    if stale:
        LOG.warning("Train: %d trainings of other settings, data or scale are replaced", stale)
    for recipe in {job.recipe.name: job.recipe for job in untrained}.values():
        if pretrained.asks(recipe):
            pretrained.fetch(recipe, run.weights.file(recipe))  # once, before the workers start
    if run.executor == ray.LOCAL:
        local.run(missing, local.workers_for(run.device, run.workers))
    elif missing:
        ray.run(missing, remote.shared(missing), run.device, run.workers, ray.address_of(run.executor))


def trained(run: Run) -> list[Specialist]:
    """Every specialist's predictions. UserError with the command to run if a training is not complete."""
    jobs = {recipe.name: run.jobs(recipe.name) for recipe in run.recipes}
    missing = {name: [str(job.fold) for job in folds if not job.is_complete()] for name, folds in jobs.items()}
    count = sum(map(len, missing.values()))
    if count > 1:
        which = ", ".join(f"{name} ({', '.join(folds)})" for name, folds in missing.items() if folds)
        raise UserError(
            f"{run.workspace.folds}: expected {len(run.recipes) * run.table.k} finished trainings of these settings "
            f"and data at scale {run.scale}, {count} are missing: {which}. Run `python -m solution train` with the "
            "same --data and --scale first."
        )
    return [collect(folds) for folds in jobs.values()]


@exclusive
def stack(run: Run) -> Ensemble:
    """Blend and stack, unless that is done already for these trainings."""
    inputs = selection.inputs_of(run)
    found = selection.load(run, inputs)
    if found is not None:
        LOG.info("Stack: up to date")
        return found
    made = selection.make(trained(run), run)
    selection.save(made, run, inputs)
    for subset, choice in made.choice.items():
        LOG.info(
            "Stack: %d-keypoint rows: blend %.4f px, stack %.4f px: %s used",
            *(subset, choice["blend"], choice["stack"], choice["used"]),
        )
    return made


def stacked(run: Run) -> Ensemble:
    """The stack stage's result; UserError where it has not run on what is there now."""
    found = selection.load(run, selection.inputs_of(run))
    if found is None:
        by = lock.holder(run.workspace.folds)
        raise UserError(
            f"{selection.folder_of(run)}: expected the stack of the trainings there now. "
            + (f"Wait for {by}." if by else "Run `python -m solution stack` with the same --data and --scale first.")
        )
    return found


NAME = "submission"
DUPLICATES = f"{NAME}-duplicates"
WRITTEN = {NAME: selection.FINAL, f"{NAME}-plain": selection.PLAIN}
"""The submissions that are always written, by file name: what the evidence supports, and without the labels' drift."""


def submission(run: Run) -> None:
    """Write each submission with its record, and check it as it is on disk."""
    made = stacked(run)
    figures = {kind: quality(run, made, kind) for kind in WRITTEN.values()}
    for name, kind in WRITTEN.items():
        _write(run, name, made.test_predictions(kind, run), record_of(run, made, figures[kind]))
    if run.use_duplicates:
        _write_with_duplicates(run, made, figures[selection.FINAL])


def _write_with_duplicates(run: Run, made: Ensemble, figures: Summary) -> None:
    """The third submission, which answers test pictures with the labels of their duplicates, where that wins."""
    assert figures.duplicates is not None
    if not figures.duplicates.used:
        LOG.info(
            "Submission: %s.csv is not written: the labels of no test picture's duplicates are worth using", DUPLICATES
        )
        return
    predictions = figures.duplicates.blend(made.test_predictions(selection.FINAL, run), run.competition.test)
    record = record_of(run, made, figures) | {"use_duplicates": True, "duplicates": _duplicates_record(figures)}
    _write(run, DUPLICATES, predictions, record)
    LOG.info(
        "Submission: %d predictions of it are blended with labels of identical training pictures",
        figures.duplicates.used,
    )


def _write(run: Run, name: str, predictions: Predictions, record: dict[str, Any]) -> None:
    path = run.workspace.submissions / f"{name}.csv"
    write_submission(path, run.competition, predictions, record)
    check_submission(path, run.competition)
    LOG.info("Submission: %s, %d rows, checked", path, len(run.competition.lookup.row_id))


def record_of(run: Run, made: Ensemble, figures: Summary) -> dict[str, Any]:
    """What a submission's record says of how it was made and what it should score, RMSE in pixels.

    `expected` and its interval are over every label: they stand beside the leaderboard's. The figures without outliers
    compare models: a handful of wrong labels has two fifths of the squared error of 6,000 rows.
    """
    return {
        "kind": figures.name,
        **_figures(figures),
        "outliers": figures.outliers,
        "disagreeing": figures.disagreeing,
        "placement": {str(s): _placement_record(placement) for s, placement in figures.placement.items()},
        "use_duplicates": False,
        "duplicates": {"test_pictures": figures.test_duplicates},
        "choice": {str(s): choice for s, choice in made.choice.items()},
        "added": {str(s): steps for s, steps in made.added.items()},
        "blend_weights": {str(s): weights for s, weights in made.weights.items()},
        "recipes": {r.name: r.digest() for r in run.recipes},
        "stack": _stack_digest(run),
        "scale": run.scale,
        "dataset": run.source.dataset,
    }


def _figures(figures: Summary) -> dict[str, Any]:
    """Each headline figure by subset, and its intervals."""
    found: dict[str, Any] = {}
    for name in ("expected", "expected_without_outliers", "cv", "cv_without_outliers"):
        scores, intervals = getattr(figures, name), getattr(figures, f"{name}_intervals")
        found[name] = {str(s): round(value, 5) for s, value in scores.items()}
        found[f"{name}_intervals"] = {str(s): [round(x, 5) for x in ends] for s, ends in intervals.items()}
    return found


def _placement_record(placement: Placement) -> dict[str, Any]:
    """Where one subset's test pictures stand, with the evidence in figures; None for a figure that there is not."""
    facts = {f.name: getattr(placement, f.name) for f in fields(placement) if f.name not in ("places", "error")}
    return {
        name: None if isinstance(value, float) and np.isnan(value) else _rounded(value)
        for name, value in facts.items()
        if name != "subset"
    }


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return round(value, 4) if isinstance(value, float) else value


def submit(run: Run, name: str, message: str, *, yes: bool = False, wait: float | None = None) -> None:
    """Hand a submission to Kaggle and say what it scored. yes: do not ask first; wait: seconds, None for not at all.

    With --use-duplicates the file with their labels is sent in place of submission.csv. UserError where the run is not
    finished or the submission is not of the stack there now.
    """
    if run.use_duplicates and name.removesuffix(".csv") == NAME:
        name = DUPLICATES
        if not (run.workspace.submissions / f"{name}.csv").is_file():
            raise UserError(
                f"{run.workspace.submissions / name}.csv: expected the submission with the labels of duplicates, found "
                "none. Run `python -m solution submission --use-duplicates` with the same --data and --scale first."
            )
    path = run.workspace.submissions / f"{name.removesuffix('.csv')}.csv"
    upload = sending.prepare(path, run.competition, message)
    _require_finished(run)
    if upload.record.get("stack") != _stack_digest(run):
        raise UserError(
            f"{path}: expected a submission of the trainings there now, got one of others. "
            "Run `python -m solution submission` with the same --data and --scale first."
        )
    sending.confirm(upload, yes)
    entry = sending.send(upload)
    if wait is not None:
        LOG.info("Kaggle: sent; waiting up to %g s for the score (Ctrl-C ends the waiting only)", wait)
        entry = sending.wait(upload.ledger, entry, wait)
    LOG.info("Kaggle: %s", leaderboard.outcome(entry))


def _require_finished(run: Run) -> None:
    """UserError naming the first training that is not complete: what the others make together is nothing to send."""
    jobs = run.jobs()
    missing = [f"{job.recipe.name}/fold{job.fold}" for job in jobs if not job.is_complete()]
    if missing:
        raise UserError(
            f"{run.workspace.folds}: expected a finished run, got {len(jobs) - len(missing)} of {len(jobs)} trainings "
            f"complete; {missing[0]} is not. Run `python -m solution run` with the same --data and --scale first."
        )


def _duplicates_record(figures: Summary) -> dict[str, Any]:
    """The test pictures that are identical to labelled ones, and where their labels are used, with what they gain."""
    assert figures.duplicates is not None
    worth = {
        str(s): {
            "weight": round(worth.weight, 5),
            "weight_unmet": round(worth.unmet, 5),
            "rows": worth.rows,
            "cv_alone": round(worth.alone, 5),
            "cv_blended": round(worth.blended, 5),
        }
        for s, worth in figures.duplicates.worth.items()
    }
    return {"test_pictures": figures.test_duplicates, "blended": figures.duplicates.used, "worth": worth}


def _stack_digest(run: Run) -> str:
    """Names the stack of the trainings there now: a submission made from another one is out of date."""
    return digest_of(selection.inputs_of(run))


def _written(run: Run) -> Path | None:
    """The submission of the stack there now, None where there is none or it is of another stack or format."""
    path = run.workspace.submissions / f"{NAME}.csv"
    if not (path.is_file() and record_path(path).is_file()):
        return None
    record = read_record(path)
    same = record.get("stack") == _stack_digest(run) and record.get("format") == FORMAT
    if same:
        check_submission(path, run.competition)
    return path if same else None


def quality(run: Run, made: Ensemble, kind: str, **facts: Any) -> Summary:  # noqa: ANN401 - fields of Summary
    """The headline figures of one kind of the ensemble's predictions."""
    train, weights = run.competition.train, run.competition.weights
    final = made.oof_predictions(kind, run)
    return summarise(
        train,
        final,
        weights,
        outliers=is_outlier(final.coords, train.coords),
        variance=ensemble_variance(made.test[kind], run.competition.test.subset),
        sizes={s: int((run.competition.test.subset == s).sum()) for s in SUBSETS},
        placement=run.competition.placement,
        drawn=run.competition.drawn,
        choice=made.choice,
        added=made.added,
        test_duplicates=duplicates.in_test(run.competition),
        duplicates=duplicates.learn(run.competition, run.table, final.coords) if run.use_duplicates else None,
        **facts,
    )


def report(run: Run, against: Path | None = None, as_json: bool = False) -> None:
    """Write the report's files and print its essentials, or everything as one JSON object.

    against: another run's folder, folds/DATASET, to compare with. UserError where that cannot be compared.
    """
    made, specialists_ = stacked(run), trained(run)
    other = None if against is None else read_other(against, run.competition)
    written = _written(run)
    summary = quality(
        run,
        made,
        selection.FINAL,
        seconds={s.recipe.name: s.seconds for s in specialists_},
        submission=written,
        truth=truth_of(read_submission(written, run.competition), run.competition) if written else None,
    )
    publish(run.workspace.folds, gather(run, specialists_, made, summary, other), as_json)


def audit(run: Run) -> None:
    """Rank the training labels by how likely they are wrong. Drops nothing: no other stage reads what this writes."""
    final = stacked(run).oof_predictions(selection.WITH_DRIFT, run)
    members = np.stack([s.oof.coords for s in trained(run)])
    oof = replace(final, sigma=disagreement(members).astype(np.float32))
    planted = read_planted(run.source.folder / DRAWN) if run.competition.drawn else None
    folder = run.workspace.folds
    found, facts = label_errors.write_audit(folder, run.competition.train, run.table, oof, planted)
    label_errors.show(found, facts, folder)
    LOG.info("Audit: %s", folder / label_errors.TABLE)
