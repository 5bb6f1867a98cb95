"""A system that trains in no time, faces with one bright spot at every point, and a check of a comparison's files."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from torch import nn

from solution.faces import FaceSet
from solution.keypoints import BEYOND_FOUR, FACE15, SIZE
from solution.studies.baselines import publish
from solution.studies.baselines.baseline import System


def network(points: int) -> nn.Module:
    return nn.Sequential(
        *(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 2 * points)),
        nn.Unflatten(1, (points, 2)),
    )


TINY = System(name="tiny", title="Tiny", idea="small", network=network, batch=16)
EACH = replace(TINY, name="tiny_each", each_point=True)


def spots(count: int, seed: int = 0) -> FaceSet:
    """Dark pictures with a bright spot; all points lie at it, half of the rows have but four."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(30, 65, (count, 2)).astype(np.float32)
    images = np.zeros((count, SIZE, SIZE), np.uint8)
    for image, (x, y) in zip(images, np.rint(places).astype(int).tolist(), strict=True):
        cv2.circle(image, (x, y), 12, 255, -1)
    coords = np.repeat(places[:, None], FACE15.size, axis=1)
    subset = np.where(np.arange(count) < count // 2, 15, 4).astype(np.int8)
    coords[np.ix_(subset == 4, BEYOND_FOUR)] = np.nan
    return FaceSet(np.arange(count), images, coords, FACE15, subset)


def checked_table(folder: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """The rows of a comparison's table, whose figures are within their intervals, best first, beside a picture."""
    with (folder / publish.TABLE).open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        for column in columns:
            low, value, high = (float(row[f"{column}{bound}"]) for bound in ("_low", "", "_high"))
            assert 0 < low <= value <= high < np.inf
    first = [float(row[next(iter(columns))]) for row in rows]
    assert first == sorted(first)
    assert cv2.imread(str(folder / publish.PICTURE)) is not None
    return rows
