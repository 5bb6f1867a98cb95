"""Sketched faces with 68 labelled points in the layout of a *_frames_keypoints.csv: no real face is in them."""

import csv
import io
import zipfile
from pathlib import Path

import cv2
import numpy as np


def _run(start: tuple[float, float], end: tuple[float, float], count: int, bend: float) -> np.ndarray:
    """Points from start to end, bent away from the line between."""
    t = np.linspace(0, 1, count)[:, None]
    line = np.array(start) * (1 - t) + np.array(end) * t
    return line + np.array([0, 1]) * bend * (1 - (2 * t - 1) ** 2)


def face68() -> np.ndarray:
    """The 68 points of a plain face, (68, 2), about (0, 0); the eyes' outer corners lie 2 apart."""
    turn = np.linspace(np.pi, 0, 17)
    jaw = np.column_stack([1.35 * np.cos(turn), 2.3 * np.sin(turn)])
    brows = [_run((-1.2, -0.4), (-0.3, -0.45), 5, -0.2), _run((0.3, -0.45), (1.2, -0.4), 5, -0.2)]
    nose = [_run((0, 0), (0, 0.75), 4, 0), _run((-0.3, 0.95), (0.3, 0.95), 5, 0.06)]
    eyes = []
    for x in (-0.7, 0.7):
        upper, lower = _run((x - 0.3, 0), (x + 0.3, 0), 4, -0.12), _run((x + 0.3, 0), (x - 0.3, 0), 4, 0.12)[1:3]
        eyes += [upper, lower]
    outer = [_run((-0.5, 1.4), (0.5, 1.4), 7, -0.15), _run((0.5, 1.4), (-0.5, 1.4), 7, 0.25)[1:6]]
    inner = [_run((-0.4, 1.4), (0.4, 1.4), 5, -0.04), _run((0.4, 1.4), (-0.4, 1.4), 5, 0.08)[1:4]]
    return np.concatenate([jaw, *brows, *nose, *eyes, *outer, *inner])


def sketch(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A grey picture (H, W) of a face with these 68 points."""
    canvas = np.full(size, 90, np.uint8)

    def fill(run: np.ndarray, value: int) -> None:
        cv2.fillPoly(canvas, [np.rint(run * 16).astype(np.int32)], value, cv2.LINE_AA, 4)

    forehead = points[26:16:-1] + points[27] - points[30]
    fill(np.concatenate([points[:17], forehead]), 200)
    for eye in (points[36:42], points[42:48]):
        fill(eye, 30)
    fill(points[48:60], 110)
    for brow in (points[17:22], points[22:27], points[27:31], points[31:36]):
        cv2.polylines(canvas, [np.rint(brow * 16).astype(np.int32)], False, 60, 2, cv2.LINE_AA, 4)
    return canvas


def sketches(persons: int, each: int, seed: int = 0) -> tuple[list[str], list[np.ndarray], np.ndarray]:
    """Names, pictures of differing size, and whole-pixel points (N, 68, 2)."""
    rng = np.random.default_rng(seed)
    names, images, coords = [], [], []
    for person in range(persons):
        build = face68() * rng.uniform(0.9, 1.1, 2)
        for number in range(each):
            height, width = rng.integers(110, 170, 2).tolist()
            angle, scale = rng.normal(0, 0.08), rng.uniform(0.15, 0.19) * min(height, width)
            cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
            middle = np.array([width, height]) * (0.5, 0.42) + rng.normal(0, 2, 2)
            points = np.rint(build @ np.array([[cos, sin], [-sin, cos]]) + middle)
            names.append(f"Some_One{person}_{number:02d}.jpg")
            images.append(sketch(points, (height, width)))
            coords.append(points)
    return names, images, np.array(coords)


def table(names: list[str], coords: np.ndarray) -> list[list[str]]:
    """The table's rows, header first."""
    rows = [[name, *(f"{value:.1f}" for value in face.ravel())] for name, face in zip(names, coords, strict=True)]
    return [["", *map(str, range(136))], *rows]


def csv_text(rows: list[list[str]]) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)
    return stream.getvalue()


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


def write_zip(path: Path, persons: int = 6, each: int = 3, seed: int = 0) -> Path:
    """A zip as such data come: pictures in a folder, the table beside it."""
    names, images, coords = sketches(persons, each, seed)
    with zipfile.ZipFile(path, "w") as archive:
        for name, image in zip(names, images, strict=True):
            archive.writestr(f"training/{name}", jpeg(image))
        archive.writestr("training_frames_keypoints.csv", csv_text(table(names, coords)))
    return path


def write_folder(path: Path, persons: int = 6, each: int = 3, seed: int = 0) -> Path:
    """The same in a folder within a folder."""
    names, images, coords = sketches(persons, each, seed)
    inner = path / "faces" / "pictures"
    inner.mkdir(parents=True)
    for name, image in zip(names, images, strict=True):
        (inner / name).write_bytes(jpeg(image))
    (path / "faces" / "test_frames_keypoints.csv").write_text(csv_text(table(names, coords)))
    return path
