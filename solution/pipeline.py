"""The stages in order. Each reads its input from the disk and writes its output there.

Data, folds, train and stack make the predictions. Evaluation computes every figure once. Submission, report and audit
read it.
"""

from pathlib import Path
from typing import Any

import numpy as np

from solution.data.folds import make_folds, read_folds, write_folds
from solution.data.reader import DRAWN
from solution.ensemble import duplicates, selection
from solution.ensemble.selection import Ensemble
from solution.evaluation import evaluation as figures
from solution.evaluation.evaluation import Evaluation
from solution.evaluation.label_errors.ranking import audit_of
from solution.faces import Predictions
from solution.kaggle import leaderboard
from solution.kaggle import submit as sending
from solution.kaggle.submission import (
    FORMAT,
    check_submission,
    locations_of,
    read_record,
    record_path,
    write_submission,
)
from solution.keypoints import SUBSETS
from solution.report import label_errors
from solution.report.label_errors import read_planted
from solution.report.previous_run import read_other
from solution.report.record import duplicates_record, record_of
from solution.report.report import compare_runs, gather
from solution.report.write import publish
from solution.run import Run, exclusive
from solution.runtime import lock
from solution.runtime.artifacts import digest_of
from solution.runtime.device import LOG
from solution.runtime.errors import UserError
from solution.runtime.workers import local, ray
from solution.runtime.workers.schedule import incomplete
from solution.specialists import remote
from solution.specialists.cross_validation import Specialist, collect
from solution.specialists.landmarks import pretrained


def data(run: Run) -> None:
    """Read and check the files, and log what they contain."""
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
    """Make the fold table, unless there is one of these data."""
    path = run.workspace.fold_table
    if path.is_file():
        try:
            read_folds(path, run.competition.train)
        except UserError:
            LOG.info("Folds: %s is of other data and is made again", path)
        else:
            LOG.info("Folds: %s is up to date", path)
            return
    table = make_folds(run.competition.train)
    write_folds(path, table, run.competition.train)
    LOG.info("Folds: %d folds, %d groups, written to %s", table.k, len(set(table.group.tolist())), path)


@exclusive
def train(run: Run, names: tuple[str, ...] = (), fold: int | None = None) -> None:
    """Train what is not complete: every recipe, or the named ones, on every fold, or on one."""
    missing = incomplete("Train", run.jobs(*names, fold=fold))
    untrained = [job for job in missing if not job.is_trained()]
    if len(untrained) < len(missing):
        LOG.info("Train: %d trained networks predict again", len(missing) - len(untrained))
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
    """Blend and stack, unless that is done for these trainings."""
    inputs = selection.inputs_of(run)
    ensemble = selection.load(run, inputs)
    if ensemble is not None:
        LOG.info("Stack: up to date")
        return ensemble
    ensemble = selection.make(trained(run), run)
    selection.save(ensemble, run, inputs)
    for subset, choice in ensemble.choice.items():
        LOG.info(
            "Stack: %d-keypoint rows: blend %.4f px, stack %.4f px: %s used",
            *(subset, choice.blend, choice.stack, choice.used),
        )
    return ensemble


def stacked(run: Run) -> Ensemble:
    """The result of the stack stage. UserError if it has not run on the current trainings."""
    ensemble = selection.load(run, selection.inputs_of(run))
    if ensemble is None:
        by = lock.holder(run.workspace.folds)
        raise UserError(
            f"{selection.folder_of(run)}: expected the stack of the current trainings. "
            + (f"Wait for {by}." if by else "Run `python -m solution stack` with the same --data and --scale first.")
        )
    return ensemble


NAME = "submission"
DUPLICATES = f"{NAME}-duplicates"
WRITTEN = {NAME: selection.FINAL, f"{NAME}-plain": selection.PLAIN}
"""The submissions that are always written, by file name: with the label drift if it is validated, and without it."""


SCORED = (selection.BLEND, selection.RIDGE, selection.STACK, selection.PLAIN, selection.FINAL)
"""The ensemble's predictions that have scores of their own, in the order of the tables; the last ones are submitted."""


def evaluation(run: Run) -> Evaluation:
    """Every figure of the stack there now, read from disk. Where it is missing it is computed and written.

    Only writing needs the folder's lock. Nothing is written while another process holds it.
    """
    folder, inputs = run.workspace.folds, figures.inputs_of(_stack_digest(run), run.competition)
    stored = figures.load(folder, inputs)
    if stored is not None:
        return stored
    computed = _evaluate(run, stacked(run))
    by = lock.holder(folder)
    if by:
        LOG.info("Evaluation: not written, since %s holds the folder", by)
        return computed
    with run.exclusive():
        figures.save(folder, computed, inputs)
    LOG.info("Evaluation: %s", folder / figures.FOLDER / figures.FILE)
    return computed


def _evaluate(run: Run, ensemble: Ensemble) -> Evaluation:
    competition, test = run.competition, run.competition.test
    final = ensemble.oof_predictions(selection.FINAL, run)
    labels = duplicates.learn(competition, run.table, final.coords)
    known = zip(test.ids.tolist(), labels.test.tolist(), strict=True)
    submitted = locations_of(competition, ensemble.test_predictions(selection.FINAL, run))
    return figures.evaluate(
        competition,
        run.table,
        specialists=[s.oof for s in trained(run)],
        ensemble=[ensemble.oof_predictions(name, run) for name in SCORED],
        with_drift=ensemble.oof[selection.WITH_DRIFT],
        pipelines={kind: ensemble.test[kind] for kind in WRITTEN.values()},
        submitted=competition.at_points(submitted),
        duplicates=figures.Duplicates(
            test_pictures=duplicates.in_test(competition),
            used=labels.used,
            worth=labels.worth,
            labels={i: tuple(map(tuple, points)) for i, points in known if np.isfinite(points).any()},
        ),
    )


def submission(run: Run) -> None:
    """Write each submission with its record, and check it on disk."""
    ensemble, evaluated = stacked(run), evaluation(run)
    for name, kind in WRITTEN.items():
        _write(run, name, ensemble.test_predictions(kind, run), _record(run, ensemble, evaluated, kind))
    if run.use_duplicates:
        _write_with_duplicates(run, ensemble, evaluated)


def _write_with_duplicates(run: Run, ensemble: Ensemble, evaluated: Evaluation) -> None:
    """The third submission, which uses the labels of test pictures' duplicates, if they are worth using."""
    known = evaluated.duplicates
    if not known.used:
        LOG.info("Submission: %s.csv is not written: no labels of duplicates are worth using", DUPLICATES)
        return
    test = run.competition.test
    labels = np.full(test.coords.shape, np.nan)
    for row, identity in enumerate(test.ids.tolist()):
        labels[row] = known.labels.get(identity, np.nan)
    final = ensemble.test_predictions(selection.FINAL, run)
    predictions = duplicates.DuplicateLabels(dict(known.worth), labels).blend(final, test)
    record = _record(run, ensemble, evaluated, selection.FINAL) | duplicates_record(known)
    _write(run, DUPLICATES, predictions, record)
    LOG.info("Submission: %d of its predictions are blended with labels of identical training pictures", known.used)


def _write(run: Run, name: str, predictions: Predictions, record: dict[str, Any]) -> None:
    path = run.workspace.submissions / f"{name}.csv"
    write_submission(path, run.competition, predictions, record)
    check_submission(path, run.competition)
    LOG.info("Submission: %s, %d rows, checked", path, len(run.competition.lookup.row_id))


def _record(run: Run, ensemble: Ensemble, evaluated: Evaluation, kind: str) -> dict[str, Any]:
    return record_of(evaluated, kind, ensemble, run.competition.placement) | {
        "recipes": {r.name: r.digest() for r in run.recipes},
        "stack": _stack_digest(run),
        "scale": run.scale,
        "dataset": run.source.dataset,
    }


def submit(run: Run, name: str, message: str, *, yes: bool = False, wait: float | None = None) -> None:
    """Send a submission to Kaggle and log its score. yes: do not ask first. wait: seconds, None for no waiting.

    With --use-duplicates the file with the labels of duplicates is sent in place of submission.csv. UserError where the
    run is not finished or the submission is of another stack.
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
    """UserError that names the first training that is not complete: an unfinished run is not submitted."""
    jobs = run.jobs()
    missing = [f"{job.recipe.name}/fold{job.fold}" for job in jobs if not job.is_complete()]
    if missing:
        raise UserError(
            f"{run.workspace.folds}: expected a finished run, got {len(jobs) - len(missing)} of {len(jobs)} trainings "
            f"complete; {missing[0]} is not. Run `python -m solution run` with the same --data and --scale first."
        )


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


def report(run: Run, against: Path | None = None, as_json: bool = False) -> None:
    """Write the report's files and print its essentials, or everything as one JSON object.

    against: another run's folder, folds/DATASET, to compare with. UserError where that cannot be compared.
    """
    ensemble = stacked(run)
    other = None if against is None else read_other(against, run.competition)
    comparison = None if other is None else compare_runs(run, trained(run), ensemble, other)
    gathered = gather(run, evaluation(run), ensemble, submission=_written(run), comparison=comparison)
    publish(run.workspace.folds, gathered, as_json)


def audit(run: Run) -> None:
    """Write the training labels that may be wrong, as the evaluation ranks them. No row is dropped."""
    oof = stacked(run).oof_predictions(selection.WITH_DRIFT, run)
    planted = read_planted(run.source.folder / DRAWN) if run.competition.drawn else None
    folder, ranked = run.workspace.folds, audit_of(evaluation(run).audit)
    label_errors.show(ranked, label_errors.write_audit(folder, run.competition.train, ranked, oof, planted), folder)
    LOG.info("Audit: %s", folder / label_errors.TABLE)
