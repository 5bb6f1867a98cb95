"""`bench`: how fast each part is on this machine."""

import argparse
from pathlib import Path

from solution.errors import STOPPED, UserError
from solution.verb import Verb, add_run_options

VERB = Verb(
    "measure the speed and memory of every part",
    "nothing (--simulate: every training)",
    "nothing",
    (
        "bench --json > before.json",
        "bench --only read train --against before.json",
        "bench --scaling",
        "bench --simulate --data ~/fkd",
    ),
)


def options(parser: argparse.ArgumentParser) -> None:
    add_run_options(parser)
    parser.add_argument("--only", nargs="+", default=[], metavar="PART", help="only these parts")
    parser.add_argument("--against", type=Path, metavar="FILE", help="an earlier bench --json to compare with")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, in place of tables")
    parser.add_argument("--quick", action="store_true", help="once, on next to nothing: shows that it runs")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--scaling", action="store_true", help="time and memory by number of faces, folds, trainings")
    other.add_argument("--simulate", action="store_true", help="a finished run's trainings on 1 to 64 machines")


def run(options: argparse.Namespace, root: Path) -> int | None:
    _check(options)
    import json
    import logging
    import sys

    from solution.bench import rows, terminal
    from solution.bench.main import check_parts, measure, measure_scaling
    from solution.bench.simulate import simulate, timed_jobs
    from solution.runtime import pick_device
    from solution.session import open_run
    from solution.stages import check_scale

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
    earlier = rows.read_measured(options.against) if options.against else None
    measured = measure(scale, device, options.only, options.data, options.quick)
    ratios = rows.ratios(measured.rows, earlier.rows) if earlier else None
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
