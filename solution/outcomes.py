"""The stages that tell what came of it, from the stack that lies on disk: submission, report, audit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from solution import ensemble, kaggle_client, twins
from solution.artefacts import digest_of
from solution.audit import far_off, results
from solution.audit.evidence import disagreement
from solution.audit.planted import read_planted
from solution.data.files import DRAWN
from solution.ensemble import Ensemble
from solution.errors import UserError
from solution.keypoints import SUBSETS
from solution.report.markdown import write_report
from solution.report.summary import Summary, summarise
from solution.report.tables import make_tables
from solution.report.terminal import show
from solution.runtime import LOG
from solution.stages import Run, stacked, trained
from solution.submission import check_submission, score, write_submission

NAME = "submission"
WRITTEN = {NAME: ensemble.FINAL, f"{NAME}-plain": ensemble.PLAIN}
"""The submissions that are always written, by file name: with the drift of the labels along the file, and without."""


def submission(run: Run) -> None:
    """Write each submission with its record, and check it as it lies on disk."""
    made = stacked(run)
    for name, kind in WRITTEN.items():
        path = run.workspace.submissions / f"{name}.csv"
        figures = quality(run, made, kind)
        predictions = made.test_predictions(kind, run.bench)
        if figures.twins is not None:
            predictions = figures.twins.blend(predictions, run.competition.test)
        write_submission(path, run.competition, predictions, record_of(run, made, figures))
        check_submission(path, run.competition)
        LOG.info("Submission: %s, %d rows, checked", path, len(run.competition.lookup.row_id))


def record_of(run: Run, made: Ensemble, figures: Summary) -> dict[str, Any]:
    """What a submission's record says of how it was made and what it should score.

    `cv` leaves out the suspects, whose labels lie 12 px or more off: a dozen of them carry two fifths of the squared
    error of 6,000 rows, so that the figure over every label, which stands beside it, foretells no other picture's.
    """
    trusted = figures.without_suspects or figures.cv
    return {
        "kind": figures.name,
        "cv": round(trusted["overall"], 5),
        "cv_by_subset": {str(s): round(trusted[s], 5) for s in SUBSETS},
        "cv_interval": [round(x, 5) for x in figures.interval_without or figures.interval],
        "cv_leaves_out_suspects": figures.suspects,
        "cv_over_every_label": {str(k): round(v, 5) for k, v in figures.cv.items()},
        "expected": {str(k): round(v, 5) for k, v in figures.expected.items()},
        "use_twins": figures.twins is not None,
        "twins": _twins_record(figures),
        "choice": {str(s): choice for s, choice in made.choice.items()},
        "added": {str(s): steps for s, steps in made.added.items()},
        "blend_weights": {str(s): weights for s, weights in made.weights.items()},
        "recipes": {r.name: r.digest() for r in run.recipes},
        "stack": _stack_digest(run),
        "scale": run.scale,
        "dataset": run.source.dataset,
    }


def submit(run: Run, name: str, message: str) -> None:
    """Hand a submission to Kaggle and say what it answered. UserError where it is not of the stack there now."""
    path = run.workspace.submissions / f"{name.removesuffix('.csv')}.csv"
    if not run.competition.drawn and check_submission(path, run.competition).get("stack") != _stack_digest(run):
        raise UserError(
            f"{path}: expected a submission of the trainings there now, got one of others. "
            "Run `python -m solution submission` with the same --data and --scale first."
        )
    LOG.info("Kaggle: %s", kaggle_client.submit(path, run.competition, message))


def _twins_record(figures: Summary) -> dict[str, Any]:
    """The test pictures that are identical to labelled ones, and where their labels are used, with what they gain."""
    record: dict[str, Any] = {"test_pictures": figures.test_twins}
    if figures.twins is None:
        return record
    worth = {
        str(s): {
            "weight": round(worth.weight, 5),
            "rows": worth.rows,
            "cv_alone": round(worth.alone, 5),
            "cv_blended": round(worth.blended, 5),
        }
        for s, worth in figures.twins.worth.items()
    }
    return {**record, "blended": figures.twins.used, "worth": worth}


def _stack_digest(run: Run) -> str:
    """Names the stack of the trainings there now: a submission made from another one is out of date."""
    return digest_of(ensemble.inputs_of(run.bench, run.recipes))


def _written(run: Run) -> Path | None:
    """The submission of the stack there now, None where there is none or it is of another stack or use of twins."""
    path = run.workspace.submissions / f"{NAME}.csv"
    if not path.is_file():
        return None
    record = check_submission(path, run.competition)
    same = record.get("stack") == _stack_digest(run) and record.get("use_twins", False) == run.use_twins
    return path if same else None


def quality(run: Run, made: Ensemble, kind: str, **facts: Any) -> Summary:  # noqa: ANN401 - fields of Summary
    """The headline figures of one kind of the ensemble's predictions."""
    train, weights = run.competition.train, run.competition.weights
    final = made.oof_predictions(kind, run.bench)
    return summarise(
        train,
        final,
        weights,
        suspects=far_off(final.coords, train.coords),
        ambiguity=ensemble.ambiguity(made.test[kind], run.competition),
        drawn=run.competition.drawn,
        choice=made.choice,
        added=made.added,
        test_twins=twins.in_test(run.competition),
        twins=twins.learn(run.competition, run.table, final.coords) if run.use_twins else None,
        **facts,
    )


def report(run: Run) -> None:
    """Write the report's files and print its essentials."""
    made, specialists_ = stacked(run), trained(run)
    train = run.competition.train
    names = (ensemble.BLEND, ensemble.RIDGE, ensemble.STACK, ensemble.PLAIN, ensemble.FINAL)
    oof = [s.oof for s in specialists_] + [made.oof_predictions(name, run.bench) for name in names]
    final = made.oof_predictions(ensemble.FINAL, run.bench)
    suspects = far_off(final.coords, train.coords)
    written = _written(run)
    summary = quality(
        run,
        made,
        ensemble.FINAL,
        seconds={s.recipe.name: s.seconds for s in specialists_},
        submission=written,
        test=score(written, run.competition) if written else None,
    )
    tables = make_tables(train, run.table, oof, run.competition.weights, suspects)
    write_report(run.workspace.folds, tables, summary)
    show(tables, summary)
    LOG.info("Report: %s", run.workspace.folds / "report.md")


def audit(run: Run) -> None:
    """Rank the training labels by how likely they are wrong. Drops nothing: no other stage reads what this writes."""
    final = stacked(run).oof_predictions(ensemble.FINAL, run.bench)
    members = np.stack([s.oof.coords for s in trained(run)])
    oof = replace(final, spread=disagreement(members).astype(np.float32))
    planted = read_planted(run.source.folder / DRAWN) if run.competition.drawn else None
    folder = run.workspace.folds
    found, facts = results.write_audit(folder, run.competition.train, run.table, oof, planted)
    results.show(found, facts, folder)
    LOG.info("Audit: %s", folder / results.TABLE)
