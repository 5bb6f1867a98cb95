"""Eyes, brows, nose, mouth and wrinkles, painted over the lit skin. Most darken it, so its shading stays."""

import numpy as np

from solution.data.synthetic.anatomy import SIDES, Anatomy
from solution.data.synthetic.canvas import Canvas
from solution.data.synthetic.geometry import shifted, superellipse

_CIRCLE = superellipse(1, 1, 2, 0, 2 * np.pi)


def paint_features(canvas: Canvas, face: Anatomy, rng: np.random.Generator) -> None:
    """All features of the bare face."""
    _wrinkles(canvas, face)
    glint = rng.uniform(-1, 1)
    for side in SIDES:
        _eye(canvas, face, side, glint)
        _brow(canvas, face, side)
    _nose(canvas, face)
    _mouth(canvas, face)


def _on_skin(face: Anatomy, flat: np.ndarray, above: float | np.ndarray = 0.0) -> np.ndarray:
    """Face space (N, 2) on the head's surface to picture pixels (N, 2)."""
    return face.pose.project(face.head.lift(flat, above))


def _eye(canvas: Canvas, face: Anatomy, side: int, glint: float) -> None:
    eyes, scale = face.eyes, face.pose.scale
    upper, lower = eyes.lids(side)
    almond = _on_skin(face, np.concatenate([upper, lower[::-1]]))
    canvas.fill(almond, gain=0.82, alpha=0.7, soft=1.6)
    canvas.fill(almond, 0.1 + 0.2 * face.head.skin, gain=0.75, soft=0.25)
    centre = eyes.centre(side)
    iris = _on_skin(face, centre + eyes.iris * _CIRCLE)
    canvas.fill(iris, 0.5 * eyes.iris_tone * face.head.skin + 0.02, soft=0.2, within=almond)
    canvas.fill(_on_skin(face, centre + 0.45 * eyes.iris * _CIRCLE), 0.01, soft=0.15, within=almond)
    canvas.fill(_on_skin(face, shifted(upper, 0, 0.4)), alpha=0.4, soft=0.5, within=almond)
    spark = shifted(centre + 0.55 * _CIRCLE, 1.1 * glint, -0.9)
    canvas.fill(_on_skin(face, spark), 0.95, alpha=0.85, soft=0.12, within=almond)
    lash = shifted(upper[1:], 0, -0.15)
    canvas.stroke(_on_skin(face, lash), 0.9 * scale, 0.02, gain=0.25, alpha=0.85, soft=0.3)
    canvas.stroke(_on_skin(face, lower[3:]), 0.4 * scale, gain=0.6, alpha=0.7, soft=0.3)
    crease = shifted(upper, 0, 0.5 * eyes.upper - 3.7)
    canvas.stroke(_on_skin(face, crease), 0.6 * scale, gain=0.62, alpha=0.8, soft=0.45)


def _brow(canvas: Canvas, face: Anatomy, side: int) -> None:
    brows = face.brows
    line = brows.line(side)
    s = np.linspace(0, 1, len(line))
    half = 0.5 * brows.thickness * (1 - 0.75 * s**2)
    offset = np.stack([np.zeros_like(half), half], axis=1)
    polygon = _on_skin(face, np.concatenate([line - offset, (line + offset)[::-1]]))
    tone = 0.5 * face.style.hair_tone * face.head.skin
    canvas.fill(polygon, tone, gain=0.2, alpha=brows.strength, soft=0.5)


def _nose(canvas: Canvas, face: Anatomy) -> None:
    nose, scale = face.nose, face.pose.scale
    under = shifted(_CIRCLE * (0.75 * nose.wing, 1.8), 0, nose.tip + 4.2)
    canvas.fill(_on_skin(face, under, 0.5 * nose.reach), gain=0.6, alpha=0.75, soft=1.3)
    for side in SIDES:
        nostril = shifted(_CIRCLE * (1.6, 0.85), side * 0.45 * nose.wing, nose.tip + 3.1)
        canvas.fill(_on_skin(face, nostril, 0.6 * nose.reach), gain=0.25, alpha=0.85, soft=0.4)
        arc = superellipse(side * 0.34 * nose.wing, 3.0, 2.0, -0.9, 1.3, 9)
        arc = shifted(arc, side * nose.wing * 0.72, nose.tip + 0.6)
        canvas.stroke(_on_skin(face, arc, 0.45 * nose.reach), 0.7 * scale, gain=0.55, alpha=0.8, soft=0.55)
        ridge = np.array([[side * 4.6, -5], [side * 3.2, 2], [side * 3.4, 9], [side * 4.2, nose.tip - 5]])
        front = np.array([0.0, 0.2, 0.45, 0.6]) * nose.reach
        canvas.stroke(_on_skin(face, ridge, front), 1.4 * scale, gain=0.84, alpha=0.7, soft=1.2)


def _mouth(canvas: Canvas, face: Anatomy) -> None:
    mouth, scale = face.mouth, face.pose.scale
    top, upper_inner, lower_inner, bottom = (_on_skin(face, curve, 3.0) for curve in mouth.curves())
    canvas.fill(np.concatenate([top, upper_inner[::-1]]), gain=0.85 * mouth.lip_gain, soft=0.35)
    canvas.fill(np.concatenate([lower_inner, bottom[::-1]]), gain=mouth.lip_gain, soft=0.35)
    gloss = 0.45 * lower_inner[5:12] + 0.55 * bottom[5:12]
    canvas.stroke(gloss, 1.3 * scale, 0.05, gain=1.12, alpha=0.8, soft=0.8)
    if mouth.opening > 0.6:
        inside = np.concatenate([upper_inner, lower_inner[::-1]])
        canvas.fill(inside, 0.05, gain=0.1, soft=0.25)
        if mouth.teeth:
            _teeth(canvas, upper_inner, lower_inner, inside, face.head.skin)
    canvas.stroke(upper_inner, 0.6 * scale, gain=0.35, alpha=0.8, soft=0.4)
    for corner in (upper_inner[:1], upper_inner[-1:]):
        canvas.fill(corner + 0.9 * scale * _CIRCLE, gain=0.5, alpha=0.7, soft=0.5)


def _teeth(canvas: Canvas, upper: np.ndarray, lower: np.ndarray, inside: np.ndarray, skin: float) -> None:
    edge = 0.3 * upper + 0.7 * lower
    row = np.concatenate([upper[2:-2], edge[2:-2][::-1]])
    canvas.fill(row, 0.35 + 0.55 * skin, soft=0.25, within=inside)


def _wrinkles(canvas: Canvas, face: Anatomy) -> None:
    head, mouth, scale = face.head, face.mouth, face.pose.scale
    deep = 0.25 + 0.4 * head.age + 0.3 * min(mouth.smile, 1)
    for side in SIDES:
        wing, corner = side * (face.nose.wing + 1.5), side * (mouth.half_width + 3.5)
        fold = np.array([[wing, 21], [0.6 * corner + 0.4 * wing, 26], [corner, 33], [corner + side, mouth.y]])
        canvas.stroke(_on_skin(face, fold, 1.5), 1.1 * scale, gain=0.62, alpha=deep, soft=0.9)
        lower = face.eyes.lids(side)[1]
        bag = shifted(lower, 0, 2.4 + head.age)
        canvas.stroke(_on_skin(face, bag), 0.9 * scale, gain=0.72, alpha=0.2 + 0.6 * head.age, soft=0.7)
    if head.age > 0.45:
        x = np.linspace(-17, 17, 9)
        for height in (-17.0, -21.0, -25.5):
            line = np.stack([x, height + 1.2 * np.cos(x / 5)], axis=1)
            canvas.stroke(_on_skin(face, line), 0.6 * scale, gain=0.75, alpha=head.age, soft=0.5)
    chin = shifted(np.array([[-6, 0.6], [0, 0], [6, 0.6]]), 0, mouth.y + mouth.opening + mouth.lower + 3.0)
    canvas.stroke(_on_skin(face, chin, 1.5), 1.5 * scale, gain=0.7, alpha=0.5, soft=1.2)
