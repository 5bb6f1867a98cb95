"""Labels that no upright face can have: by how many pixels each rule is broken. No prediction is needed."""

from collections.abc import Iterator

import numpy as np

from solution.evaluation.label_errors.evidence import Evidence
from solution.faces import FaceSet
from solution.keypoints import SUBSETS, Schema

GEOMETRY_LIMIT = 3.0
"""px. One or two pixels at closed lips, low brows and the picture's edge are usual for a labeller and no mistake."""

TOLERANCE = 0.3
"""How far outside of the triangle of eyes and lip a nose may be, as a share of the longest side, for profiles."""

SAME_PLACE = 1.0
"""px: two points closer than this are on one place, which only the two lips may be."""

EYES = ("left_eye_center", "right_eye_center")
LIPS = ("mouth_center_top_lip", "mouth_center_bottom_lip")


def geometry_evidence(faces: FaceSet) -> Evidence:
    """The rule that is broken by most pixels. ratio 0: none is broken."""
    names, broken = _rules(faces)
    ratio = broken / GEOMETRY_LIMIT

    def reason(row: int) -> str:
        order = np.argsort(-broken[:, row], kind="stable")
        worst = [rule for rule in order if broken[rule, row] > 0][:2]
        return "; ".join(f"{names[rule]} by {broken[rule, row]:.1f} px" for rule in worst)

    return Evidence(ratio.max(axis=0), reason)


def _rules(faces: FaceSet) -> tuple[list[str], np.ndarray]:
    """Every rule's name, and by how many pixels each row breaks it: (R, N), 0 where it holds or is unknown."""
    height, width = faces.images.shape[1:]
    rules = [
        *_orders(faces.coords, faces.schema),
        ("nose far outside of eyes and mouth", _nose_outside(faces.coords, faces.schema)),
        ("outside the picture", _outside(faces.coords, width, height)),
        *_same_places(faces),
    ]
    return [name for name, _ in rules], np.maximum(np.nan_to_num(np.stack([value for _, value in rules])), 0.0)


def _orders(coords: np.ndarray, schema: Schema) -> Iterator[tuple[str, np.ndarray]]:
    """Points in a wrong order from left to right or from top to bottom. The person's left is the picture's right."""
    at = {name: coords[:, k] for k, name in enumerate(schema.points)}
    for k, name in enumerate(schema.points):
        partner = schema.points[schema.mirror[k]]
        if "left" in name:
            yield f"{name} and {partner} swapped", at[partner][:, 0] - at[name][:, 0]
        if "inner" in name:
            outer = name.replace("inner", "outer")
            inward = 1 if "left" in name else -1
            yield f"{name} and {outer} swapped", inward * (at[name][:, 0] - at[outer][:, 0])
    eyes = (at[EYES[0]] + at[EYES[1]])[:, 1] / 2
    for name in ("nose_tip", *LIPS):
        yield f"{name} above the eyes", eyes - at[name][:, 1]
    yield f"{LIPS[1]} above the top lip", at[LIPS[0]][:, 1] - at[LIPS[1]][:, 1]
    yield f"{LIPS[1]} above the nose", at["nose_tip"][:, 1] - at[LIPS[1]][:, 1]
    for side in ("left", "right"):
        brow = at[f"{side}_eyebrow_inner_end"][:, 1]
        yield f"{side}_eyebrow_inner_end below its eye", brow - at[f"{side}_eye_center"][:, 1]


def _nose_outside(coords: np.ndarray, schema: Schema) -> np.ndarray:
    """How far the nose is outside of the triangle of eyes and bottom lip, less the tolerance, (N,) px."""
    corners = coords[:, schema.index((*EYES, LIPS[1]))]
    nose = coords[:, schema.points.index("nose_tip"), None]
    side = np.roll(corners, -1, axis=1) - corners
    length = np.linalg.norm(side, axis=-1)
    to_nose = nose - corners
    # Signed distance from each side's line, positive inside for either order of the corners.
    area = side[:, 0, 0] * side[:, 1, 1] - side[:, 0, 1] * side[:, 1, 0]
    cross = side[..., 0] * to_nose[..., 1] - side[..., 1] * to_nose[..., 0]
    inside = np.sign(area)[:, None] * cross / np.maximum(length, 1.0)
    return -inside.min(axis=1) - TOLERANCE * length.max(axis=1)


def _outside(coords: np.ndarray, width: int, height: int) -> np.ndarray:
    """How far the farthest point is outside of the picture, (N,) px; below 0 inside."""
    beyond = np.concatenate([-coords, coords - (width - 1, height - 1)], axis=1)
    return np.fmax.reduce(beyond, axis=(1, 2))


def _same_places(faces: FaceSet) -> Iterator[tuple[str, np.ndarray]]:
    """Pairs of points on one place, and their usual distance in that subset, px."""
    points = faces.schema.points
    for k, name in enumerate(points):
        for j in range(k):
            if {name, points[j]} == set(LIPS):
                continue
            distance = np.linalg.norm(faces.coords[:, k] - faces.coords[:, j], axis=-1)
            yield f"{points[j]} and {name} on one place, off", _usual_apart(distance, faces.subset)


def _usual_apart(distance: np.ndarray, subset: np.ndarray) -> np.ndarray:
    """The usual distance less the row's, (N,) px, where the row's is that of one place, else 0."""
    missing = np.zeros(len(distance))
    for s in SUBSETS:
        rows = (subset == s) & (distance < SAME_PLACE)
        if rows.any():
            missing[rows] = np.nanmedian(distance[subset == s]) - distance[rows]
    return missing
