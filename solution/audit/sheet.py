"""The contact sheet: the worst faces of an audit, with their labels and predictions, in one picture."""

import cv2
import numpy as np
import pandas as pd

from solution.faces import FaceSet, Predictions

WORST = 48
"""Faces on the sheet."""

COLUMNS = 8
ZOOM = 3
CAPTION = 34
"""Height of the two lines below a face, pixels of the sheet."""

LEGEND = 32
"""Height of the legend on top."""

# Blue, green, red. Orange and sky blue are told apart by nearly every eye, on dark skin and light.
LABEL, PREDICTION = (0, 120, 255), (255, 200, 60)
LINK, TEXT, PAPER = (150, 150, 150), (230, 230, 230), (32, 32, 32)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def contact_sheet(faces: FaceSet, oof: Predictions, audit: pd.DataFrame) -> np.ndarray:
    """Draw the audit's first WORST faces, worst first, below a legend. Returns (H, W, 3) uint8, blue-green-red.

    Every face is enlarged ZOOM times, its labels ringed and tied to the out-of-fold predictions of the same points; id,
    subset and score stand below, then the reason as far as it fits. An empty audit gives the legend alone.
    """
    row_of = {int(face): row for row, face in enumerate(faces.ids)}
    tiles = []
    for entry in audit.head(WORST).to_dict("records"):
        row = row_of[entry["id"]]
        face = _face(faces.images[row], faces.coords[row], oof.coords[row])
        tiles.append(np.vstack([face, _caption(entry, face.shape[1])]))
    width = COLUMNS * ZOOM * faces.images.shape[2]
    lines = [_legend(width, len(tiles), len(audit))]
    for start in range(0, len(tiles), COLUMNS):
        line = np.hstack(tiles[start : start + COLUMNS])
        lines.append(np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))))
    return np.vstack(lines)


def _face(image: np.ndarray, labels: np.ndarray, coords: np.ndarray) -> np.ndarray:
    """A grey picture (H, W) enlarged, with its labels and predictions (K, 2)."""
    enlarged = cv2.resize(image, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    canvas = cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR)
    for label, prediction in zip(labels, coords, strict=True):
        if np.isnan(label).any():
            continue
        at = _enlarged(label)
        if not np.isnan(prediction).any():
            cv2.line(canvas, at, _enlarged(prediction), LINK, 1, cv2.LINE_AA)
            cv2.circle(canvas, _enlarged(prediction), 2, PREDICTION, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(canvas, at, 4, LABEL, 1, cv2.LINE_AA)
    return canvas


def _enlarged(point: np.ndarray) -> tuple[int, int]:
    """Where a point of the picture lies in its enlargement: a pixel's centre becomes the centre of ZOOM pixels."""
    x, y = np.rint((point + 0.5) * ZOOM - 0.5).astype(int).tolist()
    return x, y


def _caption(entry: dict, width: int) -> np.ndarray:
    strip = np.full((CAPTION, width, 3), PAPER, np.uint8)
    title = f"id {entry['id']}  {entry['subset']} points  score {entry['score']:.2f}"
    _write(strip, title, (4, 13), 0.42)
    _write(strip, _fitting(entry["reason"], width - 8, 0.34), (4, 28), 0.34)
    return strip


def _fitting(text: str, width: int, size: float) -> str:
    """As much of the text as fits into the width, in pixels."""
    while cv2.getTextSize(text, FONT, size, 1)[0][0] > width:
        text = text[:-1]
    return text


def _legend(width: int, shown: int, listed: int) -> np.ndarray:
    strip = np.full((LEGEND, width, 3), PAPER, np.uint8)
    cv2.circle(strip, (16, 16), 5, LABEL, 1, cv2.LINE_AA)
    _write(strip, "label", (28, 21), 0.5)
    cv2.circle(strip, (104, 16), 4, PREDICTION, cv2.FILLED, cv2.LINE_AA)
    _write(strip, "out-of-fold prediction", (116, 21), 0.5)
    _write(
        strip, f"{shown} of {listed} listed faces, worst first; score 1 = at the limit of right labels", (340, 21), 0.5
    )
    return strip


def _write(canvas: np.ndarray, text: str, at: tuple[int, int], size: float) -> None:
    cv2.putText(canvas, text, at, FONT, size, TEXT, 1, cv2.LINE_AA)
