"""Hair behind and in front of the head, hats and beards. Strands are cut-outs of noise stretched in one direction."""

import numpy as np

from solution.data.synthetic.anatomy import SIDES, Anatomy
from solution.data.synthetic.canvas import Canvas, texture
from solution.data.synthetic.geometry import PIVOT, shifted, superellipse

_TOP = 62.0
_SIDEBURN = {"short": 6.0, "parted": 8.0, "fringe": 12.0, "long": 66.0, "curly": 10.0, "receding": 5.0, "hat": 4.0}


def head_outline(face: Anatomy) -> np.ndarray:
    """The head's silhouette, turned space, (N, 2): a round skull over a narrowing jaw."""
    head = face.head
    skull = superellipse(head.half_width, _TOP, 2.2, np.pi, 2 * np.pi)
    jaw = superellipse(head.half_width, head.chin, head.jaw, 0, np.pi)[1:-1]
    return _lean(face, np.concatenate([skull, jaw]))


def _lean(face: Anatomy, flat: np.ndarray) -> np.ndarray:
    """Turn a silhouette (N, 2): the sides are behind the pivot and move against the nose, the chin moves with it."""
    depth = 34 * np.clip(flat[:, 1] / face.head.chin, 0, 1) ** 2
    return flat + np.outer((depth - PIVOT) * np.sin(face.pose.yaw), (1, 0))


def hair_light(face: Anatomy, shade: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The hair as a whole canvas of light, (FINE, FINE)."""
    kind = "curls" if face.style.hair == "curly" else "strands"
    contrast = np.float32(rng.uniform(0.08, 0.3) * (1.2 - face.style.hair_tone))
    return np.float32(face.style.hair_tone) * shade * np.exp(contrast * texture(kind, rng))


def paint_back_hair(canvas: Canvas, face: Anatomy, light: np.ndarray) -> None:
    """Long and curly hair behind the neck and shoulders."""
    style = face.style
    if style.hair not in ("long", "curly"):
        return
    width = face.head.half_width + style.volume + 2
    fall = 90 if style.hair == "long" else 34
    crown = superellipse(width, _TOP + style.volume, 2.2, np.pi, 2 * np.pi)
    ends = np.array([[1.06 * width, fall], [-1.06 * width, fall]])
    canvas.fill(face.pose.place(_lean(face, np.concatenate([crown, ends]))), 0.8 * light, soft=1.0)


def paint_front_hair(canvas: Canvas, face: Anatomy, light: np.ndarray, rng: np.random.Generator) -> None:
    """The hair over the forehead and the temples, with its shadow on the skin; or a hat; or nothing."""
    style = face.style
    if style.hair == "bald":
        return
    polygon = _front_polygon(face, rng)
    canvas.fill(shifted(polygon, 0, 0.8), gain=0.6, alpha=0.6, soft=1.8)
    if style.hair == "hat":
        canvas.fill(polygon, light, soft=0.3)
        brim = face.pose.project(face.head.lift(_hairline(face, rng), 2))
        canvas.stroke(brim, 3.0, gain=0.6, soft=0.4)
    else:
        canvas.fill(polygon, light, soft=1.8 if style.hair == "curly" else 1.3)


def _front_polygon(face: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Outline of the front hair, picture pixels: over the skull between the sideburns, back by the hairline."""
    head, style = face.head, face.style
    width, low = head.half_width + 0.6 * style.volume, _SIDEBURN[style.hair]
    outer = superellipse(width, _TOP + style.volume, 2.2, np.pi, 2 * np.pi, 32)
    if style.hair == "curly":
        outer *= 1 + 0.06 * rng.standard_normal((len(outer), 1))
    sides = [np.array([[side * width, low]]) for side in (-1, 1)]
    around = _lean(face, np.concatenate([sides[0], outer, sides[1]]))
    cover = 0.86 if style.hair == "long" else 0.955
    temple = np.array([[cover * head.half_width, y] for y in np.linspace(low, -10, 6)])
    hairline = _hairline(face, rng)
    inner = np.concatenate([temple, hairline[::-1], temple[::-1] * (-1, 1)])
    turned = face.pose.turn(head.lift(inner))
    return face.pose.place(np.concatenate([around, turned]))


def _hairline(face: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Where the hair ends on the forehead, from the right temple to the left, (N, 2) of face space."""
    style = face.style
    s = np.linspace(-1, 1, 21)
    x = 0.84 * face.head.half_width * s
    y = -style.hairline + 9 * s**4
    if style.hair == "fringe":
        y = -0.62 * style.hairline + 2 * s**2 + rng.uniform(0.4, 1.6) * rng.standard_normal(len(s))
    elif style.hair == "parted":
        y = y + 5 * np.abs(s - 0.6 * np.sign(style.part)) - 4
    elif style.hair == "long":
        y = y + 12 * np.abs(s - 0.5 * style.part) ** 1.5 - 5
    elif style.hair == "receding":
        y = y - 10 * np.exp(-(((np.abs(s) - 0.5) / 0.3) ** 2)) - 5
    elif style.hair == "hat":
        y = -0.75 * style.hairline + 3 * s**2
    if style.hair in ("short", "curly"):
        y = y + 0.7 * rng.standard_normal(len(s))
    return np.stack([x, y], axis=1)


def paint_beard(canvas: Canvas, face: Anatomy, light: np.ndarray, rng: np.random.Generator) -> None:
    """Beard along the jaw and moustache above the lip, under the mouth's own colour."""
    style, head, mouth = face.style, face.head, face.mouth
    rough = light * np.exp(np.float32(0.2) * texture("grain", rng))
    if style.beard > 0:
        inset = superellipse(0.97 * head.half_width, head.chin + 1, head.jaw, 0.12, np.pi - 0.12)
        below = mouth.y + mouth.opening - 1.5
        cheek = np.array([[-25, 28], [-19, 36], [-12, below + 3], [0, below + 5], [12, below + 3], [19, 36], [25, 28]])
        outline = np.concatenate([_lean(face, inset), face.pose.turn(head.lift(cheek.astype(float)))])
        canvas.fill(face.pose.place(outline), rough, gain=0.15, alpha=style.beard, soft=1.8)
    if style.moustache > 0:
        top = mouth.curves()[0]
        ends = [shifted(top[:1], -1.5, 4), shifted(top[1:-1], 0, 0.6), shifted(top[-1:], 1.5, 4)]
        roof = np.array(
            [[s * 0.62 * mouth.half_width, face.nose.tip + 8.2 + 3.0 * s**2] for s in (1, 0.5, 0, -0.5, -1)]
        )
        outline = np.concatenate([*ends, roof])
        canvas.fill(face.pose.project(head.lift(outline, 3)), rough, gain=0.15, alpha=style.moustache, soft=0.9)


def ear_outlines(face: Anatomy) -> list[np.ndarray]:
    """Both ears, picture pixels, (N, 2) each."""
    ear = superellipse(5.0, 11.5, 2.0, 0, 2 * np.pi)
    both = [shifted(ear, side * (face.head.half_width + 1.5), 8.0) for side in SIDES]
    return [face.pose.place(_lean(face, ear)) for ear in both]
