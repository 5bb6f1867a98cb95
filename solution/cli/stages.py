"""The commands of the pipeline: `run`, each of its stages alone, and `audit`."""

import argparse
from collections.abc import Callable
from pathlib import Path

from solution.cli.parser import Command, add_executor_option, add_run_options


def _stages(*names: str) -> Callable[[argparse.Namespace, Path], None]:
    """Runs the stages of these names: functions of `pipeline`."""

    def run(options: argparse.Namespace, root: Path) -> None:
        from solution import pipeline
        from solution.run import open_run

        session = open_run(options, root)
        for name in names:
            getattr(pipeline, name)(session)

    return run


def _run_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    add_executor_option(parser)
    parser.add_argument("--fresh", action="store_true", help="remove this data set's earlier results first")


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


def _train_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    add_executor_option(parser)
    parser.add_argument(
        "--recipe", action="append", default=[], metavar="NAME", help="train only this recipe; may be repeated"
    )
    parser.add_argument("--fold", type=int, metavar="K", help="train only this fold")


def _train(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline, recipes
    from solution.run import open_run

    for name in options.recipe:
        recipes.load(name)  # refuses a misspelt name before any file is read
    pipeline.train(open_run(options, root), tuple(options.recipe), options.fold)


def _report_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    against = "compare with another finished run on the same data: the folder folds/DATASET of that run"
    parser.add_argument("--against", type=Path, metavar="RUN", help=against)
    parser.add_argument("--json", action="store_true", help="print one JSON object; log lines go to stderr")


def _report(options: argparse.Namespace, root: Path) -> None:
    from solution import pipeline
    from solution.run import open_run

    pipeline.report(open_run(options, root), options.against, options.json)


COMMANDS = {
    "run": Command(
        help="run every stage in order; skip what is complete",
        needs="nothing",
        makes="the files of all stages",
        examples=("run", "run --data ~/fkd --scale cpu", "run --scale smoke --fresh"),
        options=_run_options,
        run=_run,
    ),
    "data": Command(
        help="read and check the competition's files",
        needs="the competition's files",
        makes="a cache of them",
        examples=("data", "data --data ~/fkd", "data --data data/drawn"),
        options=add_run_options,
        run=_stages("data"),
    ),
    "folds": Command(
        help="assign each training row to a fold; identical pictures share a fold",
        needs="data",
        makes="folds.csv",
        examples=("folds", "folds --data ~/fkd"),
        options=add_run_options,
        run=_stages("folds"),
    ),
    "train": Command(
        help="train the specialists on the folds",
        needs="folds",
        makes="a folder RECIPE/foldK for each training",
        examples=(
            "train",
            "train --recipe unet_all --fold 2",
            "train --recipe timm_all --recipe timm_15 --data ~/fkd --scale cpu --jobs 1",
        ),
        options=_train_options,
        run=_train,
    ),
    "stack": Command(
        help="blend and stack the specialists' predictions",
        needs="train, for every recipe and fold",
        makes="stack/, evaluation/",
        examples=("stack", "stack --data ~/fkd --scale cpu"),
        options=add_run_options,
        run=_stages("stack", "evaluation"),
    ),
    "submission": Command(
        help="write the submission file and check it",
        needs="stack",
        makes="submissions/DATASET/*.csv",
        examples=("submission", "submission --data ~/fkd --scale cpu", "submission --data ~/fkd --use-duplicates"),
        options=add_run_options,
        run=_stages("submission"),
    ),
    "report": Command(
        help="report the RMSE of each specialist, fold, subset and keypoint, and what explains it",
        needs="stack",
        makes="report.html, report.md, report.csv, keypoints.csv",
        examples=("report", "report --json", "report --data ~/fkd --against ~/other-run/folds/fkd"),
        options=_report_options,
        run=_report,
    ),
    "audit": Command(
        help="rank the labels by how likely they are wrong",
        needs="stack",
        makes="audit.csv, audit.png, audit.json",
        examples=("audit", "audit --data ~/fkd --scale cpu"),
        options=add_run_options,
        run=_stages("audit"),
    ),
}
