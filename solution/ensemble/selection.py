"""The stack stage: blend and stack of all specialists, and the better of both for each subset, as one value on disk.

For each subset, `plain` is the better of blend and stack. `final` is `plain` with label drift where the place of the
test pictures is known and the validation supports it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solution.data.competition import Competition
from solution.data.sequence import CONFIG as SEQUENCE
from solution.ensemble.baselines import forward_selection, ridge_stack
from solution.ensemble.choice import SubsetChoice
from solution.ensemble.config import CONFIG, EnsembleConfig
from solution.ensemble.label_drift import DriftTrial, drift_of_training, try_drift
from solution.ensemble.stacker import Stacked, stack_all
from solution.evaluation.metrics import BOOTSTRAPS, FEWEST_SECTIONS, SECTIONS, paired_difference, rmse
from solution.evaluation.outliers import OUTLIER, USUAL, is_outlier
from solution.faces import FaceSet, FoldTable, Predictions
from solution.keypoints import SUBSETS
from solution.run import Run
from solution.runtime.artifacts import atomic, complete, seal, write_json
from solution.runtime.errors import UserError
from solution.specialists.cross_validation import Specialist

FORMAT = 9
ARRAYS, FACTS = "stack.npz", "stack.json"
BLEND, STACK, PLAIN, FINAL = "blend", "stack", "plain", "final"
WITH_DRIFT = "with_drift"  # plain with the drift at each training row's place: for the audit and label noise
RIDGE = "ridge"  # a baseline: out-of-fold only, never submitted


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Everything that is made from the specialists together. Coordinates are in pixels."""

    oof: dict[str, np.ndarray]  # by name, out-of-fold coordinates (N, 15, 2)
    test: dict[str, np.ndarray]  # by name, the coordinates of each fold's pipeline, (k, T, 15, 2)
    choice: dict[int, SubsetChoice]  # by subset, what is used and by how much it is better
    weights: dict[int, dict[str, float]]  # by subset and specialist, the mean weight in the blend
    added: dict[int, list[list[Any]]]  # by subset, the forward selection: [specialist, RMSE of the blend with it]

    def oof_predictions(self, name: str, run: Run) -> Predictions:
        """The out-of-fold predictions of one name, without sigma."""
        coords = self.oof[name].astype(np.float32)
        return Predictions(name, run.competition.train.ids, coords, np.full(coords.shape[:2], np.nan, np.float32))

    def test_predictions(self, name: str, run: Run) -> Predictions:
        """The test predictions of one name: the mean of the folds' pipelines, and as sigma their standard deviation."""
        pipelines = self.test[name]
        sigma = np.sqrt(pipelines.var(axis=0).mean(axis=-1)).astype(np.float32)
        return Predictions(name, run.competition.test.ids, pipelines.mean(axis=0).astype(np.float32), sigma)


def make(specialists: list[Specialist], run: Run, config: EnsembleConfig | None = None) -> Ensemble:
    """Blend, stack and choose; config: CONFIG where None. UserError where no specialist predicts a labelled cell."""
    config = config or CONFIG
    competition, table = run.competition, run.table
    train, test = competition.train, competition.test
    stacked = stack_all(specialists, train, test, table, config)
    _check_cover(stacked.blend, train)
    oof, tests = {BLEND: stacked.blend, STACK: stacked.stack}, {BLEND: stacked.blend_test, STACK: stacked.stack_test}
    used = {s: _better(oof, train, s) for s in SUBSETS}
    for parts, faces in ((oof, train), (tests, test)):
        in_stack = np.isin(faces.subset, [s for s in SUBSETS if used[s] == STACK])
        parts[PLAIN] = np.where(in_stack[:, None, None], parts[STACK], parts[BLEND])
    drift = {s: _drift_of(oof[PLAIN], competition, table, s, config) for s in SUBSETS}
    oof[FINAL], tests[FINAL] = oof[PLAIN].copy(), tests[PLAIN].copy()
    for s, trial in drift.items():
        if trial.used:
            tests[FINAL][:, test.subset == s] += trial.test
            if trial.oof is not None:
                oof[FINAL][train.subset == s] += trial.oof
    oof[WITH_DRIFT] = _with_training_drift(oof[PLAIN], train, config)
    choice = {s: _choice(oof, used[s], drift[s], train, s) for s in SUBSETS}
    weights = {s: {name: round(value, 4) for name, value in stacked.weights[s].items()} for s in SUBSETS}
    oof[RIDGE], added = _baselines(stacked, train, table, config)
    return Ensemble(oof, tests, choice, weights, added)


def _check_cover(blend: np.ndarray, train: FaceSet) -> None:
    """UserError where a labelled cell has no prediction."""
    holes = np.isnan(blend) & ~np.isnan(train.coords)
    if holes.any():
        raise UserError(
            f"{int(holes.sum())} labelled cells are predicted by no specialist: expected recipes that cover both "
            "subsets and every point. Add one in solution/recipes/."
        )


def _better(oof: dict[str, np.ndarray], train: FaceSet, subset: int) -> str:
    """STACK where it beats the blend out-of-fold, over all rows and over those without outliers; else BLEND.

    Both, since four labels that are 20 px off decide a comparison over all rows by chance, and since a gain without
    outliers alone is no gain in the figure that is reported.
    """
    labels, blend, stack, kept = _of_subset(oof, train, subset)
    wins = [rmse(stack[rows], labels[rows]) < rmse(blend[rows], labels[rows]) for rows in (kept, slice(None))]
    return STACK if all(wins) else BLEND


def _of_subset(oof: dict[str, np.ndarray], train: FaceSet, subset: int) -> tuple[np.ndarray, ...]:
    """Labels, blend and stack of a subset's rows, (N, 15, 2) each, and which rows are no outliers of the blend."""
    rows = train.subset == subset
    labels, blend, stack = train.coords[rows], oof[BLEND][rows], oof[STACK][rows]
    return labels, blend, stack, ~is_outlier(blend, labels)


def _choice(oof: dict[str, np.ndarray], used: str, drift: DriftTrial, train: FaceSet, subset: int) -> SubsetChoice:
    """The choices of one subset with their figures."""
    labels, blend, stack, kept = _of_subset(oof, train, subset)
    subsets, weights = np.full(int(kept.sum()), subset), {s: float(s == subset) for s in SUBSETS}
    difference = paired_difference(stack[kept], blend[kept], labels[kept], subsets, weights)
    validated: dict[str, Any] = {"plain": drift.plain, "drift": drift.drift, "drift_difference": drift.difference}
    return SubsetChoice(
        used=used,
        blend=rmse(blend[kept], labels[kept]),
        stack=rmse(stack[kept], labels[kept]),
        difference=difference,
        relation=drift.relation,
        drift_used=drift.used,
        carried=drift.carried,
        **(validated if drift.rows else {}),
    )


def _drift_of(
    plain: np.ndarray, competition: Competition, table: FoldTable, subset: int, config: EnsembleConfig
) -> DriftTrial:
    """The validation of one subset's label drift, and what it adds. plain: (N, 15, 2), out-of-fold."""
    rows = competition.train.subset == subset
    labels = competition.train.coords[rows]
    kept = ~is_outlier(plain[rows], labels)
    return try_drift(competition.placement[subset], labels - plain[rows], kept, table.group[rows], config.drift)


def _with_training_drift(plain: np.ndarray, train: FaceSet, config: EnsembleConfig) -> np.ndarray:
    """The predictions (N, 15, 2) of the training rows plus the drift at their own places."""
    moved = plain.copy()
    for subset in SUBSETS:
        rows = train.subset == subset
        residuals = train.coords[rows] - plain[rows]
        kept = ~is_outlier(plain[rows], train.coords[rows])
        moved[rows] += drift_of_training(np.flatnonzero(rows), residuals, kept, subset, config.drift)
    return moved


def _baselines(
    stacked: Stacked, train: FaceSet, table: FoldTable, config: EnsembleConfig
) -> tuple[np.ndarray, dict[int, list[list[Any]]]]:
    """A ridge regression in LightGBM's place, out-of-fold, and by subset the forward selection of the specialists."""
    ridge, added = stacked.blend.copy(), {}
    outliers = is_outlier(stacked.blend, train.coords)
    for subset, members in stacked.members.items():
        rows = train.subset == subset
        blend, labels, fold, kept = (part[rows] for part in (stacked.blend, train.coords, table.fold, ~outliers))
        ridge[rows] = ridge_stack(members, blend, labels, fold, config.ridge)
        steps = forward_selection(members.take(kept), labels[kept], fold[kept], config)
        added[subset] = [[step.name, round(step.rmse, 4)] for step in steps]
    return ridge, added


def folder_of(run: Run) -> Path:
    """The folder of the stack stage's artefacts."""
    return run.workspace.folds / "stack"


def inputs_of(run: Run, config: EnsembleConfig | None = None) -> dict[str, Any]:
    """Everything the stack depends on: settings, and the inputs and files of each training. config: as in `make`."""
    jobs = {r.name: [[job.digest, job.files_digest] for job in run.jobs(r.name)] for r in run.recipes}
    settings = {
        **asdict(config or CONFIG),
        "sequence": asdict(SEQUENCE),
        "outliers": [OUTLIER, USUAL],
        "intervals": [{str(s): rows for s, rows in SECTIONS.items()}, FEWEST_SECTIONS, BOOTSTRAPS],
    }
    return {"format": FORMAT, "settings": settings, "data": run.competition.digest, "trainings": jobs}


def save(ensemble: Ensemble, run: Run, inputs: dict[str, Any]) -> None:
    """Write the ensemble and seal its folder."""
    folder = folder_of(run)
    parts = (("oof", ensemble.oof), ("test", ensemble.test))
    arrays = {f"{part}_{name}": value for part, values in parts for name, value in values.items()}
    with atomic(folder / ARRAYS) as temporary, temporary.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
    choice = {s: chosen.to_json() for s, chosen in ensemble.choice.items()}
    write_json(folder / FACTS, {"choice": choice, "weights": ensemble.weights, "added": ensemble.added})
    seal(folder, inputs, [ARRAYS, FACTS])


def load(run: Run, inputs: dict[str, Any]) -> Ensemble | None:
    """The ensemble made from these inputs; None where there is none."""
    folder = folder_of(run)
    if not complete(folder, inputs, [ARRAYS, FACTS]):
        return None
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    parts: dict[str, dict[str, np.ndarray]] = {"oof": {}, "test": {}}
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        for name in arrays.files:
            part, _, kind = name.partition("_")
            parts[part][kind] = arrays[name]
    choice, weights, added = (
        {int(s): value for s, value in facts[key].items()} for key in ("choice", "weights", "added")
    )
    return Ensemble(
        **parts, choice={s: SubsetChoice.from_json(c) for s, c in choice.items()}, weights=weights, added=added
    )
