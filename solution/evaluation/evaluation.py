"""Every figure of a run as one value. The evaluation stage computes it once. All outputs read it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from solution.data.competition import Competition
from solution.evaluation import expected, metrics, outliers
from solution.evaluation.calibration import BINS, Calibration, calibrate
from solution.evaluation.ensemble_variance import DISAGREEING, ensemble_variance
from solution.evaluation.error_tables import Errors, make_errors
from solution.evaluation.label_noise import FEWEST, SectionNoise, label_noise
from solution.evaluation.outliers import is_outlier
from solution.evaluation.summary import FIGURES, Summary, Truth, Worth, summarise, truth_of, validation_of
from solution.evaluation.worst_faces import WORST, WORST_OF_POINT, Gallery, Picture
from solution.faces import FaceSet, FoldTable, Predictions, aligned
from solution.keypoints import SUBSETS
from solution.runtime.artifacts import complete, digest_of, seal, write_json
from solution.runtime.values import from_json, to_json

FORMAT = 1
"""Raise this where a figure is computed in another way."""

FOLDER, FILE = "evaluation", "evaluation.json"

TOGETHER = "ensemble"
"""The final predictions with the specialists' disagreement as their sigma."""


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Test pictures that are byte-identical to labelled ones. No other figure uses their labels."""

    test_pictures: int
    """How many there are."""

    used: int
    """Test pictures whose labels are worth using."""

    worth: Mapping[int, Worth]
    """By subset, what such labels are worth."""

    labels: Mapping[int, tuple[tuple[float, float], ...]]
    """By ImageId, the mean label of each keypoint that can be used, (x, y) in pixels; NaN where there is none."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Every figure of a run. RMSE and distances are in pixels."""

    summaries: Mapping[str, Summary]
    """The headline of each kind of predictions that is submitted, by name."""

    truth: Truth | None
    """The true error of the final submission, where the answers are known."""

    errors: Errors
    """By predictions, fold, subset and keypoint."""

    rows: int
    """Labelled rows."""

    outlier_share: float
    """Share of the final predictions' squared error that is on outliers, 0 to 1."""

    noise: Mapping[int, SectionNoise]
    """By subset, the labels' own noise; none for a subset with few duplicates."""

    calibration: tuple[Calibration, ...]
    """Of each specialist, and of TOGETHER."""

    pictures: tuple[Picture, ...]
    """The worst pictures, the worst first."""

    audit: tuple[Mapping[str, Any], ...]
    """The rows whose labels may be wrong, as `make_audit` ranks them."""

    duplicates: Duplicates


def evaluate(
    competition: Competition,
    table: FoldTable,
    *,
    specialists: Sequence[Predictions],
    ensemble: Sequence[Predictions],
    with_drift: np.ndarray,
    pipelines: Mapping[str, np.ndarray],
    submitted: np.ndarray,
    duplicates: Duplicates,
) -> Evaluation:
    """Compute every figure.

    specialists, ensemble: out-of-fold predictions; the last ones of the ensemble are final. with_drift: (N, 15, 2),
    predictions with the label drift at each row's own place. pipelines: by name, test predictions of each fold's
    pipeline (k, T, 15, 2). submitted: (T, 15, 2), the final submission's points. ValueError where a labelled cell has
    no prediction.
    """
    faces, weights = competition.train, competition.weights
    final = ensemble[-1]
    coords = aligned(faces, final)
    far = is_outlier(coords, faces.coords)
    gallery = Gallery.of(faces, table, final.coords, with_drift, specialists)
    together = replace(final, name=TOGETHER, sigma=gallery.sigma)
    squared = (coords - faces.coords) ** 2
    return Evaluation(
        summaries={p.name: _summary(competition, p, pipelines[p.name]) for p in ensemble if p.name in pipelines},
        truth=truth_of(submitted, competition),
        errors=make_errors(faces, table, [*specialists, *ensemble], weights, far),
        rows=len(faces),
        outlier_share=float(np.nansum(squared[far]) / max(np.nansum(squared), 1e-12)),
        noise=_noise(coords, with_drift, faces, table, far),
        calibration=calibrate(faces, ~far, [*specialists, together]),
        pictures=gallery.worst(),
        audit=tuple({str(key): value for key, value in row.items()} for row in gallery.audit.to_dict("records")),
        duplicates=duplicates,
    )


def _summary(competition: Competition, oof: Predictions, pipelines: np.ndarray) -> Summary:
    test = competition.test
    variance = ensemble_variance(pipelines, test.subset)
    sizes = {s: int((test.subset == s).sum()) for s in SUBSETS}
    coords = aligned(competition.train, oof)
    validation = validation_of(competition.train, coords, variance, sizes, competition.weights)
    return summarise(oof.name, validation, variance.disagreeing)


def _noise(
    coords: np.ndarray, with_drift: np.ndarray, faces: FaceSet, table: FoldTable, far: np.ndarray
) -> dict[int, SectionNoise]:
    """For each subset with enough duplicates, the labels' noise between sections of the file and within one."""
    noise = {}
    for subset in SUBSETS:
        rows = (faces.subset == subset) & ~far
        between, within = (label_noise((faces.coords - c)[rows], table.group[rows]) for c in (coords, with_drift))
        if between is not None and within is not None:
            noise[subset] = SectionNoise(between, within)
    return noise


def inputs_of(stack: str, competition: Competition, duplicates: dict[str, Any]) -> dict[str, Any]:
    """Everything that the evaluation depends on. stack: digest of the stack's inputs. duplicates: the settings for the
    worth of their labels.
    """
    answers = None if competition.answers is None else digest_of(competition.answers.tolist())
    settings = {
        "figures": [[kind.key, kind.title, kind.short] for kind in FIGURES],
        "bootstrap": [metrics.BOOTSTRAPS, {str(s): n for s, n in metrics.SECTIONS.items()}, metrics.FEWEST_SECTIONS],
        "outliers": [outliers.OUTLIER, outliers.USUAL],
        "expected": asdict(expected.CONFIG),
        "duplicates": duplicates,
        "rest": [DISAGREEING, FEWEST, BINS, WORST, WORST_OF_POINT],
    }
    return {"format": FORMAT, "settings": settings, "stack": stack, "answers": answers}


def save(folder: Path, evaluation: Evaluation, inputs: dict[str, Any]) -> None:
    """Write the evaluation into its folder below `folder`, and the manifest last."""
    write_json(folder / FOLDER / FILE, to_json(evaluation))
    seal(folder / FOLDER, inputs, [FILE])


def load(folder: Path, inputs: dict[str, Any]) -> Evaluation | None:
    """The evaluation that was made from these inputs; None where there is none, or one with other fields."""
    if not complete(folder / FOLDER, inputs, [FILE]):
        return None
    try:
        return from_json(Evaluation, json.loads((folder / FOLDER / FILE).read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError):
        return None
