"""The stages' verbs: `run` and each stage of it by itself, and the audit of the labels."""

import argparse
from pathlib import Path

from solution.cli.parser import Command, add_executor_option, add_run_options


def _run_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    add_executor_option(parser)
    parser.add_argument("--fresh", action="store_true", help="forget earlier results of this data set first")


def _run(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.run import open_run

    session = open_run(options, root, fresh=options.fresh)
    with session.exclusive():
        pipeline.data(session)
        pipeline.folds(session)
        pipeline.train(session)
        pipeline.stack(session)
        pipeline.evaluation(session)
        pipeline.submission(session)
        pipeline.report(session)


RUN = Command(
    "every stage in order; redoes nothing that is complete",
    "nothing",
    "everything",
    ("run", "run --data ~/fkd --scale cpu", "run --scale smoke --fresh"),
    options=_run_options,
    run=_run,
)


def _data_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def _data(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.run import open_run

    pipeline.data(open_run(options, root))


DATA = Command(
    "read and check the competition's files",
    "the files",
    "a cache",
    ("data", "data --data ~/fkd", "data --data data/drawn"),
    options=_data_options,
    run=_data,
)


def _folds_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def _folds(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.run import open_run

    pipeline.folds(open_run(options, root))


FOLDS = Command(
    "assign folds, duplicates together, both subsets spread",
    "data",
    "folds.csv",
    ("folds", "folds --data ~/fkd"),
    options=_folds_options,
    run=_folds,
)


def _train_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    add_executor_option(parser)
    parser.add_argument("--recipe", action="append", default=[], metavar="NAME", help="only this one (repeatable)")
    parser.add_argument("--fold", type=int, metavar="K", help="only this fold")


def _train(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline, recipes
    from solution.run import open_run

    for name in options.recipe:
        recipes.load(name)  # a misspelt name is told before any file is read
    pipeline.train(open_run(options, root), tuple(options.recipe), options.fold)


TRAIN = Command(
    "train specialists on folds",
    "folds",
    "RECIPE/foldN/",
    (
        "train",
        "train --recipe unet_all --fold 2",
        "train --recipe timm_all --recipe timm_15 --data ~/fkd --scale cpu --jobs 1",
    ),
    options=_train_options,
    run=_train,
)


def _stack_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def _stack(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.run import open_run

    session = open_run(options, root)
    pipeline.stack(session)
    pipeline.evaluation(session)


STACK = Command(
    "blend and stack the specialists",
    "every training",
    "stack/, evaluation/",
    ("stack", "stack --data ~/fkd --scale cpu"),
    options=_stack_options,
    run=_stack,
)


def _submission_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def _submission(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.run import open_run

    pipeline.submission(open_run(options, root))


SUBMISSION = Command(
    "write and check the submission CSV",
    "stack",
    "submissions/DATASET/*.csv",
    ("submission", "submission --data ~/fkd --scale cpu", "submission --data ~/fkd --use-duplicates"),
    options=_submission_options,
    run=_submission,
)


def _report_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    against = "compare with another finished run on the same data: its folder folds/DATASET"
    parser.add_argument("--against", type=Path, metavar="RUN", help=against)
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object, log lines on stderr")


def _report(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.run import open_run

    pipeline.report(open_run(options, root), options.against, options.json)


REPORT = Command(
    "RMSE per specialist, fold, subset and keypoint, and all that explains it",
    "stack",
    "report.html, report.md, report.csv, keypoints.csv",
    ("report", "report --json", "report --data ~/fkd --against ~/other-run/folds/fkd"),
    options=_report_options,
    run=_report,
)


def _audit_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)


def _audit(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.run import open_run

    pipeline.audit(open_run(options, root))


AUDIT = Command(
    "rank the labels by how likely they are wrong",
    "stack",
    "audit.csv, .png, .json",
    ("audit", "audit --data ~/fkd --scale cpu"),
    options=_audit_options,
    run=_audit,
)


COMMANDS = {
    "run": RUN,
    "data": DATA,
    "folds": FOLDS,
    "train": TRAIN,
    "stack": STACK,
    "submission": SUBMISSION,
    "report": REPORT,
    "audit": AUDIT,
}
