"""What an ablation gives: the paired difference to its recipe on the held-out rows of the folds it was trained on."""

import csv
from dataclasses import asdict, dataclass, fields

import numpy as np

from solution.evaluation.metrics import paired_difference, rmse
from solution.evaluation.outliers import is_outlier
from solution.faces import Predictions, rows_of
from solution.keypoints import SUBSETS
from solution.run import Run
from solution.runtime.artifacts import atomic
from solution.runtime.errors import UserError
from solution.specialists.training import load_part
from solution.studies.ablations.train import base_of, job_of


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """RMSE in px of the recipe and of the ablation, without outliers, and ablation minus recipe with its 95 % interval
    over sections of rows. blend_*: the same of the even mean of both against the recipe: what the ablation adds as a
    second member.
    """

    ablation: str
    subset: int
    folds: int
    rows: int
    recipe_rmse: float
    ablation_rmse: float
    difference: float
    low: float
    high: float
    blend_difference: float
    blend_low: float
    blend_high: float


def outcomes(run: Run, name: str, folds: tuple[int, ...]) -> list[Outcome]:
    """One line for each subset. UserError where a fold of the recipe or the ablation is missing."""
    recipe, _ = base_of(run, name)
    base = recipe.name
    theirs, ours = [], []
    for fold in folds:
        job = job_of(run, name, fold)
        if not (job.is_complete() and run.job(recipe, fold).is_complete()):
            raise UserError(f"{name} fold {fold}: expected finished trainings of the ablation and of {base}")
        theirs.append(load_part(run.workspace.fold(base, fold), base, "held"))
        ours.append(load_part(job.folder, name, "held"))
    return [_outcome(run, name, subset, theirs, ours) for subset in SUBSETS if subset in recipe.subsets]


def _outcome(run: Run, name: str, subset: int, theirs: list[Predictions], ours: list[Predictions]) -> Outcome:
    train = run.competition.train
    ids = np.concatenate([p.ids for p in theirs])
    rows = np.flatnonzero(np.isin(train.ids, ids) & (train.subset == subset))
    old, new = (_in_order(parts, train.ids[rows]) for parts in (theirs, ours))
    labels, kept = train.coords[rows], ~is_outlier(old, train.coords[rows])
    alone = {s: float(s == subset) for s in SUBSETS}
    settings = labels[kept], np.full(int(kept.sum()), subset), alone
    apart = paired_difference(new[kept], old[kept], *settings)
    mixed = paired_difference((new[kept] + old[kept]) / 2, old[kept], *settings)
    return Outcome(
        ablation=name,
        subset=subset,
        folds=len(theirs),
        rows=int(kept.sum()),
        recipe_rmse=rmse(old[kept], labels[kept]),
        ablation_rmse=rmse(new[kept], labels[kept]),
        **dict(zip(("difference", "low", "high"), apart, strict=True)),
        **dict(zip(("blend_difference", "blend_low", "blend_high"), mixed, strict=True)),
    )


def _in_order(parts: list[Predictions], ids: np.ndarray) -> np.ndarray:
    """The parts' coords for these ids, (N, 15, 2)."""
    rows = rows_of(np.concatenate([part.ids for part in parts]), ids)
    return np.concatenate([part.coords for part in parts])[rows]


def write(run: Run, found: list[Outcome]) -> None:
    """Put these outcomes into folds/DATASET/ablations.csv, in place of earlier ones of the same ablations."""
    path = run.workspace.folds / "ablations.csv"
    names = {one.ablation for one in found}
    lines = [{k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(one).items()} for one in found]
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as handle:
            old = [line for line in csv.DictReader(handle) if line["ablation"] not in names]
        lines = old + lines
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, [f.name for f in fields(Outcome)])
        writer.writeheader()
        writer.writerows(lines)


def sentence(one: Outcome) -> str:
    """One outcome as a line for the terminal."""
    what = f"{one.ablation}: {one.subset}-keypoint rows, {one.folds} folds"
    return (
        f"{what}: {one.recipe_rmse:.3f} → {one.ablation_rmse:.3f} px, {one.difference:+.3f} ({one.low:+.3f} to "
        f"{one.high:+.3f}); mean of both {one.blend_difference:+.3f} ({one.blend_low:+.3f} to {one.blend_high:+.3f})"
    )
