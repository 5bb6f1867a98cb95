"""The gain of pre-training an eye classifier as a denoising autoencoder, by number of labelled patches."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.text import Text

from solution.evaluation import metrics
from solution.report import drawing
from solution.report.drawing import Chart, Curve
from solution.run import Run, exclusive
from solution.runtime.artifacts import atomic, complete, digest_of, seal, write_text
from solution.runtime.device import LOG, generator
from solution.runtime.workers import local
from solution.specialists.patches.sampling import corrupt
from solution.studies.baselines.eye_patches import EVALUATED, Patches, Study, classified, cut_patches, pretrained
from solution.studies.baselines.publish import markdown

STUDY = Study()
FORMAT = 2  # raise it when the same settings would give something else
ARRAYS = "study.npz"
SHOWN = 12  # held-out eyes of the first fold in the picture
STARTS = ("random", "pretrained")
COLOURS = (("#fdba74", "#c2410c"), ("#93c5fd", "#1d4ed8"), ("#86efac", "#15803d"), ("#c4b5fd", "#6d28d9"))
"""By number of labelled patches: light without pretraining, dark with it."""


@dataclass(frozen=True, eq=False)
class Cell:
    """The classifiers of one number of labelled patches."""

    labels: int  # labelled patches in a fold; 0: all

    wrong: np.ndarray
    """Whether each held-out patch of all folds is put into the wrong class, bool (2, L, P): by STARTS, EVALUATED."""

    face: np.ndarray  # which face each held-out patch is of, (P,)

    @property
    def title(self) -> str:
        return f"{self.labels:,}" if self.labels else "all"


@exclusive
def study(run: Run) -> list[Cell]:
    """Run what is not complete, one job a fold, and write autoencoder.csv, .md and both pictures."""
    jobs = [FoldJob(run, fold) for fold in range(run.table.k)]
    local.run_missing("Autoencoder", jobs, run.device, run.workers, "folds")
    cells, eyes = _collected(run)
    folder = run.workspace.folds
    write_text(folder / "autoencoder.csv", frame(cells).to_csv(index=False, float_format="%.6f", lineterminator="\n"))
    write_text(folder / "autoencoder.md", page(cells))
    drawing.save(folder / "autoencoder.png", sheet(eyes))
    drawing.save(folder / "autoencoder-curves.png", drawing.line_chart(curves(cells)))
    return cells


@dataclass(frozen=True)
class FoldJob:
    """One fold of the study."""

    data: Run
    fold: int
    after: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"autoencoder/{self.fold}"

    def is_complete(self) -> bool:
        """Whether the fold's figures are there."""
        return complete(_folder(self.data, self.fold), _inputs(self.data, self.fold), [ARRAYS])

    def run(self, device: torch.device) -> float:
        """Pretrain, then train the classifier with and without it for each number of labels; the seconds taken."""
        began = time.perf_counter()
        run, fold = self.data, self.fold
        faces, key = run.competition.train, ("autoencoder", fold)
        rng = generator(*key, "patches")
        train, held = (cut_patches(faces.take(rows), STUDY, rng) for rows in _split(run, fold))
        start = pretrained(STUDY, train, device, key)
        order = generator(*key, "labels").permutation(len(train.face))
        arrays: dict[str, np.ndarray] = {"face": held.face, "eyes": _shown(start, held, device, fold)}
        for labels in _counts(len(train.face)):
            some = train.take(order[: labels or None])
            parts = [classified(STUDY, some, held, one, device, (*key, labels)) for one in (None, start)]
            arrays[f"labels{labels}"] = np.stack(parts)
            errors = [f"{100 * part[-1].mean():.1f} %" for part in parts]
            LOG.info("Autoencoder: fold %d, %s labels: %s wrong, pretrained %s", fold, labels or "all", *errors)
        folder = _folder(run, fold)
        with atomic(folder / ARRAYS) as temporary, temporary.open("wb") as handle:
            np.savez(handle, allow_pickle=False, **arrays)
        seal(folder, _inputs(run, fold), [ARRAYS])
        return time.perf_counter() - began


def _split(run: Run, fold: int) -> tuple[np.ndarray, np.ndarray]:
    return run.table.fold != fold, run.table.fold == fold


def _counts(patches: int) -> list[int]:
    """The numbers of labelled patches that are not too many; 0: all patches."""
    return [labels or 0 for labels in STUDY.labels if labels is None or labels < patches]


def _shown(start: torch.nn.Module, held: Patches, device: torch.device, fold: int) -> np.ndarray:
    """Held-out eyes: original, corrupted and reconstructed, (3, SHOWN, patch, patch)."""
    torch.manual_seed(fold)
    eyes = held.pixels[held.eye > 0.5]
    some = eyes[:: max(1, len(eyes) // SHOWN)][:SHOWN]
    noisy = corrupt(some, STUDY.corruption())
    with torch.inference_mode():
        back = start(noisy.to(device)).cpu()
    return torch.stack([some, noisy, back])[:, :, 0].numpy()


def _folder(run: Run, fold: int) -> Path:
    return run.workspace.folds / "autoencoder" / f"fold{fold}"


def _inputs(run: Run, fold: int) -> dict[str, Any]:
    folds = digest_of(run.table.fold.tolist())
    settings = STUDY.settings()
    return {"format": FORMAT, "study": settings, "fold": fold, "data": run.competition.train_digest, "folds": folds}


def _collected(run: Run) -> tuple[list[Cell], np.ndarray]:
    """The cells of all folds, for the numbers of labels that every fold has, and the first fold's eyes."""
    folds = []
    for fold in range(run.table.k):
        with np.load(_folder(run, fold) / ARRAYS, allow_pickle=False) as arrays:
            folds.append(dict(arrays))
    names = [name for name in folds[0] if name.startswith("labels") and all(name in fold for fold in folds)]
    face = np.concatenate([fold["face"] for fold in folds])
    cells = [
        Cell(int(name.removeprefix("labels")), np.concatenate([fold[name] for fold in folds], axis=2), face)
        for name in names
    ]
    return cells, folds[0]["eyes"]


def clustered_interval(values: np.ndarray, face: np.ndarray) -> tuple[float, float, float]:
    """Mean of `values` (P,), and its 95 % bootstrap interval from resampling faces with all their patches.

    For the differences of two classifiers on the same patches it is the paired interval.
    """
    _, place = np.unique(face, return_inverse=True)
    total, count = np.bincount(place, values), np.bincount(place)
    means = metrics.resampled_ratios(total, count, np.random.default_rng(0))
    return float(values.mean()), *metrics.interval(means)


@dataclass(frozen=True)
class Rate:
    """Share of held-out patches in the wrong class at the end of training, or the difference of two shares."""

    labels: str  # number of labelled patches, as `Cell.title`
    start: str  # one of STARTS, or "difference"
    rate: float
    low: float
    high: float  # the bounds of the 95 % interval

    @property
    def percent(self) -> str:
        return f"{100 * self.rate:.2f} % ({100 * self.low:.2f} to {100 * self.high:.2f})"


def rates(cell: Cell) -> list[Rate]:
    """Error rates by STARTS, and the difference by pretraining."""
    random, started = cell.wrong[:, -1].astype(float)
    named = (*zip(STARTS, (random, started), strict=True), ("difference", started - random))
    return [Rate(cell.title, name, *clustered_interval(values, cell.face)) for name, values in named]


def frame(cells: Sequence[Cell]) -> pd.DataFrame:
    """The rates of all cells as a table."""
    return pd.DataFrame([asdict(rate) for cell in cells for rate in rates(cell)])


def page(cells: Sequence[Cell]) -> str:
    """The study as Markdown."""
    rows = [(cell.title, *(rate.percent for rate in rates(cell))) for cell in cells]
    header = ("labelled patches", "random start", "pretrained", "difference")
    about = (
        f"Patches of {STUDY.patch}×{STUDY.patch} pixels, an eye or not, by one hidden layer of {STUDY.hidden} units. "
        f"Share of {len(cells[0].face):,} held-out patches in the wrong class, all folds, 95 % interval over faces. "
        "Pretrained: the layer was first trained, without labels, to reconstruct all training patches of the fold from "
        f"corrupted ones ({100 * STUDY.masked:g} % of squares masked, noise {STUDY.noise:g}). Both then take the same "
        f"{STUDY.steps:,} steps on the same batches; the pretraining's {STUDY.pretrain_steps:,} steps come on top."
    )
    pictures = "![error by step](autoencoder-curves.png)\n\n![original, corrupted, reconstructed](autoencoder.png)"
    return "\n\n".join(["# Pretraining an eye classifier", about, markdown(header, rows), pictures]) + "\n"


def curves(cells: Sequence[Cell]) -> Chart:
    """Share of held-out patches in the wrong class by the classifier's steps."""
    steps = [max(1, round(share * STUDY.steps)) for share in EVALUATED]
    lines = []
    for cell, colours in zip(cells, COLOURS, strict=False):
        for i, start in enumerate(STARTS):
            shares = 100 * np.maximum(cell.wrong[i].mean(axis=1), 1e-4)
            points = list(zip(map(float, steps), shares.tolist(), strict=True))
            lines.append(Curve(f"{cell.title} labels, {start}", points, colours[i], bold=start == STARTS[1]))
    return Chart("Eye or not: error by training step", "% of held-out patches in the wrong class", "steps", lines)


def sheet(eyes: np.ndarray) -> np.ndarray:
    """Draw eyes (3, n, h, w) in the same contrast: a row of originals, of corrupted and of reconstructed ones."""
    grey = np.clip(128 + 48 * eyes, 0, 255).astype(np.uint8)
    tiles = [drawing.enlarge(eye, 4, cv2.INTER_NEAREST) for row in grey for eye in row]
    return drawing.sheet(tiles, columns=grey.shape[1], gap=8)


def show(cells: Sequence[Cell], folder: Path, console: Console | None = None) -> None:
    """Print the error rates and the files' paths."""
    console = console or Console()
    for rate in (rate for cell in cells for rate in rates(cell)):
        console.print(Text(f"{rate.labels:>6} labels  {rate.start:<10}  {rate.percent}"), soft_wrap=True)
    for name in ("autoencoder.csv", "autoencoder.md", "autoencoder.png", "autoencoder-curves.png"):
        console.print(Text(str(folder / name)), soft_wrap=True)
