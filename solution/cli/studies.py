"""The studies' verbs: `ablate` a recipe, `compare` with earlier systems, `bench` of this machine."""

import argparse
from pathlib import Path

from solution.cli.parser import Command, add_run_options
from solution.runtime.errors import STOPPED, UserError


def _ablate_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("names", nargs="+", metavar="RECIPE/ABLATION", help="see solution/studies/ablations/")
    parser.add_argument("--folds", type=int, metavar="N", help="only the first N folds (default: all)")


def _ablate(options: argparse.Namespace, root: Path) -> None:
    from solution.run import open_run
    from solution.runtime.device import LOG
    from solution.runtime.errors import UserError
    from solution.studies import ablations
    from solution.studies.ablations import compare, train

    for name in options.names:
        ablations.load(name)
    session = open_run(options, root)
    if options.folds is not None and not 1 <= options.folds <= session.table.k:
        raise UserError(f"--folds {options.folds}: expected 1 to {session.table.k}")
    folds = tuple(range(options.folds or session.table.k))
    train.train(session, tuple(options.names), folds)
    found = [one for name in options.names for one in compare.outcomes(session, name, folds)]
    compare.write(session, found)
    for one in found:
        LOG.info("%s", compare.sentence(one))


ABLATE = Command(
    "train variations of a recipe and compare them with it",
    "the recipe's trainings",
    "ablations/, a line in ablations.csv",
    ("ablate unet_4/sane unet_4/duplicates --data ~/fkd", "ablate unet_all/attention --folds 1"),
    options=_ablate_options,
    run=_ablate,
)

MINUTES = 5.0


def _compare_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--minutes", type=float, metavar="M", help=f"training time of each (default: {MINUTES:g})")
    only = (
        "train only these: file names of solution/studies/baselines/systems/, or unet_all, timm_all, cascade; unet_68"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=only)
    points = "15: the competition's faces; 68: --data is a zip or folder with 68 points a picture (default: 15)"
    parser.add_argument("--points", type=int, choices=(15, 68), default=15, help=points)
    study = "instead: what pretraining by a denoising autoencoder is worth to an eye classifier"
    parser.add_argument("--autoencoder", action="store_true", help=study)


def _compare(options: argparse.Namespace, root: Path) -> None:
    from solution.runtime.errors import UserError

    if options.autoencoder and (options.only or options.minutes is not None):
        raise UserError("--autoencoder: expected neither --only nor --minutes beside it, it is a study of its own")
    minutes = MINUTES if options.minutes is None else options.minutes
    if not minutes > 0:
        raise UserError(f"--minutes {minutes:g}: expected a time above 0")
    if options.points == 68:
        _faces68(options, root, minutes)
    else:
        _competition(options, root, minutes)


def _competition(options: argparse.Namespace, root: Path, minutes: float) -> None:
    from solution.run import open_run
    from solution.studies.baselines import autoencoder, publish, scores, train
    from solution.studies.baselines.results import chosen

    wanted = chosen(train.candidates(), options.only)
    session = open_run(options, root)
    folder = session.workspace.folds
    if options.autoencoder:
        autoencoder.show(autoencoder.study(session), folder)
        return
    train.train(session, wanted, 60 * minutes)
    found = scores.leaderboard(session, 60 * minutes)
    publish.write(folder, found, session.source.dataset)
    publish.show(found, folder)


def _faces68(options: argparse.Namespace, root: Path, minutes: float) -> None:
    from solution.runtime.errors import UserError
    from solution.studies.baselines import publish, scores, train
    from solution.studies.baselines.results import chosen
    from solution.studies.faces68.train import open_study

    if options.autoencoder:
        raise UserError("--autoencoder: expected --points 15, whose eyes it learns from")
    wanted = chosen(train.candidates68(), options.only)
    study, device, jobs = open_study(options, root)
    train.train68(study, wanted, 60 * minutes, device, jobs)
    found = scores.leaderboard68(study, 60 * minutes)
    publish.write(study.workspace.folds, found, study.workspace.dataset)
    publish.show(found, study.workspace.folds)


COMPARE = Command(
    "train earlier systems and our own networks for the same time and set them side by side",
    "folds; with --points 68: pictures with 68 points",
    "compare/, compare.csv, .md, .png; with --autoencoder: autoencoder/, .csv, .md, .png",
    (
        "compare --data ~/fkd --minutes 10",
        "compare --only naimishnet unet_all",
        "compare --autoencoder",
        "compare --points 68 --data ~/faces68/training.zip --only alexnet_elu naimishnet unet_68",
    ),
    options=_compare_options,
    run=_compare,
)


def _bench_options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--only", nargs="+", default=[], metavar="PART", help="only these parts")
    parser.add_argument("--against", type=Path, metavar="FILE", help="an earlier bench --json to compare with")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, in place of tables")
    parser.add_argument("--quick", action="store_true", help="once, on next to nothing: shows that it runs")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--scaling", action="store_true", help="time and memory by number of faces, folds, trainings")
    other.add_argument("--simulate", action="store_true", help="a finished run's trainings on 1 to 64 machines")


def _bench(options: argparse.Namespace, root: Path) -> int | None:
    _check(options)
    import json
    import logging
    import sys

    from solution.run import check_scale, open_run
    from solution.runtime.device import pick_device
    from solution.studies.benchmarks import results, terminal
    from solution.studies.benchmarks.run import check_parts, measure, measure_scaling
    from solution.studies.benchmarks.simulate import simulate, timed_jobs

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)  # stdout: the figures
    say = (lambda value: print(json.dumps(value, indent=2))) if options.json else None
    if options.simulate:
        found = simulate(timed_jobs(open_run(options, root)))
        say(found.as_json()) if say else terminal.show_simulation(found)
        return None
    device = pick_device(options.device)
    scale = check_scale(options.scale or ("full" if device.type == "cuda" else "cpu"))
    if options.scaling:
        curves = measure_scaling(scale, device, options.quick)
        say({"curves": [curve.as_json() for curve in curves]}) if say else terminal.show_scaling(curves)
        return None
    check_parts(options.only)
    earlier = results.read_measured(options.against) if options.against else None
    measured = measure(scale, device, options.only, options.data, options.quick)
    ratios = results.ratios(measured.rows, earlier.rows) if earlier else None
    if say is None:
        terminal.show(measured, ratios)
    else:
        compared = {"against": {key: vars(ratio) for key, ratio in ratios.items()}} if ratios is not None else {}
        say({**measured.as_json(), **compared})
    part = measured.facts["stopped_in"]
    if part is None:
        return None
    print(f"\nStopped in part {part}: what was measured until then is above.", file=sys.stderr)
    return STOPPED


def _check(options: argparse.Namespace) -> None:
    """UserError for what would be passed over in silence."""
    other = "--scaling" if options.scaling else "--simulate"
    given = {"--only": options.only, "--against": options.against}
    given |= {"--data": options.data} if options.scaling else {"--quick": options.quick}
    wrong = [name for name, value in given.items() if value]
    if (options.scaling or options.simulate) and wrong:
        raise UserError(f"{other}: expected none of {', '.join(given)} beside it, got {', '.join(wrong)}")


BENCH = Command(
    "measure the speed and memory of every part",
    "nothing (--simulate: every training)",
    "nothing",
    (
        "bench --json > before.json",
        "bench --only read train --against before.json",
        "bench --scaling",
        "bench --simulate --data ~/fkd",
    ),
    options=_bench_options,
    run=_bench,
)


COMMANDS = {"ablate": ABLATE, "compare": COMPARE, "bench": BENCH}
