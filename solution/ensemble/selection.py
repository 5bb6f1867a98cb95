"""The stack stage: blend and stack of all specialists, which of them is used where, kept on disk as one value.

`plain` is, per subset, the better of blend and stack; `final` is plain with the drift of the labels where the place of
the test pictures is known and the validation supports it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solution.data.sequence import CONFIG as SEQUENCE
from solution.ensemble.baselines import STRENGTH, forward_selection, ridge_stack
from solution.ensemble.blend import CLIP as BLEND_CLIP
from solution.ensemble.blend import LEAST, BlendWeights
from solution.ensemble.blend import RIDGE as BLEND_RIDGE
from solution.ensemble.gating import FAR_APART, HEAVY, SURER, relative_uncertainty_by_fold
from solution.ensemble.label_drift import CONFIG as DRIFT
from solution.ensemble.label_drift import DriftTrial, drift_of_training, try_drift
from solution.ensemble.stacker import ROUNDS, Stacked, stack_all
from solution.ensemble.stacker import SETTINGS as STACK_SETTINGS
from solution.evaluation.metrics import BOOTSTRAPS, FEWEST_SECTIONS, SECTIONS, paired_difference, rmse
from solution.evaluation.outliers import OUTLIER, USUAL, is_outlier
from solution.faces import Predictions
from solution.keypoints import SUBSETS
from solution.run import Run
from solution.runtime.artifacts import atomic, complete, seal, write_json
from solution.runtime.errors import UserError
from solution.specialists.cross_validation import Specialist

FORMAT = 8
ARRAYS, FACTS = "stack.npz", "stack.json"
BLEND, STACK, PLAIN, FINAL = "blend", "stack", "plain", "final"
WITH_DRIFT = "with_drift"  # plain with the drift at each training row's own place: for the audit of labels alone
RIDGE = "ridge"  # a baseline: out-of-fold only, never submitted


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Everything made from the specialists together.

    oof: by name, out-of-fold coordinates (N, 15, 2). test: by name, each fold pipeline's (k, T, 15, 2). choice: by
    subset, what is used and by how much it is better. weights: by subset, each specialist's mean weight in the blend.
    added: by subset, the forward selection: [specialist, the blend's RMSE once it is in].
    """

    oof: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    choice: dict[int, dict[str, Any]]
    weights: dict[int, dict[str, float]]
    added: dict[int, list[list[Any]]]

    def oof_predictions(self, name: str, run: Run) -> Predictions:
        """The out-of-fold predictions of one name."""
        return _predictions(name, run.competition.train.ids, self.oof[name], None)

    def test_predictions(self, name: str, run: Run) -> Predictions:
        """The test predictions of one name: the mean of the folds' pipelines; sigma: how far these lie apart."""
        pipelines = self.test[name]
        return _predictions(name, run.competition.test.ids, pipelines.mean(axis=0), pipelines)


def _predictions(name: str, ids: np.ndarray, coords: np.ndarray, pipelines: np.ndarray | None) -> Predictions:
    if pipelines is None:
        sigma = np.full(coords.shape[:2], np.nan, np.float32)
    else:
        sigma = np.sqrt(pipelines.var(axis=0).mean(axis=-1)).astype(np.float32)
    return Predictions(name, ids, coords.astype(np.float32), sigma)


def make(specialists: list[Specialist], run: Run) -> Ensemble:
    """Blend, stack and choose. UserError where no specialist predicts a point that is labelled or asked."""
    train, test = run.competition.train, run.competition.test
    stacked = stack_all(specialists, train, test, run.table)
    _check_cover(stacked, run)
    oof, tests = {BLEND: stacked.blend, STACK: stacked.stack}, {BLEND: stacked.blend_test, STACK: stacked.stack_test}
    choice = {s: _choose(oof, run, s) for s in SUBSETS}
    for parts, subsets in ((oof, train.subset), (tests, test.subset)):
        used = np.array([choice[int(s)]["used"] == STACK for s in subsets])
        parts[PLAIN] = np.where(used[:, None, None], parts[STACK], parts[BLEND])
    _add_drift(oof, tests, choice, run)
    names = [s.recipe.name for s in specialists]
    weights = {}
    for subset in SUBSETS:
        mean = BlendWeights(stacked.weights[subset]).mean()
        weights[subset] = dict(zip(names, mean.round(4).tolist(), strict=True))
    oof[RIDGE], added = _baselines(specialists, stacked.blend, run)
    return Ensemble(oof, tests, choice, weights, added)


def _baselines(
    specialists: list[Specialist], blend: np.ndarray, run: Run
) -> tuple[np.ndarray, dict[int, list[list[Any]]]]:
    """A ridge regression in LightGBM's place, out-of-fold, and by subset the forward selection of the specialists."""
    faces, ridge, added = run.competition.train, blend.copy(), {}
    for subset in SUBSETS:
        rows = faces.subset == subset
        kept = rows & ~is_outlier(blend, faces.coords)
        own = [s for s in specialists if subset in s.recipe.subsets]
        fold, labels = run.table.fold, faces.coords
        members = np.stack([s.oof.coords for s in own])
        uncertainty = np.full(members.shape[:2], np.inf)
        uncertainty[:, rows] = relative_uncertainty_by_fold(np.stack([s.oof.sigma[rows] for s in own]), fold[rows])
        ridge[rows] = ridge_stack(members[:, rows], blend[rows], labels[rows], fold[rows], subset)
        names = [s.recipe.name for s in own]
        steps = forward_selection(names, members[:, kept], uncertainty[:, kept], labels[kept], fold[kept], subset)
        added[subset] = [[step.name, round(step.rmse, 4)] for step in steps]
    return ridge, added


def _choose(oof: dict[str, np.ndarray], run: Run, subset: int) -> dict[str, Any]:
    """The stack where it beats the blend out-of-fold, else the blend; with both RMSE and the paired difference."""
    faces = run.competition.train
    rows = faces.subset == subset
    labels, blend, stack = faces.coords[rows], oof[BLEND][rows], oof[STACK][rows]
    kept = ~is_outlier(blend, labels)
    alone = {s: float(s == subset) for s in SUBSETS}
    difference = paired_difference(stack[kept], blend[kept], labels[kept], faces.subset[rows][kept], alone)
    return {
        "used": STACK if _better(stack, blend, labels, kept) else BLEND,
        BLEND: rmse(blend[kept], labels[kept]),
        STACK: rmse(stack[kept], labels[kept]),
        "difference": list(difference),
    }


def _better(new: np.ndarray, old: np.ndarray, labels: np.ndarray, kept: np.ndarray) -> bool:
    """Whether the new predictions beat the old ones, over all rows and over those whose labels can be right.

    Both, since four labels that lie 20 px elsewhere turn a comparison over all rows by chance, and since a gain over
    the kept rows alone is not a gain in the figure that is reported.
    """
    return all(rmse(new[rows], labels[rows]) < rmse(old[rows], labels[rows]) for rows in (kept, slice(None)))


def _add_drift(
    oof: dict[str, np.ndarray], tests: dict[str, np.ndarray], choice: dict[int, dict[str, Any]], run: Run
) -> None:
    """Put FINAL beside PLAIN: with the drift in the subsets where its validation supports it, and what that found."""
    train, test = run.competition.train, run.competition.test
    oof[FINAL], tests[FINAL], oof[WITH_DRIFT] = oof[PLAIN].copy(), tests[PLAIN].copy(), oof[PLAIN].copy()
    for subset in SUBSETS:
        rows, test_rows = (np.flatnonzero(faces.subset == subset) for faces in (train, test))
        labels, plain = train.coords[rows], oof[PLAIN][rows]
        kept = ~is_outlier(plain, labels)
        found = try_drift(run.competition.placement[subset], labels - plain, kept, run.table.group[rows])
        choice[subset] |= _drift_facts(found)
        oof[WITH_DRIFT][rows] += drift_of_training(rows, labels - plain, kept, subset)
        if found.used:
            tests[FINAL][:, test_rows] += found.test
            if found.oof is not None:
                oof[FINAL][rows] += found.oof


def _drift_facts(found: DriftTrial) -> dict[str, Any]:
    """What was found of the drift, as JSON values; only the relation where there was nothing to validate."""
    facts: dict[str, Any] = {"relation": found.relation, "drift_used": found.used}
    if found.rows:
        facts |= {"plain": found.plain, "drift": found.drift, "drift_difference": list(found.difference)}
    return facts | ({} if found.carried is None else {"carried": list(found.carried)})


def _check_cover(stacked: Stacked, run: Run) -> None:
    holes = np.isnan(stacked.blend) & ~np.isnan(run.competition.train.coords)
    if holes.any():
        raise UserError(
            f"{int(holes.sum())} labelled cells are predicted by no specialist: expected recipes that cover both "
            "subsets and every point. Add one in solution/recipes/."
        )


def folder_of(run: Run) -> Path:
    """Where the stack stage's artefacts lie."""
    return run.workspace.folds / "stack"


def inputs_of(run: Run) -> dict[str, Any]:
    """Everything the stack depends on: its settings, and the trainings by their inputs and their files."""
    jobs = {r.name: [[job.digest, job.files_digest] for job in run.jobs(r.name)] for r in run.recipes}
    settings = [STACK_SETTINGS, ROUNDS, [BLEND_CLIP, BLEND_RIDGE, LEAST], [FAR_APART, SURER, HEAVY]]
    settings += [[OUTLIER, USUAL], STRENGTH, asdict(DRIFT), asdict(SEQUENCE)]
    settings += [{str(s): rows for s, rows in SECTIONS.items()}, FEWEST_SECTIONS, BOOTSTRAPS]  # of the drift's interval
    return {"format": FORMAT, "settings": settings, "data": run.competition.digest, "trainings": jobs}


def save(ensemble: Ensemble, run: Run, inputs: dict[str, Any]) -> None:
    """Write the ensemble and seal its folder."""
    folder = folder_of(run)
    parts = (("oof", ensemble.oof), ("test", ensemble.test))
    arrays = {f"{part}_{name}": value for part, values in parts for name, value in values.items()}
    with atomic(folder / ARRAYS) as temporary, temporary.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
    write_json(folder / FACTS, {"choice": ensemble.choice, "weights": ensemble.weights, "added": ensemble.added})
    seal(folder, inputs, [ARRAYS, FACTS])


def load(run: Run, inputs: dict[str, Any]) -> Ensemble | None:
    """The ensemble made from these inputs; None where there is none."""
    folder = folder_of(run)
    if not complete(folder, inputs, [ARRAYS, FACTS]):
        return None
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        parts = {name: arrays[name] for name in arrays.files}
    oof, test = (
        {n.split("_", 1)[1]: v for n, v in parts.items() if n.startswith(f"{part}_")} for part in ("oof", "test")
    )
    choice, weights, added = (
        {int(s): value for s, value in facts[key].items()} for key in ("choice", "weights", "added")
    )
    return Ensemble(oof, test, choice, weights, added)
