"""Exports the trained network of one fold as a file, checks it against PyTorch, and measures its speed."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from solution import __version__
from solution.deploy import portable
from solution.deploy.portable import BATCH, ONNX, SUFFIX, TORCHSCRIPT, Answer, Portable, farthest, in_pytorch
from solution.faces import FaceSet
from solution.recipe import LandmarkRecipe, Recipe
from solution.run import Run
from solution.runtime.artifacts import atomic
from solution.runtime.device import LOG, set_threads
from solution.runtime.errors import UserError
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.network import LandmarkNet
from solution.specialists.landmarks.predict import load

LIMIT = 0.01
"""Largest allowed difference between a file and PyTorch, in pixels."""
CHECKED = 256
"""Held-out faces of that check."""
WARM_UP, REPEATS = 3, 7
"""Rounds of the speed measurement: without and with their times."""


def export(run: Run, name: str, fold: int, kind: str = ONNX, out: Path | None = None, bench: bool = False) -> Path:
    """Write the network of a trained fold as one file. The file is put in place if it agrees with PyTorch; its path.

    kind: ONNX or TORCHSCRIPT. bench: compare the speed of both formats with PyTorch's. UserError if there is no such
    recipe, fold or training, if the recipe is no landmark network, or if the file does not agree.
    """
    recipe = _landmark(run.recipe(name))
    trained = run.job(recipe, fold).require("a finished training of these settings and data")
    _, net, offset = load(trained, torch.device("cpu"))
    faces = _held_out(run, recipe, fold)
    path = out or run.workspace.folds / "export" / f"{name}-fold{fold}{SUFFIX[kind]}"
    set_threads(1)
    with atomic(path) as temporary:
        portable.write(kind, Portable(net, offset), temporary, _facts(recipe, fold))
        apart = farthest(portable.load(kind, temporary), in_pytorch(net, offset), faces)
        if not apart <= LIMIT:
            raise UserError(
                f"{path}: expected answers within {LIMIT} px of PyTorch's, got {apart:.4f} px over {len(faces)} faces; "
                "nothing was written. Try the other --format, and the library versions of requirements.txt."
            )
    LOG.info("Export: %s, %.1f MB", path, path.stat().st_size / 1e6)
    LOG.info("Checked: at most %.6f px from PyTorch in fp32, over %d held-out faces", apart, len(faces))
    if bench:
        figures = ", ".join(f"{who} {speed:.0f}" for who, speed in speeds(net, offset, faces).items())
        LOG.info("Speed, pictures/s on one thread in batches of %d: %s", BATCH, figures)
    return path


def _landmark(recipe: Recipe) -> LandmarkRecipe:
    """The recipe as a landmark recipe. UserError if it is none."""
    if recipe.landmarks is None:
        raise UserError(
            f"recipe {recipe.name}: expected a landmark network, got one of method {recipe.method!r}, which finds its "
            "points outside the network. Export any other recipe."
        )
    return recipe.landmarks


def _held_out(run: Run, recipe: Recipe, fold: int) -> FaceSet:
    """Up to CHECKED of the fold's held-out faces that the recipe predicts, at equal distances."""
    faces = run.competition.train
    rows = np.flatnonzero((run.table.fold == fold) & np.isin(faces.subset, recipe.subsets))
    return faces.take(rows[np.unique(np.linspace(0, len(rows) - 1, CHECKED).astype(int))])


def _facts(recipe: LandmarkRecipe, fold: int) -> dict[str, str]:
    """Facts about the network, for its file."""
    points = recipe.schema.size
    return {
        "recipe": recipe.name,
        "fold": str(fold),
        "settings": recipe.digest(),
        "code": f"facial-keypoints {__version__}",
        "points": ",".join(recipe.schema.points),
        "images": "(N, 96, 96) uint8, grey",
        "subset": "(N,) int64: 15 or 4, the kind of labels to predict",
        "coords": f"(N, {points}, 2) float32: x, y in pixels, (0, 0) the centre of the top left pixel; NaN: none",
        "sigma": f"(N, {points}) float32: standard deviation on each axis in pixels; NaN: none",
    }


def speeds(net: LandmarkNet, offset: LabelOffset, faces: FaceSet) -> dict[str, float]:
    """Pictures a second on one thread in batches of BATCH, for PyTorch and for both formats."""
    rows = np.resize(np.arange(len(faces)), BATCH)
    inputs = faces.images[rows], faces.subset[rows].astype(np.int64)
    answers = {"PyTorch fp32": in_pytorch(net, offset), "PyTorch bf16": in_pytorch(net, offset, bf16=True)}
    with tempfile.TemporaryDirectory() as folder:
        for kind, title in ((TORCHSCRIPT, "TorchScript fp32"), (ONNX, "ONNX Runtime fp32")):
            path = Path(folder) / f"net{SUFFIX[kind]}"
            portable.write(kind, Portable(net, offset), path, {})
            answers[title] = portable.load(kind, path)
        rounds = [{who: _seconds(answer, inputs) for who, answer in answers.items()} for _ in range(WARM_UP + REPEATS)]
    return {who: BATCH / statistics.median(times[who] for times in rounds[WARM_UP:]) for who in answers}


def _seconds(answer: Answer, inputs: tuple[np.ndarray, np.ndarray]) -> float:
    """CPU time of an answer, on which other programs have little effect."""
    began = time.process_time()
    answer(*inputs)
    return time.process_time() - began
