"""The commands of the studies: `ablate`, `compare` and `bench`."""

import argparse
from pathlib import Path

from solution.cli.parser import Command, add_run_options
from solution.runtime.errors import STOPPED, UserError

MINUTES = 5.0
"""Training time of each system in `compare`."""


def _ablate_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    names = "recipe and ablation; solution/studies/ablations/__init__.py lists the ablations"
    parser.add_argument("names", nargs="+", metavar="RECIPE/ABLATION", help=names)
    parser.add_argument("--folds", type=int, metavar="N", help="use only the first N folds (default: all)")


def _ablate(options: argparse.Namespace, root: Path) -> None:
    from solution.run import open_run
    from solution.runtime.device import LOG
    from solution.studies import ablations
    from solution.studies.ablations import study

    for name in options.names:
        ablations.load(name)
    session = open_run(options, root)
    if options.folds is not None and not 1 <= options.folds <= session.table.k:
        raise UserError(f"--folds {options.folds}: expected 1 to {session.table.k}")
    folds = tuple(range(options.folds or session.table.k))
    study.train(session, tuple(options.names), folds)
    outcomes = [outcome for name in options.names for outcome in study.outcomes(session, name, folds)]
    study.write(session, outcomes)
    for outcome in outcomes:
        LOG.info("%s", outcome)


def _compare_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--minutes", type=float, metavar="M", help=f"training time of each (default: {MINUTES:g})")
    only = (
        "train only these systems: file names of solution/studies/baselines/systems/, or unet_all, timm_all, cascade "
        "or unet_68"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=only)
    points = "15: the competition's faces; 68: --data is a zip or folder with 68 points for each picture (default: 15)"
    parser.add_argument("--points", type=int, choices=(15, 68), default=15, help=points)
    study = "study instead how much pretraining as a denoising autoencoder improves an eye classifier"
    parser.add_argument("--autoencoder", action="store_true", help=study)


def _compare(options: argparse.Namespace, root: Path) -> None:
    if options.autoencoder and (options.only or options.minutes is not None):
        raise UserError("--autoencoder: expected neither --only nor --minutes with it, because it is another study")
    minutes = MINUTES if options.minutes is None else options.minutes
    if not minutes > 0:
        raise UserError(f"--minutes {minutes:g}: expected a time above 0")
    if options.points == 68:
        _compare68(options, root, minutes)
    else:
        _compare15(options, root, minutes)


def _compare15(options: argparse.Namespace, root: Path, minutes: float) -> None:
    from solution.run import open_run
    from solution.studies.baselines import autoencoder, publish, scores, train
    from solution.studies.baselines.results import chosen

    candidates = chosen(train.candidates(), options.only)
    session = open_run(options, root)
    folder = session.workspace.folds
    if options.autoencoder:
        autoencoder.show(autoencoder.study(session), folder)
        return
    train.train(session, candidates, 60 * minutes)
    leaderboard = scores.leaderboard(session, 60 * minutes)
    publish.write(folder, leaderboard, session.source.dataset)
    publish.show(leaderboard, folder)


def _compare68(options: argparse.Namespace, root: Path, minutes: float) -> None:
    from solution.studies.baselines import publish, scores, train
    from solution.studies.baselines.results import chosen
    from solution.studies.faces68.train import open_study

    if options.autoencoder:
        raise UserError("--autoencoder: expected --points 15, because it uses the eyes of those faces")
    candidates = chosen(train.candidates68(), options.only)
    study, device, jobs = open_study(options, root)
    train.train68(study, candidates, 60 * minutes, device, jobs)
    leaderboard = scores.leaderboard68(study, 60 * minutes)
    publish.write(study.workspace.folds, leaderboard, study.workspace.dataset)
    publish.show(leaderboard, study.workspace.folds)


def _bench_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--only", nargs="+", default=[], metavar="PART", help="measure only these parts")
    against = "compare with an earlier benchmark: a file that `bench --json` printed"
    parser.add_argument("--against", type=Path, metavar="FILE", help=against)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--quick", action="store_true", help="run each part once on very few faces, as a test")
    other = parser.add_mutually_exclusive_group()
    scaling = "measure instead time and memory by the number of faces, folds and trainings"
    other.add_argument("--scaling", action="store_true", help=scaling)
    simulate = "compute instead how long a finished run's trainings take on 1 to 64 machines"
    other.add_argument("--simulate", action="store_true", help=simulate)


def _bench(options: argparse.Namespace, root: Path) -> int | None:
    _check_bench(options)
    import json
    import logging
    import sys

    from solution.run import check_scale, open_run
    from solution.runtime.device import pick_device
    from solution.studies.benchmarks import results, scaling, simulate
    from solution.studies.benchmarks.parts import check_parts, measure

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)  # stdout: the figures
    say = (lambda value: print(json.dumps(value, indent=2))) if options.json else None
    if options.simulate:
        simulation = simulate.simulate(simulate.timed_jobs(open_run(options, root)))
        say(simulation.as_json()) if say else simulate.show(simulation)
        return None
    device = pick_device(options.device)
    scale = check_scale(options.scale or ("full" if device.type == "cuda" else "cpu"))
    if options.scaling:
        curves = scaling.measure_scaling(scale, device, options.quick)
        say({"curves": [curve.as_json() for curve in curves]}) if say else scaling.show(curves)
        return None
    check_parts(options.only)
    earlier = results.read_measured(options.against) if options.against else None
    measured = measure(scale, device, options.only, options.data, options.quick)
    ratios = results.ratios(measured.rows, earlier.rows) if earlier else None
    if say is None:
        results.show(measured, ratios)
    else:
        compared = {"against": {key: vars(ratio) for key, ratio in ratios.items()}} if ratios is not None else {}
        say({**measured.as_json(), **compared})
    part = measured.facts["stopped_in"]
    if part is None:
        return None
    print(f"\nStopped in part {part}. The results until then are above.", file=sys.stderr)
    return STOPPED


def _check_bench(options: argparse.Namespace) -> None:
    """UserError if an option would have no effect."""
    other = "--scaling" if options.scaling else "--simulate"
    without_effect = {"--only": options.only, "--against": options.against}
    without_effect |= {"--data": options.data} if options.scaling else {"--quick": options.quick}
    wrong = [name for name, value in without_effect.items() if value]
    if (options.scaling or options.simulate) and wrong:
        raise UserError(f"{other}: expected none of {', '.join(without_effect)} with it, got {', '.join(wrong)}")


COMMANDS = {
    "ablate": Command(
        help="train variations of a recipe and compare them with it",
        needs="train, for the recipe",
        makes="a folder for each training in ablations/, a line for each ablation in ablations.csv",
        examples=("ablate unet_4/sane unet_4/duplicates --data ~/fkd", "ablate unet_all/attention --folds 1"),
        options=_ablate_options,
        run=_ablate,
    ),
    "compare": Command(
        help="train earlier systems and our networks for the same time, and compare them",
        needs="folds; with --points 68 pictures with 68 labelled points",
        makes="compare/, compare.csv, compare.md, compare.png; with --autoencoder autoencoder/, .csv, .md, .png",
        examples=(
            "compare --data ~/fkd --minutes 10",
            "compare --only naimishnet unet_all",
            "compare --autoencoder",
            "compare --points 68 --data ~/faces68/training.zip --only alexnet_elu naimishnet unet_68",
        ),
        options=_compare_options,
        run=_compare,
    ),
    "bench": Command(
        help="measure the speed and the memory of every part",
        needs="nothing; with --simulate every training of a run",
        makes="nothing on disk",
        examples=(
            "bench --json > before.json",
            "bench --only read train --against before.json",
            "bench --scaling",
            "bench --simulate --data ~/fkd",
        ),
        options=_bench_options,
        run=_bench,
    ),
}
